"""Each change that the interface offers, as a function of what was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from stillwatch.domain.cases import Case, CaseStatus
from stillwatch.domain.decisions import PERSON
from stillwatch.domain.record import Record
from stillwatch.respond.audit import Write
from stillwatch.respond.cases import changes, labels
from stillwatch.respond.cases.bodies import (
    VERDICTS,
    AssignBody,
    FalseBody,
    LabelBody,
    NoteBody,
    ReasonBody,
    SnoozeBody,
    StatusBody,
    TriageBody,
)


@dataclass(frozen=True)
class Asked:
    """What one request asks for: ids in its path, and its body."""

    path: dict[str, Any]
    body: Any

    @property
    def case_id(self) -> str:
        """Return the case that is meant."""
        return str(self.path["case_id"])


@dataclass(frozen=True)
class Act:
    """One change: where it is asked for, what the body is, what it does, and how it is described."""

    path: str
    body: Any
    change: Callable[[Write, Asked], Record]
    summary: str


def _assign(write: Write, asked: Asked) -> Case:
    body: AssignBody = asked.body
    who = None if body.assignee is None else f"{PERSON}{body.assignee.removeprefix(PERSON)}"
    return changes.assign(write, asked.case_id, who, version=body.version)


def _move(write: Write, asked: Asked) -> Case:
    body: StatusBody = asked.body
    return changes.move(write, asked.case_id, CaseStatus(body.status), version=body.version)


def _triage(write: Write, asked: Asked) -> Case:
    body: TriageBody = asked.body
    because = body.because if isinstance(body, FalseBody) else None
    return changes.triage(write, asked.case_id, VERDICTS[type(body)], because, version=body.version)


def _note(write: Write, asked: Asked) -> Case:
    body: NoteBody = asked.body
    return changes.add_note(write, asked.case_id, body.text, version=body.version)


def _erase(write: Write, asked: Asked) -> Case:
    body: ReasonBody = asked.body
    return changes.erase_note(write, asked.case_id, asked.path["number"], body.reason, version=body.version)


def _label(write: Write, asked: Asked) -> Case:
    body: LabelBody = asked.body
    return labels.add_label(
        write, asked.case_id, body.label, body.reason, accounts=body.accounts, version=body.version
    )


def _withdraw(write: Write, asked: Asked) -> Case:
    body: ReasonBody = asked.body
    return labels.withdraw_label(
        write, asked.case_id, asked.path["label_id"], body.reason, version=body.version
    )


def _close(write: Write, asked: Asked) -> Case:
    body: ReasonBody = asked.body
    return changes.close(write, asked.case_id, body.reason, version=body.version)


def _reopen(write: Write, asked: Asked) -> Case:
    body: ReasonBody = asked.body
    return changes.reopen(write, asked.case_id, body.reason, version=body.version)


def _snooze(write: Write, asked: Asked) -> Case:
    body: SnoozeBody = asked.body
    return changes.snooze(write, asked.case_id, body.until, body.reason, version=body.version)


def _wake(write: Write, asked: Asked) -> Case:
    body: ReasonBody = asked.body
    return changes.wake(write, asked.case_id, body.reason, version=body.version)


def _withdraw_label(write: Write, asked: Asked) -> Record:
    body: ReasonBody = asked.body
    return labels.withdraw_account_label(write, asked.path["label_id"], body.reason)


_CASE: Final = "/v1/cases/{case_id}"

ACTS: Final = (
    Act(f"{_CASE}/assign", AssignBody, _assign, "Give a case to a person, or to nobody."),
    Act(f"{_CASE}/status", StatusBody, _move, "Say where the work on a case stands."),
    Act(f"{_CASE}/triage", TriageBody, _triage, "Say whether the finding was right."),
    Act(f"{_CASE}/notes", NoteBody, _note, "Write a note."),
    Act(f"{_CASE}/notes/{{number:int}}/erase", ReasonBody, _erase, "Remove the text of a note."),
    Act(f"{_CASE}/labels", LabelBody, _label, "Say what a case, or some of its accounts, really is."),
    Act(f"{_CASE}/labels/{{label_id:int}}/withdraw", ReasonBody, _withdraw, "Take a label back."),
    Act(f"{_CASE}/close", ReasonBody, _close, "Close a case; new evidence opens it again."),
    Act(f"{_CASE}/reopen", ReasonBody, _reopen, "Open a closed case again."),
    Act(f"{_CASE}/snooze", SnoozeBody, _snooze, "Leave a case alone until a time."),
    Act(
        "/v1/labels/{label_id:int}/withdraw", ReasonBody, _withdraw_label, "Take back a label without a case."
    ),
    Act(f"{_CASE}/wake", ReasonBody, _wake, "End a snooze before its time."),
)
"""Every change, in the order of the document."""
