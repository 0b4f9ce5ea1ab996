"""What each entry of the audit trail does to a case.

A change writes its entry first, and the case's new state is the old one with the entry applied. The trail therefore
replays to the state, whatever happened in between.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from stillwatch.domain.cases import (
    Case,
    CaseLabel,
    CaseStatus,
    Closing,
    FalsePositiveReason,
    Figures,
    LabelMark,
    Snapshot,
    Snooze,
    Triage,
)
from stillwatch.domain.record import Record
from stillwatch.respond.audit import AuditEntry

CASE = "case"
"""The kind of object under which the trail keeps what was done to cases."""


class CaseAction(StrEnum):
    """Everything that can be done to a case."""

    OPENED = "case.opened"
    UPDATED = "case.updated"
    REOPENED = "case.reopened"
    MOVED = "case.moved"
    ASSIGNED = "case.assigned"
    NOTED = "case.noted"
    NOTE_ERASED = "case.note_erased"
    LABELED = "case.labeled"
    UNLABELED = "case.unlabeled"
    TRIAGED = "case.triaged"
    CLOSED = "case.closed"
    SNOOZED = "case.snoozed"
    WOKEN = "case.woken"
    LINKED = "case.decision_linked"


def applied(case: Case | None, entry: AuditEntry) -> Case:
    """Return the case after an entry.

    Args:
        case: The case before; None for the entry that opens it.
        entry: What was done.
    """
    action = CaseAction(entry.action)
    if case is None:
        return _opened(entry)
    changed = _CHANGES[action](case, entry)
    return case.model_copy(update={**changed, "version": case.version + 1, "updated_at": entry.time})


def replayed(entries: Iterable[AuditEntry]) -> Case:
    """Return the state that a case's history leads to.

    Args:
        entries: Everything recorded of one case, in order; at least one entry.
    """
    case: Case | None = None
    for entry in entries:
        case = applied(case, entry)
    if case is None:
        raise RuntimeError("a case without history")
    return case


def facts_of(record: Record) -> dict[str, Any]:
    """Return a record as the trail's payload holds it."""
    return record.model_dump(mode="json")


def _opened(entry: AuditEntry) -> Case:
    figures = Figures.model_validate(entry.facts["figures"])
    return Case(
        case_id=entry.object_id,
        campaign_id=entry.facts["campaign_id"],
        version=1,
        figures=figures,
        snapshot=Snapshot(digest=entry.facts["snapshot"], taken_at=entry.time, figures=figures),
        opened_at=entry.time,
        updated_at=entry.time,
    )


def _updated(case: Case, entry: AuditEntry) -> dict[str, Any]:
    figures = Figures.model_validate(entry.facts["figures"])
    digest = entry.facts["snapshot"]
    taken = Snapshot(digest=digest, taken_at=entry.time, figures=figures) if digest else case.snapshot
    return {"figures": figures, "snapshot": taken}


def _reopened(_case: Case, _entry: AuditEntry) -> dict[str, Any]:
    return {"status": CaseStatus.OPEN, "closing": None}


def _moved(_case: Case, entry: AuditEntry) -> dict[str, Any]:
    return {"status": CaseStatus(entry.facts["status"])}


def _assigned(_case: Case, entry: AuditEntry) -> dict[str, Any]:
    return {"assignee": entry.facts["assignee"]}


def _noted(case: Case, _entry: AuditEntry) -> dict[str, Any]:
    return {"notes": case.notes + 1}


def _as_it_was(_case: Case, _entry: AuditEntry) -> dict[str, Any]:
    return {}


def _labeled(case: Case, entry: AuditEntry) -> dict[str, Any]:
    facts = entry.facts
    mark = LabelMark(
        label_id=facts["label_id"],
        label=CaseLabel(facts["label"]),
        whole=facts["whole"],
        accounts=facts["accounts"],
        author=entry.actor,
        reason=facts["reason"],
        since=entry.time,
    )
    return {"labels": (*case.labels, mark)}


def _unlabeled(case: Case, entry: AuditEntry) -> dict[str, Any]:
    return {"labels": tuple(mark for mark in case.labels if mark.label_id != entry.facts["label_id"])}


def _triaged(_case: Case, entry: AuditEntry) -> dict[str, Any]:
    reason, triage = entry.facts["false_positive_reason"], Triage(entry.facts["triage"])
    return {
        "triage": triage,
        "false_positive_reason": FalsePositiveReason(reason) if reason else None,
        "triaged_at": None if triage is Triage.NOT_TRIAGED else entry.time,
        "triaged_on": None if triage is Triage.NOT_TRIAGED else entry.facts["evidence"],
    }


def _closed(case: Case, entry: AuditEntry) -> dict[str, Any]:
    closing = Closing(author=entry.actor, reason=entry.facts["reason"], at=entry.time, figures=case.figures)
    return {"status": CaseStatus.CLOSED, "closing": closing}


def _snoozed(_case: Case, entry: AuditEntry) -> dict[str, Any]:
    facts = entry.facts
    return {
        "snooze": Snooze(owner=entry.actor, reason=facts["reason"], since=entry.time, until=facts["until"])
    }


def _woken(_case: Case, _entry: AuditEntry) -> dict[str, Any]:
    return {"snooze": None}


def _linked(case: Case, entry: AuditEntry) -> dict[str, Any]:
    return {"decisions": (*case.decisions, entry.facts["decision_id"])}


_CHANGES = {
    CaseAction.UPDATED: _updated,
    CaseAction.REOPENED: _reopened,
    CaseAction.MOVED: _moved,
    CaseAction.ASSIGNED: _assigned,
    CaseAction.NOTED: _noted,
    CaseAction.NOTE_ERASED: _as_it_was,
    CaseAction.LABELED: _labeled,
    CaseAction.UNLABELED: _unlabeled,
    CaseAction.TRIAGED: _triaged,
    CaseAction.CLOSED: _closed,
    CaseAction.SNOOZED: _snoozed,
    CaseAction.WOKEN: _woken,
    CaseAction.LINKED: _linked,
}
