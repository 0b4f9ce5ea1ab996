"""What one invented cluster of the example report needs to be told; `stories.yml` tells them."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from stillwatch.domain.findings import (
    AuthorizationNote,
    Confidence,
    Evidence,
    EvidenceKind,
    Explanation,
    ExtractionEstimate,
    Label,
    Severity,
)
from stillwatch.domain.record import Record

STORIES: Final = Path(__file__).with_name("stories.yml")
COMPARED_WITH: Final = {
    EvidenceKind.LINK: "5,391 accounts outside this cluster",
    EvidenceKind.SIGNAL: "412 clusters of ordinary accounts",
}


class Story(Record):
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
    atlas: tuple[str, ...] = ("AML.T0024.002",)


def load_stories() -> tuple[Story, ...]:
    """Read the invented clusters, the gravest first."""
    told: list[dict[str, Any]] = yaml.safe_load(STORIES.read_text(encoding="utf-8"))
    for story in told:
        for evidence in story["evidence"]:
            evidence["compared_with"] = COMPARED_WITH[EvidenceKind(evidence["kind"])]
    return tuple(Story.model_validate(story) for story in told)
