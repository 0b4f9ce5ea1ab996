"""What analysts send to the node about cases. `version` refuses the change if somebody else was faster."""

from __future__ import annotations

from datetime import datetime

import msgspec

from stillwatch.domain.cases import CaseLabel, CaseStatus, FalsePositiveReason, Triage


class AssignBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A person, or nobody."""

    assignee: str | None
    version: int | None = None


class StatusBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where the work stands; a case is closed with a reason instead."""

    status: CaseStatus
    version: int | None = None


class NoteBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A note."""

    text: str
    version: int | None = None


class LabelBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A label for the case as it is now, or for some of its accounts."""

    label: CaseLabel
    reason: str
    accounts: tuple[str, ...] = ()
    version: int | None = None


class TriageBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whether the finding was right, and what a false positive turned out to be."""

    verdict: Triage
    because: FalsePositiveReason | None = None
    version: int | None = None


class ReasonBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A reason."""

    reason: str
    version: int | None = None


class SnoozeBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """When the snooze ends by itself, and why."""

    until: datetime
    reason: str
    version: int | None = None
