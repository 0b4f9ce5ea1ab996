"""What one invented cluster of the example report needs to be told.

Nothing here was observed. Sizes per account follow the published campaigns (about 25 exchanges per account and
day); every name, id and text is made up.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from stillwatch.domain.findings import (
    AuthorizationNote,
    Confidence,
    Evidence,
    EvidenceKind,
    Explanation,
    ExtractionEstimate,
    Label,
    Severity,
    Verdict,
)

LINKS_COMPARED: Final = "5,391 accounts outside this cluster"
CLUSTERS_COMPARED: Final = "412 clusters of ordinary accounts"


@dataclass(frozen=True)
class Story:
    """One invented cluster, before days and graphs are drawn for it."""

    campaign_id: str
    label: Label
    title: str
    severity: Severity
    confidence: Confidence
    p_value: float
    q_value: float
    accounts: int
    exchanges: int
    first: date
    days: int
    tokens_in: int
    tokens_out: int
    models: dict[str, float]
    surfaces: dict[str, float]
    evidence: tuple[Evidence, ...]
    innocent: tuple[Explanation, ...]
    reasons: tuple[str, ...]
    exemplars: tuple[str, ...]
    extraction: ExtractionEstimate | None = None
    controls: tuple[str, ...] = ()
    authorization: AuthorizationNote | None = None
    action: str = "observe"
    link_kinds: tuple[tuple[str, ...], ...] = (("template_family",),)
    detected_on_day: int | None = None
    pivots: bool = False
    atlas: tuple[str, ...] = field(default=("AML.T0024.002",))


def link(name: str, nats: float, sentence: str) -> Evidence:
    """Return evidence that ties the invented accounts together."""
    return Evidence(
        name=name, kind=EvidenceKind.LINK, nats=nats, sentence=sentence, compared_with=LINKS_COMPARED
    )


def signal(name: str, nats: float, p_value: float, sentence: str) -> Evidence:
    """Return evidence from the invented demand."""
    return Evidence(
        name=name,
        kind=EvidenceKind.SIGNAL,
        nats=nats,
        p_value=p_value,
        sentence=sentence,
        compared_with=CLUSTERS_COMPARED,
    )


def innocent(name: str, verdict: Verdict, sentence: str) -> Explanation:
    """Return one innocent explanation that was considered."""
    return Explanation(name=name, verdict=verdict, sentence=sentence)
