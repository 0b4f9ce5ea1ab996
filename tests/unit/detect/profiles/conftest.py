"""Facts made by code: several days, unicode account ids, missing values, repeated prompts."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stillwatch.detect.fingerprints.columns import hash_column
from stillwatch.detect.fingerprints.facts import FACTS
from stillwatch.detect.profiles.definition import DAY_US, HOUR_US
from stillwatch.detect.profiles.engine import open_engine
from stillwatch.detect.profiles.state import State

FIRST_DAY = 20_514  # 2 March 2026
ACCOUNTS = ("org-a", "org-b", "конто-в", "帳號-四", "org 'e\"; --", "")
RULES = "rules-1"


def make_facts(rows: int, *, seed: int = 1, days: int = 3, first_request: int = 1) -> pa.RecordBatch:
    """Make facts with request ids `first_request`, … spread over some days, in no order."""
    rng = np.random.default_rng(seed)

    def some(values: list[object], missing: float = 0.2) -> list[object]:
        chosen = rng.integers(0, len(values), rows).tolist()
        absent = (rng.random(rows) < missing).tolist()
        return [None if gone else values[one] for one, gone in zip(chosen, absent, strict=True)]

    content = rng.integers(0, 40, rows)  # 0 = no text
    columns: dict[str, object] = {
        "request": np.arange(first_request, first_request + rows),
        "time_us": FIRST_DAY * DAY_US + rng.integers(0, days * DAY_US, rows),
        "day": [],
        "hour": [],
        "account_id": [ACCOUNTS[one] for one in rng.integers(0, len(ACCOUNTS), rows)],
        "account": [],
        "content": content,
        "system": rng.integers(0, 3, rows),
        "keys": [[int(one) * 10 + extra for extra in range(one % 4)] for one in content],
        "elicitation": rng.choice([0, 0, 1, 5, 2048, 4095], rows).astype(np.uint32),
        "asn": some([64_496, 64_511]),
        "country": some(["DE", "TR"]),
        "model": some(["tern-2", "größer-3"]),
        "surface": some(["api", "app"]),
        "text_tokens": rng.integers(0, 12, rows).astype(np.int32),
    }
    for name in ("client", "address", "network", "conversation", "user", "sampling"):
        columns[name] = rng.integers(0, 5, rows) * 2**55
    for name in ("input_tokens", "output_tokens", "reasoning_tokens"):
        columns[name] = rng.integers(0, 2**30, rows).astype(np.int32)
    for name in ("tools", "harvest", "saturated", "failed", "limited"):
        columns[name] = rng.random(rows) < 0.3
    times = np.asarray(columns["time_us"])
    columns |= {"day": (times // DAY_US).astype(np.int32), "hour": (times // HOUR_US).astype(np.int32)}
    columns["account"] = hash_column(pa.array(columns["account_id"], pa.string()))
    columns["single_turn"] = some([True, False])
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[field.name], field.type) for field in FACTS], schema=FACTS
    )


def changed_copy(facts: pa.RecordBatch, **columns: list[object]) -> pa.RecordBatch:
    """Return facts with some columns replaced; who the accounts are goes with their ids."""
    if "account_id" in columns:
        columns["account"] = hash_column(pa.array(columns["account_id"], pa.string())).tolist()
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else facts.column(field.name)
        for field in FACTS
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=FACTS)


def profiled(root: Path, *scans: list[pa.RecordBatch]) -> State:
    """Return a state after some scans, each in a process of its own as it were."""
    state = State(root, rules_digest=RULES)
    for batches in scans:
        state = State(root, rules_digest=RULES)
        for batch in batches:
            state.add(batch)
        changed = state.settle()
        engine = open_engine(threads=2)
        state.profile(changed, engine)
        engine.close()
    return state


@pytest.fixture(scope="session")
def facts() -> pa.RecordBatch:
    return make_facts(3_000)
