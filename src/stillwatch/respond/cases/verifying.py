"""Whether cases are what the audit trail says: its history is replayed and compared with the tables."""

from collections.abc import Iterator

from sqlalchemy import Connection

from stillwatch.domain.cases import Case
from stillwatch.errors import StoreError
from stillwatch.respond.audit import AuditEntry
from stillwatch.respond.audit.trail import history_of
from stillwatch.respond.cases import rows
from stillwatch.respond.cases.labels import accounts_labeled
from stillwatch.respond.cases.replay import CASE, CaseAction, replayed
from stillwatch.respond.cases.wording import digest_of, digest_of_names
from stillwatch.respond.store import Store


def differences(store: Store) -> tuple[str, ...]:
    """Return what differs between the cases and their history, in sentences; nothing when all is well.

    The trail itself must hold (`audit.verify`): this compares with it.
    """
    with store.reading() as connection:
        known = rows.ids(connection)
        told = set(rows.ids_in_trail(connection))
        found = [f"{name} is in the trail and not among the cases" for name in sorted(told - set(known))]
        for name in known:
            found.extend(_of_one(connection, name))
    return tuple(found)


def _of_one(connection: Connection, name: str) -> Iterator[str]:
    try:
        case = rows.find(connection, name)
    except StoreError:
        case = None
    if case is None:
        yield f"{name} is damaged"
        return
    yield from _of_case(connection, case, history_of(connection, CASE, name))


def _of_case(connection: Connection, case: Case, history: tuple[AuditEntry, ...]) -> Iterator[str]:
    if not history:
        yield f"{case.case_id} is not in the trail"
        return
    if replayed(history) != case:
        yield f"{case.case_id} is not what its history leads to"
    accounts = rows.accounts_of(connection, case.case_id)
    if digest_of_names(accounts) != case.figures.accounts_digest:
        yield f"the accounts of {case.case_id} are not those that the trail tells of"
    yield from _of_notes(connection, case, history)
    yield from _of_snapshots(connection, case, history)
    yield from _of_labels(connection, case, history)


def _of_notes(connection: Connection, case: Case, history: tuple[AuditEntry, ...]) -> Iterator[str]:
    told = {e.facts["number"]: e.facts["digest"] for e in history if e.action == CaseAction.NOTED}
    erased = {e.facts["number"] for e in history if e.action == CaseAction.NOTE_ERASED}
    notes = {note.number: note for note in rows.notes_of(connection, case.case_id)}
    for number, digest in told.items():
        note = notes.pop(number, None)
        text = None if note is None else note.text
        if (
            note is None
            or (text is None) != (number in erased)
            or (text is not None and digest_of(text) != digest)
        ):
            yield f"note {number} of {case.case_id} was changed or removed"
    for number in notes:
        yield f"note {number} of {case.case_id} is not in the trail"


def _of_snapshots(connection: Connection, case: Case, history: tuple[AuditEntry, ...]) -> Iterator[str]:
    for digest in sorted({e.facts["snapshot"] for e in history if e.facts.get("snapshot")}):
        if not rows.snapshot_is_whole(connection, case.case_id, digest):
            yield f"snapshot {digest} of {case.case_id} was changed or removed"


def _of_labels(connection: Connection, case: Case, history: tuple[AuditEntry, ...]) -> Iterator[str]:
    for entry in history:
        if entry.action == CaseAction.LABELED:
            number = entry.facts["label_id"]
            if digest_of_names(accounts_labeled(connection, number)) != entry.facts["accounts_digest"]:
                yield f"the accounts of label {number} of {case.case_id} were changed"
