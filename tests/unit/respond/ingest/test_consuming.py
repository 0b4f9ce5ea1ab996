"""What went through the spool gives the same profiles as the same requests read from files at once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from tests.unit.respond.ingest.test_segment import ids_in

from stillwatch.detect.fingerprints.elicitation import ElicitationMatcher, load_rules
from stillwatch.detect.fingerprints.stage import fingerprinted
from stillwatch.detect.profiles.definition import TABLES
from stillwatch.detect.profiles.engine import open_engine
from stillwatch.detect.profiles.state import State
from stillwatch.domain.requests import REQUESTS
from stillwatch.respond.ingest.consuming import consume
from stillwatch.respond.ingest.segment import encoded
from stillwatch.respond.ingest.spool import Spool

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 3


@pytest.fixture(scope="session")
def matcher() -> ElicitationMatcher:
    return ElicitationMatcher.from_rules(load_rules(None))


def requests(count: int, seed: int) -> list[dict[str, Any]]:
    """Make up requests of some accounts over three days, in the order of their times."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.uniform(0, DAYS * 86_400, count))
    return [
        {
            "request_id": f"req-{seed}-{place}",
            "time": START + timedelta(seconds=float(second)),
            "account_id": f"acct-{rng.integers(12)}",
            "client_address": f"192.0.2.{rng.integers(1, 200)}",
            "tls_ja4": "t13d1516h2",
            "user_agent": f"sdk/{rng.integers(3)}",
            "model": "model-a",
            "surface": "api",
            "prompt": f"Solve problem {rng.integers(40)} step by step and explain number {rng.integers(9)}",
            "system_instructions": "You are terse.",
            "input_tokens": int(rng.integers(1, 900)),
            "output_tokens": int(rng.integers(1, 900)),
            "status": 200,
        }
        for place, second in enumerate(seconds)
    ]


def batch_of(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=REQUESTS)


def profiled(state: State) -> None:
    engine = open_engine("duckdb://", threads=1, memory_limit="512MB")
    try:
        state.profile([], engine)
    finally:
        engine.close()


