"""Days leave the window when they are old, and not when a clock is wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from stillwatch.detect.fingerprints.facts import FACTS
from stillwatch.detect.profiles.state import State
from stillwatch.respond.node.window import leave_window

LAST_DAY = 20_500
LAST = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=LAST_DAY, hours=5)


def _anything(kind: pa.DataType) -> object:
    """Return a value of a type."""
    if pa.types.is_list(kind):
        return []
    if pa.types.is_boolean(kind):
        return False
    return "x" if pa.types.is_string(kind) else 1


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state", rules_digest="test", durable=True)
    for day in range(LAST_DAY - 9, LAST_DAY + 1):
        own = {"day": day, "hour": day * 24, "time_us": day * 86_400_000_000, "request": day}
        row = {field.name: own.get(field.name, _anything(field.type)) for field in FACTS}
        made.add(pa.RecordBatch.from_pylist([row], schema=FACTS))
    made.settle()
    return made


def days(state: State) -> list[int]:
    return [day - LAST_DAY for day in state.days()]


def test_days_older_than_the_window_go(state: State) -> None:
    gone = leave_window(state, LAST, 4)
    assert days(state) == [-3, -2, -1, 0]
    assert len(gone) == 6
    assert len(list((state.root / "facts").iterdir())) == 4
    assert leave_window(state, LAST, 4) == []


def test_days_pass_without_requests_too(state: State) -> None:
    leave_window(state, LAST + timedelta(days=2), 4)
    assert days(state) == [-3, -2, -1, 0]


def test_a_clock_that_jumps_ahead_empties_nothing(state: State) -> None:
    leave_window(state, LAST + timedelta(days=4_000), 28)
    assert len(days(state)) == 10


def test_a_clock_that_jumps_back_keeps_what_is_newer(state: State) -> None:
    leave_window(state, LAST - timedelta(days=4_000), 4)
    assert len(days(state)) == 10


def test_days_that_leave_are_kept_in_the_archive(state: State, tmp_path: Path) -> None:
    files = len(state.facts())
    leave_window(state, LAST, 4, str(tmp_path / "archive"))
    archived = list((tmp_path / "archive").rglob("*.parquet"))
    assert len(archived) == files - 4


def test_an_empty_state_has_no_window(tmp_path: Path) -> None:
    assert leave_window(State(tmp_path / "state", rules_digest="test"), LAST, 4) == []
