"""What analysts send to the node about cases. `version` refuses the change if somebody else was faster."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from stillwatch.domain.cases import CaseLabel, FalsePositiveReason, Triage
from stillwatch.respond.cases.wording import MAX_NAME, MAX_NOTE, MAX_REASON

_SAYS_SOMETHING = r"^[ \t\n]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
Reason = Annotated[str, msgspec.Meta(max_length=MAX_REASON, pattern=_SAYS_SOMETHING)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_NOTE, pattern=_SAYS_SOMETHING)]
Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME, pattern=_SAYS_SOMETHING)]
Until = Annotated[datetime, msgspec.Meta(tz=True)]


class AssignBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A person, or nobody."""

    assignee: Name | None
    version: int | None = None


class StatusBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where the work stands; a case is closed with a reason instead."""

    status: Literal["open", "investigating", "awaiting_information"]
    version: int | None = None


class NoteBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A note."""

    text: Text
    version: int | None = None


class LabelBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A label for the case as it is now, or for some of its accounts."""

    label: CaseLabel
    reason: Reason
    accounts: tuple[str, ...] = ()
    version: int | None = None


class TrueBody(
    msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="verdict", tag="true_positive"
):
    """The finding was right."""

    version: int | None = None


class FalseBody(
    msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="verdict", tag="false_positive"
):
    """The finding was wrong, because it was something else."""

    because: FalsePositiveReason
    version: int | None = None


class NotTriagedBody(
    msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="verdict", tag="not_triaged"
):
    """An earlier answer is taken back."""

    version: int | None = None


TriageBody = TrueBody | FalseBody | NotTriagedBody
VERDICTS = {
    TrueBody: Triage.TRUE_POSITIVE,
    FalseBody: Triage.FALSE_POSITIVE,
    NotTriagedBody: Triage.NOT_TRIAGED,
}


class ReasonBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A reason."""

    reason: Reason
    version: int | None = None


class SnoozeBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """When the snooze ends by itself, and why."""

    until: Until
    reason: Reason
    version: int | None = None
