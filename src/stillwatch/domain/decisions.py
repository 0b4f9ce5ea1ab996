"""What a provider decides, alone and reversibly, and what is asked of it for each call.

`Decision`, `Indicator` and `Appeal` are records: they are stored, audited and shown. What passes inline, once per
request, is in `stillwatch.domain.calls`.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from stillwatch.domain.actions import Action, IndicatorKind, IndicatorOrigin, Mode, Withheld
from stillwatch.domain.calls import Call, Outcome, Verdict, client_value
from stillwatch.domain.record import Record, Share, UtcTime
from stillwatch.domain.severity import Label

__all__ = [
    "Action",
    "Appeal",
    "AppealOutcome",
    "Call",
    "Decision",
    "Indicator",
    "IndicatorKind",
    "IndicatorOrigin",
    "Mode",
    "Outcome",
    "Status",
    "Throttle",
    "Verdict",
    "Withheld",
    "client_value",
    "is_person",
]

Text = Annotated[str, Field(min_length=1, max_length=2_000)]
"""Something a person wrote, or will read."""

Identifier = Annotated[str, Field(min_length=1, max_length=512)]
"""An id; opaque here."""

Author = Annotated[str, Field(pattern=r"^(person:.+|playbook:.+@.+)$", max_length=512)]
"""Who decided: `person:NAME`, or `playbook:NAME@VERSION+DIGEST`."""

PERSON: Final = "person:"
"""What the name of a person begins with, wherever an author is named."""


class Throttle(Record):
    """A token bucket.

    Attributes:
        requests_per_min: rate at which tokens come back.
        burst: tokens the bucket holds, and how many calls may come at once.
        pooled: one bucket for all accounts of the decision together, because a campaign is quiet on each of its
            accounts; else one bucket for each account.
    """

    requests_per_min: float = Field(gt=0.0, le=1_000_000.0)
    burst: int = Field(ge=1, le=1_000_000)
    pooled: bool = False


class Status(StrEnum):
    """Where a decision or an indicator stands at one instant."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    EXPIRED = "expired"
    UNDONE = "undone"


class Decision(Record):
    """What this provider alone does about some accounts: reasoned, dated, with an end and an undo.

    Attributes:
        decision_id: stable id.
        accounts: the accounts it is about.
        released: those of them that a person let go since; the decision no longer touches them.
        action: what happens to their calls.
        mode: `shadow` only records what would have happened.
        label: what the evidence calls the demand; resale alone is never blocked.
        throttle: the token bucket, for `throttle` only.
        withheld: what answers are given without, for `withhold` only.
        tags: what calls are marked with, for `tag` only.
        enforced_share: part of the calls acted on, chosen by chance, so that the trigger cannot be learned.
        reason: why, in a sentence a person can be shown.
        evidence: ids of the cases and findings it rests on.
        author: who decided.
        rationale: this provider's own independent reason; required before anything that hurts is live.
        decided_at: when it was taken.
        starts_at: when it begins to act: later than `decided_at` where a random delay was drawn.
        ends_at: when it ends by itself.
        undone_at: when it was undone, or None.
        undone_by: who undid it, or None.
        undone_why: why, or None.
        case_id: the case it belongs to, or None.
    """

    decision_id: Identifier
    accounts: tuple[Identifier, ...] = Field(min_length=1)
    released: tuple[Identifier, ...] = ()
    action: Action
    mode: Mode = Mode.SHADOW
    label: Label | None = None
    throttle: Throttle | None = None
    withheld: tuple[Withheld, ...] = ()
    tags: tuple[Identifier, ...] = ()
    enforced_share: Share = 1.0
    reason: Text
    evidence: tuple[Identifier, ...] = ()
    author: Author
    rationale: str = Field(default="", max_length=10_000)
    decided_at: UtcTime
    starts_at: UtcTime
    ends_at: UtcTime
    undone_at: UtcTime | None = None
    undone_by: Author | None = None
    undone_why: str | None = None
    case_id: Identifier | None = None

    @property
    def bound(self) -> tuple[str, ...]:
        """Return the accounts it still touches."""
        released = frozenset(self.released)
        return tuple(account for account in self.accounts if account not in released)

    def status(self, now: datetime) -> Status:
        """Say where it stands at `now`."""
        return _status(self.starts_at, self.ends_at, self.undone_at, now)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        """Refuse what must never be decided, whoever decides it."""
        _refuse_disorder(self.starts_at, self.ends_at)
        _refuse_wrong_parts(self.action, self.throttle, self.withheld)
        _refuse_by_label(self.action, self.label)
        _refuse_live_without_reason(self.mode, self.action, self.rationale)
        return self


