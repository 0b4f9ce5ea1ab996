"""How often each signal and link was wrong, over the findings that people reviewed. The others count for nothing."""

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection

from stillwatch.domain.cases import Case, Triage
from stillwatch.domain.evidence import Interval
from stillwatch.domain.severity import EvidenceKind
from stillwatch.respond.cases import rows

_Z: Final = 1.959963985
"""Normal quantile of a 95 % interval."""


@dataclass(frozen=True)
class Reviewed:
    """What reviews said about the findings in which one signal or link spoke.

    Args:
        kind: Link or signal.
        name: Which one, as in the catalogue.
        reviewed: Cases that a person called true or false.
        false_positives: Those called false.
    """

    kind: EvidenceKind
    name: str
    reviewed: int
    false_positives: int

    @property
    def interval(self) -> Interval:
        """Return the share of false positives with its Wilson interval (Wilson 1927, eq. 5)."""
        return wilson(self.false_positives, self.reviewed)


@dataclass(frozen=True)
class Statistics:
    """The reviews of a store.

    Args:
        true_positives: Cases called true.
        false_positives: Cases called false.
        not_triaged: Cases that nobody reviewed.
        reasons: What false positives turned out to be, by reason.
        evidence: Each signal and link that spoke in a reviewed finding, the least reliable first.
    """

    true_positives: int
    false_positives: int
    not_triaged: int
    reasons: dict[str, int]
    evidence: tuple[Reviewed, ...]

    @property
    def interval(self) -> Interval | None:
        """Return the share of false positives among the reviewed, or None without any."""
        reviewed = self.true_positives + self.false_positives
        return wilson(self.false_positives, reviewed) if reviewed else None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "true_positives": self.true_positives,
            "false_positives": self.false_positives,
            "not_triaged": self.not_triaged,
            "false_positive_ratio": self.interval.model_dump() if self.interval else None,
            "reasons": self.reasons,
            "evidence": [
                {**asdict(row), "false_positive_ratio": row.interval.model_dump()} for row in self.evidence
            ],
        }


def statistics_of(connection: Connection) -> Statistics:
    """Count the reviews, by signal and link. Evidence counts where it spoke for the finding (positive nats)."""
    known = rows.everything(connection)
    reviewed = [case for case in known if case.triage is not Triage.NOT_TRIAGED]
    false = [case for case in reviewed if case.triage is Triage.FALSE_POSITIVE]
    seen: Counter[tuple[EvidenceKind, str]] = Counter()
    wrong: Counter[tuple[EvidenceKind, str]] = Counter()
    for case in reviewed:
        spoke = _spoke(connection, case)
        seen.update(spoke)
        wrong.update(spoke if case.triage is Triage.FALSE_POSITIVE else ())
    evidence = [Reviewed(kind, name, seen[kind, name], wrong[kind, name]) for kind, name in seen]
    evidence.sort(key=lambda row: (-row.false_positives / row.reviewed, -row.reviewed, row.kind, row.name))
    return Statistics(
        true_positives=len(reviewed) - len(false),
        false_positives=len(false),
        not_triaged=len(known) - len(reviewed),
        reasons=dict(Counter(str(case.false_positive_reason) for case in false)),
        evidence=tuple(evidence),
    )


def wilson(hits: int, of: int) -> Interval:
    """Return a share with its 95 % score interval; `of` is at least 1."""
    share, shrink = hits / of, 1 + _Z**2 / of
    middle = (share + _Z**2 / (2 * of)) / shrink
    half = _Z / shrink * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(share=share, low=min(low, share), high=max(high, share))


def _spoke(connection: Connection, case: Case) -> set[tuple[EvidenceKind, str]]:
    """Return the evidence for the finding that the reviewer saw."""
    finding = rows.finding_in(connection, case, case.triaged_on)
    return {(item.kind, item.name) for item in finding.evidence if item.nats > 0}