def tables_of(state: State) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every profile table, in one order."""
    found = {}
    for name in TABLES:
        rows = duckdb.execute(f"select * from read_parquet({state.tables(name)!r})").fetchall()
        found[name] = sorted(rows, key=repr)
    return found


def scanned(folder: Path, rows: Sequence[dict[str, Any]], matcher: ElicitationMatcher) -> State:
    """Do what a scan of files does: every request once, in order."""
    state = State(folder, rules_digest="test")
    for facts, names in fingerprinted([batch_of(rows)], matcher, threads=1):
        state.add(facts)
        state.add_names(names)
    state.settle()
    profiled(state)
    return state


@settings(max_examples=12)
@given(seed=st.integers(0, 1_000), rounds=st.integers(1, 4), data=st.data())
def test_duplicates_and_late_requests_give_the_profiles_of_a_clean_scan(
    seed: int,
    rounds: int,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
    matcher: ElicitationMatcher,
) -> None:
    folder = tmp_path_factory.mktemp("late")
    rows = requests(200, seed)
    rng = np.random.default_rng(data.draw(st.integers(0, 1_000)))
    lateness = rng.uniform(0, 86_400, len(rows)) * (rng.random(len(rows)) < 0.3)
    order = np.argsort([row["time"].timestamp() + late for row, late in zip(rows, lateness, strict=True)])
    delivered = [rows[place] for place in order]
    again = rng.integers(0, len(delivered), 60)
    for place in sorted(again.tolist(), reverse=True):  # each copy comes some time after its original
        delivered.insert(min(len(delivered), place + int(rng.integers(1, 80))), delivered[place])
    live = State(folder / "live", rules_digest="test", durable=True, near_days=1)
    spool = Spool(folder / "spool")
    for part in np.array_split(np.arange(len(delivered)), rounds * 3):
        spool.append([encoded(batch_of([delivered[place] for place in part.tolist()]))])
        if rng.random() < 0.5:
            spool.rotate()
            consume(spool.folder, live, matcher, threads=1)
            profiled(live)
    spool.rotate()
    consume(spool.folder, live, matcher, threads=1)
    profiled(live)
    assert tables_of(live) == tables_of(scanned(folder / "scan", rows, matcher))


def test_a_segment_that_is_read_twice_counts_once(tmp_path: Path, matcher: ElicitationMatcher) -> None:
    """As after a kill between the settling of the state and the deletion of the segment."""
    rows = requests(50, 1)
    state = State(tmp_path / "live", rules_digest="test", durable=True, near_days=1)
    for _ in range(2):
        spool = Spool(tmp_path / "spool")
        spool.append([encoded(batch_of(rows))])
        spool.close()
        consume(spool.folder, state, matcher, threads=1)
    profiled(state)
    assert tables_of(state) == tables_of(scanned(tmp_path / "scan", rows, matcher))
    assert state.duplicates == 50


def test_read_segments_are_gone_and_prompts_with_them(tmp_path: Path, matcher: ElicitationMatcher) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append([encoded(batch_of(requests(5, 1)))])
    spool.rotate()
    state = State(tmp_path / "state", rules_digest="test", durable=True)
    done = consume(spool.folder, state, matcher, threads=1)
    assert (done.segments, done.rows, done.damaged) == (1, 5, 0)
    assert list(spool.folder.iterdir()) == []
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert b"step by step" not in kept


def test_a_segment_that_the_disk_damaged_is_read_as_far_as_it_goes_and_kept(
    tmp_path: Path, matcher: ElicitationMatcher
) -> None:
    spool = Spool(tmp_path / "spool")
    for seed in range(3):
        spool.append([encoded(batch_of(requests(5, seed)))])
    [path] = spool.rotate()
    damaged = bytearray(path.read_bytes())
    damaged[-10] ^= 0xFF
    path.write_bytes(bytes(damaged))
    state = State(tmp_path / "state", rules_digest="test", durable=True)
    done = consume(spool.folder, state, matcher, threads=1)
    assert (done.rows, done.damaged) == (10, 1)
    assert [found.suffix for found in spool.folder.iterdir()] == [".bad"]
    assert consume(spool.folder, state, matcher, threads=1).segments == 0


class Poisoned:
    """Rules that kill the process over one text."""

    def __init__(self, inner: ElicitationMatcher) -> None:
        self._inner = inner

    def match(self, prompt: pa.Array, *more: pa.Array | None) -> Any:
        if "poison" in prompt.to_pylist():
            raise SystemExit(139)
        return self._inner.match(prompt, *more)


def test_a_segment_that_kills_detection_is_set_aside_and_the_others_are_read(
    tmp_path: Path, matcher: ElicitationMatcher
) -> None:
    rows = requests(30, 1)
    rows[10]["prompt"] = "poison"
    spool = Spool(tmp_path / "spool")
    for start in range(0, 30, 10):
        spool.append([encoded(batch_of(rows[start : start + 10]))])
        spool.rotate()
    read = crashes = set_aside = 0
    while list(spool.folder.glob("*.seg")):
        state = State(tmp_path / "state", rules_digest="test", durable=True, near_days=1)
        try:
            done = consume(spool.folder, state, Poisoned(matcher), threads=1, crashes=crashes)
        except SystemExit:
            crashes += 1
            continue
        read += done.rows
        set_aside += done.damaged
        crashes = 0 if done.segments == 0 else crashes
    assert (read, set_aside) == (20, 1)
    [kept] = spool.folder.glob("*.bad")
    assert ids_in(kept) == [row["request_id"] for row in rows[10:20]]


def test_a_death_in_another_place_sets_nothing_aside(tmp_path: Path, matcher: ElicitationMatcher) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append([encoded(batch_of(requests(5, 1)))])
    spool.rotate()
    state = State(tmp_path / "state", rules_digest="test", durable=True, near_days=1)
    done = consume(spool.folder, state, matcher, threads=1, crashes=9)
    assert (done.rows, done.damaged) == (5, 0)