class Indicator(Record):
    """A value by which calls are recognized inline, and what then happens.

    Attributes:
        indicator_id: stable id.
        kind: what `value` is.
        value: an account id; `JA4 USER-AGENT` for a client; a CIDR network; a pseudonym of a payment
            instrument or e-mail address; a template id as 16 hexadecimal digits.
        origin: received ones only observe until a person turns them on.
        valid_from: first instant it may be matched.
        valid_until: when it ends by itself.
        action: what happens to a call that matches.
        mode: `shadow` only records what would have happened.
        label: what the evidence calls the demand; resale alone is never blocked.
        throttle: the token bucket, for `throttle` only; each matching account has its own.
        withheld: what answers are given without, for `withhold` only.
        tags: what calls are marked with, for `tag` only.
        reason: why, in a sentence.
        author: who recorded it, or turned it on.
        rationale: this provider's own independent reason; required before anything that hurts is live.
        evidence: ids of what it rests on.
        undone_at: when it was withdrawn, or None.
        undone_by: who withdrew it, or None.
        undone_why: why, or None.
    """

    indicator_id: Identifier
    kind: IndicatorKind
    value: Identifier
    origin: IndicatorOrigin = IndicatorOrigin.OWN
    valid_from: UtcTime
    valid_until: UtcTime
    action: Action = Action.OBSERVE
    mode: Mode = Mode.SHADOW
    label: Label | None = None
    throttle: Throttle | None = None
    withheld: tuple[Withheld, ...] = ()
    tags: tuple[Identifier, ...] = ()
    reason: Text
    author: Author
    rationale: str = Field(default="", max_length=10_000)
    evidence: tuple[Identifier, ...] = ()
    undone_at: UtcTime | None = None
    undone_by: Author | None = None
    undone_why: str | None = None

    def status(self, now: datetime) -> Status:
        """Say where it stands at `now`."""
        return _status(self.valid_from, self.valid_until, self.undone_at, now)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        """Refuse what must never be matched, whoever sent it."""
        _refuse_disorder(self.valid_from, self.valid_until)
        _refuse_wrong_parts(self.action, self.throttle, self.withheld)
        _refuse_by_label(self.action, self.label)
        _refuse_live_without_reason(self.mode, self.action, self.rationale)
        return self


class AppealOutcome(StrEnum):
    """What a person made of an appeal."""

    OPEN = "open"
    KEPT = "kept"
    REINSTATED = "reinstated"


class Appeal(Record):
    """A customer's objection to a decision, answered by a person who did not take it.

    Attributes:
        appeal_id: stable id.
        decision_id: what is appealed against.
        account_id: who appeals.
        statement: what the customer says.
        opened_at: when it arrived.
        outcome: `open` until a person answers; `kept` leaves the decision as it is, `reinstated` releases the account.
        answer: what the customer is told, or None while open.
        answered_by: the person who answered, or None while open.
        answered_at: when, or None while open.
    """

    appeal_id: Identifier
    decision_id: Identifier
    account_id: Identifier
    statement: str = Field(min_length=1, max_length=10_000)
    opened_at: UtcTime
    outcome: AppealOutcome = AppealOutcome.OPEN
    answer: str | None = None
    answered_by: Author | None = None
    answered_at: UtcTime | None = None


def is_person(author: str) -> bool:
    """Say whether a person stands behind `author`, and not a playbook."""
    return author.startswith(PERSON)


def _status(start: datetime, end: datetime, undone: datetime | None, now: datetime) -> Status:
    if undone is not None and undone <= now:
        return Status.UNDONE
    if now >= end:
        return Status.EXPIRED
    return Status.ACTIVE if now >= start else Status.SCHEDULED


def _refuse_disorder(start: datetime, end: datetime) -> None:
    if end <= start:
        message = "it must end after it starts"
        raise ValueError(message)


def _refuse_wrong_parts(action: Action, throttle: Throttle | None, withheld: Iterable[Withheld]) -> None:
    """A bucket belongs to throttle and what is withheld to withhold, each of them without fail."""
    if (throttle is not None) != (action is Action.THROTTLE):
        message = "a token bucket belongs to throttle, and to nothing else"
        raise ValueError(message)
    if bool(tuple(withheld)) != (action is Action.WITHHOLD):
        message = "withhold says what is withheld, and nothing else does"
        raise ValueError(message)


def _refuse_live_without_reason(mode: Mode, action: Action, rationale: str) -> None:
    """Refuse what a customer would feel and this provider has not reasoned for itself."""
    if mode is Mode.LIVE and action.hurts and not rationale.strip():
        message = f"a live {action} needs an independent rationale"
        raise ValueError(message)


def _refuse_by_label(action: Action, label: Label | None) -> None:
    """Most people behind a reseller are ordinary developers, and authorized use is no offense."""
    if action is Action.BLOCK and label is Label.RESALE:
        message = "resale alone is never blocked"
        raise ValueError(message)
    if label is Label.AUTHORIZED and action is not Action.OBSERVE:
        message = "authorized use is only observed"
        raise ValueError(message)
