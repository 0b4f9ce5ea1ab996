"""What a scan reports: findings, and everything needed to judge them.

`ScanReport` is what `findings.json` holds; its JSON Schema is published in the docs.
Nothing here computes: detection fills the records, reports only read them.
"""

from typing import Self

from pydantic import Field, model_validator

from stillwatch.domain.evidence import (
    AuthorizationNote,
    Evidence,
    Exemplar,
    Explanation,
    ExtractionEstimate,
    GraphEdge,
    GraphNode,
    GraphSample,
    Interval,
    TimelinePoint,
)
from stillwatch.domain.record import Count, Record, Share, UtcTime
from stillwatch.domain.severity import (
    AuthorizationStatus,
    Confidence,
    EvidenceKind,
    Label,
    Severity,
    Verdict,
)
from stillwatch.domain.summaries import (
    CalibrationSummary,
    InputSummary,
    PrevalencePoint,
    ReplayStep,
    ServiceLoad,
)

__all__ = [
    "SCHEMA_VERSION",
    "AuthorizationNote",
    "AuthorizationStatus",
    "CalibrationSummary",
    "Confidence",
    "Evidence",
    "EvidenceKind",
    "Exemplar",
    "Explanation",
    "ExtractionEstimate",
    "Finding",
    "GraphEdge",
    "GraphNode",
    "GraphSample",
    "InputSummary",
    "Interval",
    "Label",
    "PrevalencePoint",
    "ReplayStep",
    "ScanReport",
    "ServiceLoad",
    "Severity",
    "TimelinePoint",
    "Verdict",
]

SCHEMA_VERSION = "1.0"
"""Version of the findings format: a new minor adds optional fields only."""


class Finding(Record):
    """One cluster whose evidence passed the false-discovery control.

    Attributes:
        finding_id: stable id of this finding.
        campaign_id: stable id of the campaign it belongs to, over scans.
        label: what the demand is called; distillation and resale are kept apart.
        title: one line, without severity.
        severity: from scale, coordination and controls defeated; low when authorized.
        severity_reasons: plain sentences that say why this severity.
        confidence: from the evidence alone.
        p_value: conformal p-value of the cluster, 0 to 1.
        q_value: p-value after false-discovery control, 0 to 1.
        accounts: ids of every account in the cluster.
        exchanges: requests of the cluster in the scanned span.
        input_tokens: tokens read, over those exchanges.
        output_tokens: tokens written, over those exchanges.
        first_seen: first exchange.
        last_seen: last exchange.
        detected_at: end of the first scan or replay step that flagged it at medium or above, or
            None when none did.
        extraction: share of the exchanges that is extraction, or None if not estimated.
        evidence: every link and signal that counted.
        innocent: innocent explanations considered.
        exemplars: redacted template families.
        timeline: one point per UTC day, in order.
        graph: capped sample of the account graph.
        models: exchanges by model.
        surfaces: exchanges by surface (api, app, bedrock, vertex, batch).
        controls_defeated: plain sentences, one per control that was got around.
        atlas: MITRE ATLAS technique ids.
        authorization: the permission that touches these accounts, if there is one.
        action: what to do next, as a suggestion ("observe", "verify", …).
    """

    finding_id: str = Field(min_length=1)
    campaign_id: str = Field(min_length=1)
    label: Label
    title: str = Field(min_length=1)
    severity: Severity
    severity_reasons: tuple[str, ...] = ()
    confidence: Confidence
    p_value: Share
    q_value: Share
    accounts: tuple[str, ...] = Field(min_length=1)
    exchanges: Count
    input_tokens: Count
    output_tokens: Count
    first_seen: UtcTime
    last_seen: UtcTime
    detected_at: UtcTime | None = None
    extraction: ExtractionEstimate | None = None
    evidence: tuple[Evidence, ...] = ()
    innocent: tuple[Explanation, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    timeline: tuple[TimelinePoint, ...] = ()
    graph: GraphSample = GraphSample()
    models: dict[str, Count] = Field(default_factory=dict)
    surfaces: dict[str, Count] = Field(default_factory=dict)
    controls_defeated: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()
    authorization: AuthorizationNote | None = None
    action: str = "observe"

    @property
    def evidence_nats(self) -> float:
        """Return the sum of all evidence, nats."""
        return sum(item.nats for item in self.evidence)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse a finding that ends before it begins."""
        if self.last_seen < self.first_seen:
            message = "last_seen must not be before first_seen"
            raise ValueError(message)
        return self


class ScanReport(Record):
    """Everything one scan says.

    Attributes:
        schema_version: version of this format, "1.x".
        tool_version: stillwatch's version.
        generated_at: when the report was made.
        scanned: what was read.
        baseline: what was read of the baseline period, or None without one, or when it was
            read by an earlier scan.
        calibration: what evidence was compared with.
        findings: most severe first.
        authorized: clusters that a recorded permission covers; never findings.
        prevalence: share of traffic that findings explain, by week and model.
        service_load: the load findings put on the service.
        replay: steps of a replay; empty without one.
    """

    schema_version: str = Field(default=SCHEMA_VERSION, pattern=r"^1\.\d+$")
    tool_version: str
    generated_at: UtcTime
    scanned: InputSummary
    baseline: InputSummary | None = None
    calibration: CalibrationSummary
    findings: tuple[Finding, ...] = ()
    authorized: tuple[Finding, ...] = ()
    prevalence: tuple[PrevalencePoint, ...] = ()
    service_load: ServiceLoad = ServiceLoad()
    replay: tuple[ReplayStep, ...] = ()

    @property
    def worst(self) -> Severity | None:
        """Return the highest severity among the findings, or None without findings."""
        return max((f.severity for f in self.findings), key=lambda s: s.rank, default=None)
