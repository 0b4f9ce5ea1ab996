"""All SQL of cases, except that of labels."""

import hashlib
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from stillwatch.domain.cases import Case, Note
from stillwatch.domain.findings import Finding
from stillwatch.errors import StoreError
from stillwatch.respond.cases.replay import CASE
from stillwatch.respond.store.audit_tables import audit_entries
from stillwatch.respond.store.bulk import insert_many
from stillwatch.respond.store.case_tables import case_accounts, case_notes, case_snapshots, cases
from stillwatch.respond.store.columns import canonical_json

_CASE_ID: Final = re.compile(r"case-[1-9][0-9]{0,9}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_AT_ONCE: Final = 500
"""Values in one statement; SQLite refuses more than 32,766 in all."""


def find(connection: Connection, name: str) -> Case | None:
    """Return a case by its id or by its campaign's id, or None."""
    if _CASE_ID.fullmatch(name) and (found := _one(connection, cases.c.case_id == name)):
        return found
    return of_campaign(connection, name)


def of_campaign(connection: Connection, campaign_id: str) -> Case | None:
    """Return the case of a campaign, or None."""
    return _one(connection, cases.c.campaign_id == campaign_id)


def everything(connection: Connection) -> tuple[Case, ...]:
    """Return every case, in the order in which they were opened."""
    with _undamaged():
        records = connection.execute(select(cases.c.record).order_by(cases.c.number)).scalars()
        return tuple(Case.model_validate(record) for record in records)


def ids(connection: Connection) -> tuple[str, ...]:
    """Return the ids of all cases, in the order in which they were opened."""
    return tuple(connection.execute(select(cases.c.case_id).order_by(cases.c.number)).scalars())


def _one(connection: Connection, which: ColumnElement[bool]) -> Case | None:
    with _undamaged():
        record = connection.execute(select(cases.c.record).where(which)).scalar()
        return None if record is None else Case.model_validate(record)


@contextmanager
def _undamaged() -> Iterator[None]:
    """Say so when what stands in the database is no case: somebody wrote to it by hand."""
    try:
        yield
    except ValueError as error:  # of JSON and of pydantic
        raise StoreError(
            "a case in the database is damaged", hint="`stillwatch audit verify` says which"
        ) from error


def next_number(connection: Connection) -> int:
    """Return the number of the next case; nobody else can take it while this writer's transaction is open."""
    return int(connection.execute(select(func.coalesce(func.max(cases.c.number), 0) + 1)).scalar_one())


def add(connection: Connection, case: Case) -> None:
    """Insert a new case."""
    number = int(case.case_id.removeprefix("case-"))
    connection.execute(insert(cases).values(case_id=case.case_id, number=number, **_columns(case)))


def save(connection: Connection, case: Case) -> None:
    """Write the new state of a case."""
    connection.execute(update(cases).where(cases.c.case_id == case.case_id).values(**_columns(case)))


def _columns(case: Case) -> dict[str, Any]:
    return {
        "campaign_id": case.campaign_id,
        "version": case.version,
        "status": case.status.value,
        "record": case.model_dump(mode="json"),
        "updated_at": case.updated_at,
    }


def accounts_of(connection: Connection, case_id: str) -> tuple[str, ...]:
    """Return the accounts that belong to a case now, sorted."""
    query = select(case_accounts.c.account_id).where(
        case_accounts.c.case_id == case_id, case_accounts.c.left_at.is_(None)
    )
    return tuple(sorted(connection.execute(query).scalars()))


def joined_since(connection: Connection, case_id: str, when: datetime) -> int:
    """Return how many accounts that belong to a case now joined it after a time, for the first time."""
    query = (
        select(func.count())
        .select_from(case_accounts)
        .where(
            case_accounts.c.case_id == case_id,
            case_accounts.c.left_at.is_(None),
            case_accounts.c.joined_at > when,
        )
    )
    return int(connection.execute(query).scalar_one())


def join(connection: Connection, case_id: str, accounts: Collection[str], now: datetime) -> None:
    """Let accounts belong to a case from now on; one that had left keeps the time at which it joined first."""
    known = _known_among(connection, case_id, accounts)
    new = [name for name in accounts if name not in known]
    insert_many(
        connection,
        case_accounts,
        [{"case_id": case_id, "account_id": name, "joined_at": now} for name in new],
    )
    _mark(connection, case_id, known, left_at=None)


def leave(connection: Connection, case_id: str, accounts: Collection[str], now: datetime) -> None:
    """Let accounts belong to a case no longer."""
    _mark(connection, case_id, accounts, left_at=now)


def _known_among(connection: Connection, case_id: str, accounts: Collection[str]) -> set[str]:
    found: set[str] = set()
    for some in _portions(accounts):
        query = select(case_accounts.c.account_id).where(
            case_accounts.c.case_id == case_id, case_accounts.c.account_id.in_(some)
        )
        found.update(connection.execute(query).scalars())
    return found


def _mark(connection: Connection, case_id: str, accounts: Iterable[str], *, left_at: datetime | None) -> None:
    for some in _portions(accounts):
        statement = update(case_accounts).where(
            case_accounts.c.case_id == case_id, case_accounts.c.account_id.in_(some)
        )
        connection.execute(statement.values(left_at=left_at))


def _portions(names: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(names)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))


