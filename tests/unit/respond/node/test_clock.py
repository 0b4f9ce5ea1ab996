"""The node's clock follows the wall clock forward and never back."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from stillwatch.respond.node.clock import SteadyClock

START = datetime(2026, 3, 2, tzinfo=UTC)


class Clocks:
    def __init__(self) -> None:
        self.wall = START
        self.running_s = 50.0

    def both(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.running_s += seconds


def test_a_wall_clock_that_jumps_back_is_not_believed() -> None:
    clocks = Clocks()
    steady = SteadyClock(lambda: clocks.wall, lambda: clocks.running_s)
    clocks.both(60)
    clocks.wall -= timedelta(days=400)
    assert steady() == START + timedelta(seconds=60)


def test_a_wall_clock_that_was_wrong_and_is_set_right_is_followed() -> None:
    clocks = Clocks()
    steady = SteadyClock(lambda: clocks.wall, lambda: clocks.running_s)
    clocks.wall += timedelta(days=1)
    assert steady() == START + timedelta(days=1)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e8, 1e8)), max_size=20))
def test_time_never_lags_behind_what_has_passed(steps: list[tuple[float, float]]) -> None:
    clocks = Clocks()
    steady = SteadyClock(lambda: clocks.wall, lambda: clocks.running_s)
    for passed, jump in steps:
        clocks.both(passed)
        clocks.wall += timedelta(seconds=jump)
        assert steady() >= START + timedelta(seconds=clocks.running_s - 50.0)
        assert steady() >= clocks.wall
