"""Requests as several senders deliver them: again when there was no answer, twice, late, and in any order."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from stillwatch.detect.fingerprints.elicitation import load_rules
from stillwatch.detect.intake import rules_digest
from stillwatch.detect.profiles.definition import TABLES
from stillwatch.detect.profiles.state import State


def requests(count: int, *, seed: int = 1, days: int = 2) -> list[dict[str, Any]]:
    """Make up requests of the last days, in the order of their times."""
    rng = random.Random(seed)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
    seconds = sorted(rng.uniform(0, days * 86_400) for _ in range(count))
    return [
        {
            "request_id": f"req-{seed}-{place}",
            "time": (start + timedelta(seconds=second)).isoformat(),
            "account_id": f"acct-{rng.randrange(20)}",
            "client_address": f"192.0.2.{rng.randrange(1, 200)}",
            "tls_ja4": "t13d1516h2",
            "user_agent": f"sdk/{rng.randrange(3)}",
            "model": "model-a",
            "surface": "api",
            "prompt": f"Solve problem {rng.randrange(50)} step by step, variant {rng.randrange(9)}",
            "system_instructions": "You are terse.",
            "input_tokens": rng.randrange(1, 900),
            "output_tokens": rng.randrange(1, 900),
            "status": 200,
        }
        for place, second in enumerate(seconds)
    ]


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def state_in(folder: Path) -> State:
    """Open a state with the shipped rules."""
    return State(folder, rules_digest=rules_digest(load_rules(None)))


def tables_of(folder: Path) -> dict[str, Counter[str]]:
    """Return the rows of every profile table of a state."""
    state = state_in(folder)
    return {
        name: Counter(map(repr, _rows(f"select * from read_parquet({state.tables(name)!r})")))
        for name in TABLES
    }


def requests_in(folder: Path) -> int:
    """Count the requests in a state's profiles."""
    files = state_in(folder).tables("activity")
    [(total,)] = _rows(f"select sum(requests)::bigint from read_parquet({files!r})")
    return int(total)


def _rows(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()
