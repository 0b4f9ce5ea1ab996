"""A campaign under an analyst's hands: its state, its labels, and what was decided about it."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field

from stillwatch.domain.findings import Finding
from stillwatch.domain.record import Count, Record, Share, UtcTime
from stillwatch.domain.severity import Confidence, Label, Severity


class CaseStatus(StrEnum):
    """Where the work on a case stands."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    AWAITING_INFORMATION = "awaiting_information"
    CLOSED = "closed"

    @property
    def phrase(self) -> str:
        """Return the words people read."""
        return self.value.replace("_", " ")


class CaseLabel(StrEnum):
    """What a person says that a case, or some of its accounts, really is.

    Unlike the label of a finding, which names the shape of demand, these are truth as far as people know it: detection
    calibrates on them and models are trained on them.
    """

    TRUE_CAMPAIGN = "true_campaign"
    RESALE = "resale"
    BENIGN = "benign"
    AUTHORIZED = "authorized"

    @property
    def phrase(self) -> str:
        """Return the words people read."""
        return self.value.replace("_", " ")

    def contradicts(self, other: "CaseLabel") -> bool:
        """Say whether one case cannot carry both."""
        return frozenset({self, other}) in _CONTRADICTIONS


_CONTRADICTIONS = frozenset(
    {
        frozenset({CaseLabel.BENIGN, CaseLabel.TRUE_CAMPAIGN}),
        frozenset({CaseLabel.BENIGN, CaseLabel.RESALE}),
        frozenset({CaseLabel.AUTHORIZED, CaseLabel.TRUE_CAMPAIGN}),
    }
)
"""A relay can be resold access and carry a campaign; contracted resale can be authorized."""


class Triage(StrEnum):
    """Whether the finding was right. Nobody's answer is an answer of its own and never counts as wrong."""

    NOT_TRIAGED = "not_triaged"
    TRUE_POSITIVE = "true_positive"
    FALSE_POSITIVE = "false_positive"

    @property
    def phrase(self) -> str:
        """Return the words people read."""
        return self.value.replace("_", " ")


class FalsePositiveReason(StrEnum):
    """What an innocent cluster turned out to be. The list is fixed, so that reasons can be counted."""

    AGENT_FLEET = "agent_fleet"
    EVALUATION = "evaluation"
    BATCH_PIPELINE = "batch_pipeline"
    SHARED_TOOL = "shared_tool"
    SHARED_NETWORK = "shared_network"
    CLASSROOM = "classroom"
    RELAY_USERS = "relay_users"
    UNRECORDED_PERMISSION = "unrecorded_permission"
    DATA_ERROR = "data_error"
    OTHER = "other"

    @property
    def phrase(self) -> str:
        """Return the words people read."""
        return _REASONS[self]


_REASONS = {
    FalsePositiveReason.AGENT_FLEET: "one customer's coding or research agents",
    FalsePositiveReason.EVALUATION: "a benchmark or an evaluation",
    FalsePositiveReason.BATCH_PIPELINE: "an enrichment or translation pipeline",
    FalsePositiveReason.SHARED_TOOL: "strangers who use the same public tool or prompts",
    FalsePositiveReason.SHARED_NETWORK: "strangers behind one office, university or VPN",
    FalsePositiveReason.CLASSROOM: "a course or a competition",
    FalsePositiveReason.RELAY_USERS: "ordinary people behind a relay",
    FalsePositiveReason.UNRECORDED_PERMISSION: "permitted use that nobody had recorded",
    FalsePositiveReason.DATA_ERROR: "wrong or incomplete logs",
    FalsePositiveReason.OTHER: "something else, as the note says",
}


class Figures(Record):
    """What a finding said, without its accounts and its evidence.

    Attributes:
        finding_id: the finding.
        label: what its demand was called.
        severity: how bad.
        confidence: how sure.
        q_value: after false-discovery control, 0 to 1.
        first_seen: first exchange.
        last_seen: last exchange.
        exchanges: requests in the scanned span.
        accounts: how many accounts.
        accounts_digest: SHA-256 of the sorted account ids, hexadecimal.
    """

    finding_id: str
    label: Label
    severity: Severity
    confidence: Confidence
    q_value: Share
    first_seen: UtcTime
    last_seen: UtcTime
    exchanges: Count
    accounts: Count
    accounts_digest: str

    @classmethod
    def of(cls, finding: Finding, accounts_digest: str) -> Self:
        """Return the figures of a finding."""
        return cls(
            finding_id=finding.finding_id,
            label=finding.label,
            severity=finding.severity,
            confidence=finding.confidence,
            q_value=finding.q_value,
            first_seen=finding.first_seen,
            last_seen=finding.last_seen,
            exchanges=finding.exchanges,
            accounts=len(set(finding.accounts)),
            accounts_digest=accounts_digest,
        )


