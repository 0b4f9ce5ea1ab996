"""When the accounts of a finding were active."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.findings.detection import Look
from stillwatch.detect.profiles.definition import HOUR_US
from stillwatch.domain.findings import TimelinePoint

if TYPE_CHECKING:
    from numpy.typing import NDArray


def span(seen: Look, members: NDArray[np.int64]) -> tuple[datetime, datetime]:
    """Return the first and the last moment of the hours in which a finding's accounts were active.

    Args:
        seen: The window.
        members: Positions of the finding's accounts.
    """
    table = seen.population.hours
    hours = np.asarray(table["hour"][np.isin(table["account"], members)]).astype(np.int64)
    first_us = int(hours.min()) * HOUR_US
    last_us = min(int(hours.max() + 1) * HOUR_US - 1, max(seen.population.last_us, first_us))
    return _at(first_us), _at(last_us)


def _at(time_us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)


def timeline(seen: Look, members: NDArray[np.int64]) -> tuple[TimelinePoint, ...]:
    """Count what a finding's accounts did on each day.

    Args:
        seen: The window.
        members: Positions of the finding's accounts.
    """
    table = seen.population.hours
    mine = np.isin(table["account"], members)
    day = table["hour"][mine].astype(np.int64) // 24
    out = []
    for one in np.unique(day):
        rows = day == one
        out.append(
            TimelinePoint(
                day=date(1970, 1, 1) + timedelta(days=int(one)),
                exchanges=int(table["requests"][mine][rows].sum()),
                accounts=len(np.unique(table["account"][mine][rows])),
                output_tokens=int(table["output_tokens"][mine][rows].sum()),
            )
        )
    return tuple(out)