@dataclass(frozen=True)
class Verbatim:
    """A finding as it is kept: canonical JSON, and its SHA-256, hexadecimal."""

    text: bytes
    digest: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Write a finding down."""
        text = canonical_json(finding.model_dump(mode="json")).encode("ascii")
        return cls(text, hashlib.sha256(text).hexdigest())


def keep_snapshot(connection: Connection, case_id: str, kept: Verbatim, now: datetime) -> None:
    """Keep a finding word for word, once."""
    known = select(case_snapshots.c.digest).where(
        case_snapshots.c.case_id == case_id, case_snapshots.c.digest == kept.digest
    )
    if connection.execute(known).first() is None:
        packed = zlib.compress(kept.text)
        row = {"case_id": case_id, "digest": kept.digest, "taken_at": now, "finding": packed}
        connection.execute(insert(case_snapshots).values(row))


def snapshot(connection: Connection, case_id: str, digest: str) -> bytes | None:
    """Return the canonical JSON of a finding that was kept, or None."""
    if not _DIGEST.fullmatch(digest):
        return None
    query = select(case_snapshots.c.finding).where(
        case_snapshots.c.case_id == case_id, case_snapshots.c.digest == digest
    )
    packed = connection.execute(query).scalar()
    return None if packed is None else zlib.decompress(packed)


def snapshot_is_whole(connection: Connection, case_id: str, digest: str) -> bool:
    """Say whether a finding that was kept is there and has the digest under which it is kept."""
    try:
        text = snapshot(connection, case_id, digest)
    except zlib.error:
        return False
    return text is not None and hashlib.sha256(text).hexdigest() == digest


def ids_in_trail(connection: Connection) -> tuple[str, ...]:
    """Return the ids of all cases of which the audit trail tells."""
    query = select(audit_entries.c.object_id).where(audit_entries.c.object_kind == CASE).distinct()
    return tuple(connection.execute(query).scalars())


def finding_in(connection: Connection, case: Case, digest: str | None = None) -> Finding:
    """Return a finding that a case keeps word for word: the newest, unless another is named by its digest."""
    text = snapshot(connection, case.case_id, digest or case.snapshot.digest)
    return Finding.model_validate_json(text or b"", extra="ignore")


def add_note(connection: Connection, case_id: str, note: Note) -> None:
    """Insert a note."""
    connection.execute(insert(case_notes).values(case_id=case_id, **note.model_dump()))


def notes_of(connection: Connection, case_id: str) -> tuple[Note, ...]:
    """Return the notes of a case, in order."""
    columns = [column for column in case_notes.c if column.name != "case_id"]
    query = select(*columns).where(case_notes.c.case_id == case_id).order_by(case_notes.c.number)
    return tuple(Note.model_validate(dict(row._mapping)) for row in connection.execute(query))  # noqa: SLF001 - public


def erase_note(connection: Connection, case_id: str, number: int) -> None:
    """Remove the text of a note; who wrote it, when, and its digest stay."""
    row = (case_notes.c.case_id == case_id, case_notes.c.number == number)
    connection.execute(update(case_notes).where(*row).values(text=None))