class Snapshot(Record):
    """Which finding, as it was at a time, is kept word for word.

    Attributes:
        digest: SHA-256 of the finding's canonical JSON, hexadecimal.
        taken_at: when.
        figures: what it said.
    """

    digest: str
    taken_at: UtcTime
    figures: Figures


class LabelMark(Record):
    """One label in force on a case.

    Attributes:
        label_id: number of the label in this node, for withdrawing it.
        label: what is said.
        whole: True for the whole case as it was then, False for some of its accounts.
        accounts: how many accounts it names: those of the case when it was given, not those that joined later.
        author: who said it.
        reason: why.
        since: when.
    """

    label_id: int
    label: CaseLabel
    whole: bool
    accounts: Count
    author: str
    reason: str
    since: UtcTime


class Snooze(Record):
    """A case is left alone for a while: who answers for that, why, and until when."""

    owner: str
    reason: str
    since: UtcTime
    until: UtcTime


class Closing(Record):
    """How a case was closed, and on what evidence."""

    author: str
    reason: str
    at: UtcTime
    figures: Figures


class Case(Record):
    """One campaign, as one lab works on it.

    Attributes:
        case_id: `case-N`.
        campaign_id: the campaign; one campaign is one case, through all its findings.
        version: counts changes, so that nobody overwrites what they have not seen.
        status: where the work stands.
        assignee: who works on it, or None.
        triage: whether the finding was right.
        false_positive_reason: what it turned out to be, for false positives only.
        triaged_at: when that was said, or None.
        triaged_on: the snapshot of which it was said, or None.
        labels: labels in force.
        snooze: None unless somebody set it aside; it may have expired.
        closing: how it was closed, for closed cases only.
        figures: what the newest finding says.
        snapshot: the newest finding that is kept word for word.
        notes: how many notes there are.
        decisions: ids of linked decisions, in order.
        opened_at: when it was opened first.
        updated_at: when it was changed last.
    """

    case_id: str = Field(pattern=r"^case-[1-9]\d*$")
    campaign_id: str
    version: int = Field(ge=1)
    status: CaseStatus = CaseStatus.OPEN
    assignee: str | None = None
    triage: Triage = Triage.NOT_TRIAGED
    false_positive_reason: FalsePositiveReason | None = None
    triaged_at: UtcTime | None = None
    triaged_on: str | None = None
    labels: tuple[LabelMark, ...] = ()
    snooze: Snooze | None = None
    closing: Closing | None = None
    figures: Figures
    snapshot: Snapshot
    notes: Count = 0
    decisions: tuple[str, ...] = ()
    opened_at: UtcTime
    updated_at: UtcTime

    @property
    def is_closed(self) -> bool:
        """Say whether the work is done."""
        return self.status is CaseStatus.CLOSED

    def is_snoozed(self, now: datetime) -> bool:
        """Say whether the case is set aside at `now`."""
        return self.snooze is not None and now < self.snooze.until


class Note(Record):
    """What a person wrote on a case.

    Attributes:
        number: 1 for the first note of a case.
        author: who wrote it.
        written_at: when.
        text: the note; None once it was erased.
        digest: SHA-256 of the text, which the audit trail holds too.
    """

    number: int
    author: str
    written_at: UtcTime
    text: str | None
    digest: str


class KnownLabel(Record):
    """A label with the accounts it names, for calibration and training.

    Attributes:
        label_id: number of the label in this node.
        label: what is said.
        whole: True for a whole case as it was then, False for some accounts.
        accounts: the accounts it names.
        case_id: the case, or None for a label that an appeal left without one.
        campaign_id: the campaign, or None.
        author: who said it.
        reason: why.
        since: when.
        until: when it was withdrawn, or None while it is in force.
    """

    label_id: int
    label: CaseLabel
    whole: bool
    accounts: tuple[str, ...]
    case_id: str | None
    campaign_id: str | None
    author: str
    reason: str
    since: UtcTime
    until: UtcTime | None = None
