"""What a reader wants to know of a finding that no field holds as it is."""

from dataclasses import dataclass
from datetime import time
from typing import Final

from stillwatch.domain.findings import Explanation, Finding, Verdict

_FIRST_TO_READ: Final = (Verdict.POSSIBLE, Verdict.LESS_LIKELY, Verdict.RULED_OUT)


@dataclass(frozen=True)
class Leak:
    """What a campaign had got before it was first flagged: exchanges, and their share of all, 0 to 1."""

    exchanges: int
    share: float


def leaked(finding: Finding) -> Leak | None:
    """Return what was exchanged before the scan, or the replay step, that first flagged a finding.

    Returns:
        None when nothing was flagged, without a timeline, or when the step does not end with a day: the timeline cannot
        tell hours apart.
    """
    when = finding.detected_at
    total = sum(point.exchanges for point in finding.timeline)
    if when is None or when.time() != time() or total == 0:
        return None
    before = sum(point.exchanges for point in finding.timeline if point.day < when.date())
    return Leak(before, before / total)


def innocent_in_order(finding: Finding) -> list[Explanation]:
    """Return the innocent explanations, those first that still stand."""
    return sorted(finding.innocent, key=lambda explanation: _FIRST_TO_READ.index(explanation.verdict))
