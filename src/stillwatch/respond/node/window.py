"""The days that a node keeps. Older ones go to the archive, or for good."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from stillwatch.detect.profiles.state import State

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def leave_window(state: State, now: datetime, window_days: int, archive: str = "") -> list[int]:
    """Take days out of a state that are older than the window.

    The window ends today, or with the newest day that has requests if that is earlier: a wall clock that jumps ahead
    must not empty the state.

    Args:
        state: The state.
        now: The present.
        window_days: Days to keep.
        archive: Folder for the facts of days that leave; empty deletes them.

    Returns:
        The days that left, in days since 1970.
    """
    days = state.days()
    if not days:
        return []
    last = min((now - _EPOCH).days, days[-1])
    old = [day for day in days if day <= last - window_days]
    if old:
        state.forget(old, archive=Path(archive) if archive else None)
    return old
