"""What analysts send to the node about decisions, indicators and appeals."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from pydantic import ValidationError

from stillwatch.domain.actions import Action, IndicatorKind, IndicatorOrigin, Mode, Withheld
from stillwatch.domain.cases import CaseLabel
from stillwatch.domain.decisions import AppealOutcome, Decision, Indicator, Throttle
from stillwatch.domain.severity import Label
from stillwatch.errors import DecisionError
from stillwatch.respond.decisions.taking import AnyRecord, sentence


class Bucket(msgspec.Struct, forbid_unknown_fields=True):
    """A token bucket."""

    requests_per_min: float
    burst: int
    pooled: bool = False


class TakeBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A decision to take. Its author is the person whose token is used."""

    accounts: tuple[str, ...]
    action: Action
    reason: str
    ends_at: datetime
    starts_at: datetime | None = None
    mode: Mode = Mode.SHADOW
    label: Label | None = None
    throttle: Bucket | None = None
    withheld: tuple[Withheld, ...] = ()
    tags: tuple[str, ...] = ()
    enforced_share: float = 1.0
    evidence: tuple[str, ...] = ()
    rationale: str = ""
    case_id: str | None = None


class WhyBody(msgspec.Struct, forbid_unknown_fields=True):
    """A reason."""

    why: str


class ExtendBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new end, and a reason."""

    ends_at: datetime
    why: str


class ReleaseBody(msgspec.Struct, forbid_unknown_fields=True):
    """An account to let go, and a reason."""

    account_id: str
    why: str


class RationaleBody(msgspec.Struct, forbid_unknown_fields=True):
    """This provider's own reason."""

    rationale: str


class AppealBody(msgspec.Struct, forbid_unknown_fields=True):
    """A customer's objection."""

    decision_id: str
    account_id: str
    statement: str


class AnswerBody(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to an appeal."""

    outcome: AppealOutcome
    answer: str
    label: CaseLabel | None = None


class IndicatorBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An indicator to record."""

    kind: IndicatorKind
    value: str
    reason: str
    valid_until: datetime
    valid_from: datetime | None = None
    origin: IndicatorOrigin = IndicatorOrigin.OWN
    label: Label | None = None
    evidence: tuple[str, ...] = ()


class TurnOnBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an indicator is to do from now on."""

    action: Action
    rationale: str
    mode: Mode = Mode.SHADOW
    throttle: Bucket | None = None
    withheld: tuple[Withheld, ...] = ()
    tags: tuple[str, ...] = ()


def decision_from(body: TakeBody, decision_id: str, author: str, now: datetime) -> Decision:
    """Return the decision that a body asks for.

    Raises:
        DecisionError: it is not allowed.
    """
    fields = msgspec.structs.asdict(body)
    fields |= {"throttle": bucket_of(body.throttle), "starts_at": body.starts_at or now}
    return _valid(Decision, {**fields, "decision_id": decision_id, "author": author, "decided_at": now})


def indicator_from(body: IndicatorBody, indicator_id: str, author: str, now: datetime) -> Indicator:
    """Return the indicator that a body asks for; it observes until a person turns it on.

    Raises:
        DecisionError: it is not allowed.
    """
    fields = {**msgspec.structs.asdict(body), "valid_from": body.valid_from or now}
    return _valid(Indicator, {**fields, "indicator_id": indicator_id, "author": author})


def bucket_of(body: Bucket | None) -> Throttle | None:
    """Return the token bucket that a body asks for.

    Raises:
        DecisionError: it is not allowed.
    """
    return None if body is None else _valid(Throttle, msgspec.structs.asdict(body))


def _valid(kind: type[AnyRecord], fields: dict[str, Any]) -> AnyRecord:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise DecisionError(sentence(error)) from error
