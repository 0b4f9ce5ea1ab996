"""Append to the trail and read it."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Executable, Row, event, insert, select

from stillwatch.domain.sensitive import check_facts
from stillwatch.errors import UsageError
from stillwatch.respond.audit.chain import GENESIS, AuditEntry, Head, entry_hash
from stillwatch.respond.store import Store
from stillwatch.respond.store.audit_tables import audit_entries
from stillwatch.respond.store.columns import canonical_json, to_microseconds

MAX_TEXT: Final = 10_000
"""Characters in one value of a payload: what a person may give as a rationale."""


_KIND: Final = re.compile(r"[a-z_]{1,64}")


class Write:
    """One write transaction: facts and the entries that tell of them.

    Args:
        connection: The transaction's connection, for the facts.
        now: One time for everything that the transaction does.
        actor: Who acts.
    """

    def __init__(self, connection: Connection, now: datetime, actor: str) -> None:
        self.connection = connection
        self.now = now
        self.actor = actor
        self.entries: list[AuditEntry] = []

    def record(
        self, action: str, object_kind: str, object_id: str, payload: Mapping[str, Any] | None = None
    ) -> AuditEntry:
        """Append one entry to the trail.

        Args:
            action: What was done, as `case.assigned`.
            object_kind: What kind of thing it was done to.
            object_id: Which one.
            payload: The facts: JSON values without raw text of requests and without credentials.

        Returns:
            The entry.

        Raises:
            SensitiveEventError: the payload carries what must not be kept.
        """
        facts = dict(payload or {})
        check_facts(facts, "audit field", MAX_TEXT)
        head = self._head()
        fields = (
            head.sequence + 1,
            to_microseconds(self.now),
            self.actor,
            action,
            object_kind,
            object_id,
            canonical_json(facts),
            head.entry_hash,
        )
        entry = AuditEntry(*fields, entry_hash=entry_hash(*fields))
        self.connection.execute(insert(audit_entries).values(_as_row(entry)))
        self.entries.append(entry)
        return entry

    def _head(self) -> Head:
        """Return the last entry, which nobody else can move while this transaction is open."""
        if self.entries:
            return Head(self.entries[-1].sequence, self.entries[-1].entry_hash)
        return head_of(self.connection)


class AuditTrail:
    """The trail of one store.

    Args:
        store: Where it is kept.
        clock: Returns the time, with a zone.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self._clock = clock

    @contextmanager
    def writing(self, actor: str) -> Iterator[Write]:
        """Write facts and record them, together or not at all, as the only writer.

        Args:
            actor: Who acts: `person:NAME`, `playbook:NAME@VERSION` or `system:PART`.

        Yields:
            The open transaction.

        Raises:
            StoreError: the database cannot be written; nothing was.
            RuntimeError: facts were written and none recorded; nothing was written.
        """
        with self.store.writing() as connection:
            facts = _FactsWritten(connection)
            write = Write(connection, self._clock(), actor)
            yield write
            if facts.any and not write.entries:
                raise RuntimeError("facts were written without an audit entry")

    def head(self) -> Head:
        """Return the last entry; 0 and zeros for an empty trail."""
        with self.store.reading() as connection:
            return head_of(connection)

    def since(
        self, sequence: int, *, kinds: Collection[str] = (), limit: int = 10_000
    ) -> tuple[AuditEntry, ...]:
        """Return what was recorded after an entry, in order.

        Nothing appears later before a sequence that was returned: entries are committed in their order.

        Args:
            sequence: Number of the last entry that is known; 0 for none.
            kinds: Kinds of object to return; none named means all.
            limit: How many entries at most.
        """
        with self.store.reading() as connection:
            return entries_of(connection, after=sequence, kinds=kinds, limit=limit)

    def of(self, object_kind: str, object_id: str) -> tuple[AuditEntry, ...]:
        """Return everything recorded of one object, in order."""
        with self.store.reading() as connection:
            return history_of(connection, object_kind, object_id)


class _FactsWritten:
    """Notices whether anything was inserted, updated or deleted through a connection."""

    def __init__(self, connection: Connection) -> None:
        self.any = False
        event.listen(connection, "after_execute", self._note)

    def _note(self, _connection: Connection, statement: Executable, *_rest: object) -> None:
        self.any = self.any or statement.is_dml


def head_of(connection: Connection) -> Head:
    """Return the last entry as a transaction sees it."""
    row = connection.execute(
        select(audit_entries.c.sequence, audit_entries.c.entry_hash)
        .order_by(audit_entries.c.sequence.desc())
        .limit(1)
    ).first()
    return Head(0, GENESIS) if row is None else Head(row.sequence, row.entry_hash)


def entries_of(
    connection: Connection, *, after: int = 0, kinds: Collection[str] = (), limit: int = 10_000
) -> tuple[AuditEntry, ...]:
    """Return entries after a sequence, in order, as a transaction sees them.

    Raises:
        UsageError: a kind is not the name of one.
    """
    if strange := [kind for kind in kinds if not _KIND.fullmatch(kind)]:
        raise UsageError(
            f"{strange[0][:64]!r} is no kind of thing", hint="write case, decision or authorization"
        )
    query = select(audit_entries).where(audit_entries.c.sequence > after)
    if kinds:
        query = query.where(audit_entries.c.object_kind.in_(sorted(kinds)))
    rows = connection.execute(query.order_by(audit_entries.c.sequence).limit(limit))
    return tuple(_as_entry(row) for row in rows)


def history_of(connection: Connection, object_kind: str, object_id: str) -> tuple[AuditEntry, ...]:
    """Return everything recorded of one object, in order, as a transaction sees it."""
    rows = connection.execute(
        select(audit_entries)
        .where(audit_entries.c.object_kind == object_kind, audit_entries.c.object_id == object_id)
        .order_by(audit_entries.c.sequence)
    )
    return tuple(_as_entry(row) for row in rows)


def _as_row(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in audit_entries.c.keys()}  # noqa: SIM118 - columns, not a dict


def _as_entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
