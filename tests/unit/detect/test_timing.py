"""Stages of one thread add up to the time that passed; what a stage waits for is not its own."""

import threading
import time
from collections.abc import Iterator

import pytest

from stillwatch.detect import timing
from stillwatch.detect.timing import Stopwatch


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(timing, "time", made)
    return made


def slow_items(clock: Clock) -> Iterator[int]:
    for item in range(3):
        clock.now += 2.0
        yield item
    clock.now += 1.0


def test_what_is_read_inside_a_stage_is_counted_for_the_reading_alone(clock: Clock) -> None:
    watch = Stopwatch()
    with watch("fingerprint"):
        for _ in watch.each("read", slow_items(clock)):
            clock.now += 5.0
    assert watch.seconds == {"read": 7.0, "fingerprint": 15.0}
    assert watch.elapsed == 22.0


def test_stages_add_up_however_deep_they_lie(clock: Clock) -> None:
    watch = Stopwatch()
    with watch("outer"):
        clock.now += 1.0
        with watch("middle"):
            clock.now += 2.0
            with watch("inner"):
                clock.now += 4.0
            with watch("inner"):
                clock.now += 8.0
        clock.now += 16.0
    with watch("outer"):
        clock.now += 32.0
    assert watch.seconds == {"inner": 12.0, "middle": 2.0, "outer": 49.0}


def test_a_stage_that_fails_is_counted(clock: Clock) -> None:
    watch = Stopwatch()

    def fails() -> None:
        with watch("profile"):
            clock.now += 3.0
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fails()
    assert watch.seconds == {"profile": 3.0}


def test_another_thread_takes_nothing_from_the_stage_that_waits_for_it() -> None:
    watch = Stopwatch()
    with watch("fingerprint"):
        reader = threading.Thread(target=lambda: list(watch.each("read", _sleeping())))
        reader.start()
        reader.join()
    assert watch.seconds["read"] > 0
    assert watch.seconds["fingerprint"] >= watch.seconds["read"]


def _sleeping() -> Iterator[int]:
    time.sleep(0.01)
    yield 1
