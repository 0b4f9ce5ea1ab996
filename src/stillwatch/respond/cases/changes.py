"""What people do to a case. Each change is one entry of the trail; none of them forgets what was there before."""

from datetime import datetime, timedelta
from typing import Final

from stillwatch.domain.cases import Case, CaseStatus, FalsePositiveReason, Note, Triage
from stillwatch.domain.decisions import PERSON
from stillwatch.errors import CaseConflictError, CaseError, CaseStateError, UnknownCaseError
from stillwatch.respond.audit import Write
from stillwatch.respond.cases import rows
from stillwatch.respond.cases.evidence import commit
from stillwatch.respond.cases.replay import CaseAction
from stillwatch.respond.cases.wording import MAX_NAME, MAX_NOTE, MAX_REASON, digest_of, linted

LONGEST_SNOOZE: Final = timedelta(days=365)
"""A snooze without an end would be a closed case that nobody closed."""


def case_to_change(write: Write, name: str, version: int | None = None) -> Case:
    """Return a case as the only writer sees it.

    Args:
        write: The open transaction.
        name: The case's id or its campaign's id.
        version: The version that the person looked at; None changes whatever is there now.

    Raises:
        UnknownCaseError: there is no such case.
        CaseConflictError: the case has been changed since that version.
    """
    case = rows.find(write.connection, name)
    if case is None:
        raise UnknownCaseError(f"there is no case {name!r}")
    if version is not None and version != case.version:
        raise CaseConflictError(
            f"{case.case_id} is at version {case.version} now; this change was made for version {version}"
        )
    return case


def assign(write: Write, name: str, assignee: str | None, *, version: int | None = None) -> Case:
    """Give a case to a person, or to nobody.

    Args:
        write: The open transaction.
        name: The case's or the campaign's id.
        assignee: `person:NAME`, or None.
        version: The version that was looked at, or None.
    """
    case = _open_case(write, name, version)
    who = None if assignee is None else linted(assignee, "an assignee", MAX_NAME + len(PERSON))
    return case if who == case.assignee else commit(write, case, CaseAction.ASSIGNED, {"assignee": who})


def move(write: Write, name: str, status: CaseStatus, *, version: int | None = None) -> Case:
    """Say where the work on an open case stands."""
    if status is CaseStatus.CLOSED:
        raise CaseError(
            "a case is closed with a reason", hint="use `stillwatch case close CASE --reason ...`"
        )
    case = _open_case(write, name, version)
    return case if status is case.status else commit(write, case, CaseAction.MOVED, {"status": status.value})


def triage(
    write: Write,
    name: str,
    verdict: Triage,
    reason: FalsePositiveReason | None = None,
    *,
    version: int | None = None,
) -> Case:
    """Say whether the finding was right; `not_triaged` takes an earlier answer back.

    Args:
        write: The open transaction.
        name: The case's or the campaign's id.
        verdict: True positive, false positive, or not triaged.
        reason: What it turned out to be: for false positives, and only for them.
        version: The version that was looked at, or None.
    """
    case = case_to_change(write, name, version)
    if (reason is not None) != (verdict is Triage.FALSE_POSITIVE):
        raise CaseError(
            "a false positive has a reason, and nothing else has one",
            hint=f"the reasons are {', '.join(FalsePositiveReason)}",
        )
    if (verdict, reason) == (case.triage, case.false_positive_reason):
        return case
    facts: dict[str, object] = {
        "triage": verdict.value,
        "false_positive_reason": reason.value if reason else None,
        "evidence": case.snapshot.digest,
    }
    return commit(write, case, CaseAction.TRIAGED, facts)


def close(write: Write, name: str, reason: str, *, version: int | None = None) -> Case:
    """Close a case, on the evidence that it has now. New evidence opens it again."""
    case = _open_case(write, name, version)
    facts: dict[str, object] = {
        "reason": linted(reason, "a reason", MAX_REASON),
        "evidence": case.snapshot.digest,
    }
    return commit(write, case, CaseAction.CLOSED, facts)


def reopen(write: Write, name: str, reason: str, *, version: int | None = None) -> Case:
    """Open a closed case again."""
    case = case_to_change(write, name, version)
    if not case.is_closed:
        raise CaseStateError(f"{case.case_id} is not closed", hint="only a closed case can be reopened")
    return commit(write, case, CaseAction.REOPENED, {"reason": linted(reason, "a reason", MAX_REASON)})


def snooze(write: Write, name: str, until: datetime, reason: str, *, version: int | None = None) -> Case:
    """Leave a case alone until a time; who does that answers for it.

    Args:
        write: The open transaction.
        name: The case's or the campaign's id.
        until: When it ends by itself, with a zone; at most a year from now.
        reason: Why.
        version: The version that was looked at, or None.
    """
    case = case_to_change(write, name, version)
    if not write.now < until <= write.now + LONGEST_SNOOZE:
        raise CaseError(
            "a snooze ends in the future, and within a year", hint="for longer, close the case with a reason"
        )
    facts: dict[str, object] = {
        "until": until.isoformat(),
        "reason": linted(reason, "a reason", MAX_REASON),
        "evidence": case.snapshot.digest,
    }
    return commit(write, case, CaseAction.SNOOZED, facts)


def wake(write: Write, name: str, reason: str, *, version: int | None = None) -> Case:
    """End a snooze before its time."""
    case = case_to_change(write, name, version)
    if not case.is_snoozed(write.now):
        raise CaseStateError(f"{case.case_id} is not snoozed", hint="nothing needs to be ended")
    return commit(write, case, CaseAction.WOKEN, {"reason": linted(reason, "a reason", MAX_REASON)})


def add_note(write: Write, name: str, text: str, *, version: int | None = None) -> Case:
    """Write a note. The trail holds its digest, so that the text can be erased when the law asks for it."""
    case = case_to_change(write, name, version)
    text = linted(text, "a note", MAX_NOTE)
    note = Note(
        number=case.notes + 1, author=write.actor, written_at=write.now, text=text, digest=digest_of(text)
    )
    after = commit(write, case, CaseAction.NOTED, {"number": note.number, "digest": note.digest})
    rows.add_note(write.connection, case.case_id, note)
    return after


def erase_note(write: Write, name: str, number: int, reason: str, *, version: int | None = None) -> Case:
    """Remove the text of a note, for instance because it held personal data. That it was there stays."""
    case = case_to_change(write, name, version)
    if all(
        note.number != number or note.text is None for note in rows.notes_of(write.connection, case.case_id)
    ):
        raise UnknownCaseError(
            f"{case.case_id} has no note {number}", hint="`stillwatch case show` numbers the notes"
        )
    facts: dict[str, object] = {"number": number, "reason": linted(reason, "a reason", MAX_REASON)}
    after = commit(write, case, CaseAction.NOTE_ERASED, facts)
    rows.erase_note(write.connection, case.case_id, number)
    return after


def link_decision(write: Write, name: str, decision_id: str) -> Case:
    """Say that a decision was taken for a case. Linking it again changes nothing."""
    case = case_to_change(write, name)
    if decision_id in case.decisions:
        return case
    facts: dict[str, object] = {"decision_id": decision_id, "evidence": case.snapshot.digest}
    return commit(write, case, CaseAction.LINKED, facts)


def _open_case(write: Write, name: str, version: int | None) -> Case:
    """Return a case that is not closed."""
    case = case_to_change(write, name, version)
    if case.is_closed:
        raise CaseStateError(
            f"{case.case_id} is closed",
            hint=f"reopen it first: stillwatch case reopen {case.case_id} --reason ...",
        )
    return case
