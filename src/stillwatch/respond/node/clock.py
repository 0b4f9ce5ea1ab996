"""A clock that a wrong wall clock cannot turn back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def wall_clock() -> datetime:
    """Return the time that the system claims."""
    return datetime.now(UTC)


class SteadyClock:
    """Follows the wall clock forward and ignores it when it jumps back.

    Requests are refused when they lie in the future. A wall clock that is set back would make every request lie
    there, so the time since the start of the process is believed instead.

    Args:
        wall: The wall clock.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self, wall: Callable[[], datetime] = wall_clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._start, self._start_s = wall(), monotonic()

    def __call__(self) -> datetime:
        """Return the later of the wall clock and the start plus the time since."""
        return max(self._wall(), self._start + timedelta(seconds=self._monotonic() - self._start_s))
