"""Read a trail from its first entry to its last and say where it does not hold together."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, text

from stillwatch.respond.audit.chain import GENESIS, AuditEntry, Head
from stillwatch.respond.audit.trail import entries_of
from stillwatch.respond.store import Store

_BATCH: Final = 5_000
_MOST_BREAKS: Final = 100
"""Breaks that are listed. After so many it is clear that the trail is not to be trusted."""

_TRIGGERS: Final = {
    "sqlite": (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entries'",
        frozenset({"audit_entries_append", "audit_entries_change", "audit_entries_remove"}),
    ),
    "postgresql": (
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_entries'::regclass AND tgenabled = 'A'",
        frozenset({"audit_entries_refuse", "audit_entries_continue"}),
    ),
}


class BreakKind(StrEnum):
    """What is wrong at one place."""

    CHANGED = "changed"
    MISSING = "missing"
    UNLINKED = "unlinked"
    REWRITTEN = "rewritten"
    TRUNCATED = "truncated"
    UNPROTECTED = "unprotected"


@dataclass(frozen=True)
class Break:
    """One place where the trail does not hold together.

    Args:
        kind: What is wrong.
        sequence: The entry where it shows; 0 for the trail as a whole.
        sentence: The same in words.
    """

    kind: BreakKind
    sequence: int
    sentence: str


@dataclass(frozen=True)
class Verification:
    """What reading the whole trail showed.

    Args:
        entries: How many entries there are.
        head: The last of them.
        breaks: Where it does not hold together, at most 100; empty when it does.
    """

    entries: int
    head: Head
    breaks: tuple[Break, ...]

    @property
    def holds(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.breaks

    @property
    def tampered(self) -> bool:
        """Say whether entries themselves are wrong, and not only what protects them or what came after them."""
        harmless = {BreakKind.UNPROTECTED, BreakKind.TRUNCATED}
        return any(found.kind not in harmless for found in self.breaks)


def verify(store: Store, expected: Collection[Head] = ()) -> Verification:
    """Check every entry of a store's trail.

    Without a head from outside, entries that were cut off at the end, and a trail that was rewritten from some entry to
    the end, cannot be noticed: they are trails that hold together.

    Args:
        store: The store.
        expected: Heads that were written down earlier, in any order.
    """
    with store.reading() as connection:
        breaks = list(_unprotected(connection, store.kind))
        reader = _Reader({head.sequence: head for head in expected})
        for entry in _entries(connection):
            breaks.extend(reader.read(entry))
            if len(breaks) >= _MOST_BREAKS:
                break
        else:
            breaks.extend(reader.end())
    return Verification(reader.count, reader.head, tuple(breaks[:_MOST_BREAKS]))


class _Reader:
    """Goes along the chain; after a break it goes on from what the entry itself says."""

    def __init__(self, expected: dict[int, Head]) -> None:
        self.head = Head(0, GENESIS)
        self.count = 0
        self._expected = expected

    def read(self, entry: AuditEntry) -> Iterator[Break]:
        """Check one entry against the one before, against itself and against what was written down."""
        number, wanted = entry.sequence, self.head.sequence + 1
        if number != wanted:
            yield Break(BreakKind.MISSING, wanted, f"entries {wanted} to {number - 1} are missing")
        elif entry.previous_hash != self.head.entry_hash:
            yield Break(BreakKind.UNLINKED, number, f"entry {number} does not continue entry {number - 1}")
        if entry.computed_hash() != entry.entry_hash:
            yield Break(BreakKind.CHANGED, number, f"entry {number} was changed after it was written")
        known = self._expected.pop(number, None)
        if known is not None and known.entry_hash != entry.entry_hash:
            yield Break(BreakKind.REWRITTEN, number, f"entry {number} is not the one that was written down")
        self.head = Head(number, entry.entry_hash)
        self.count += 1

    def end(self) -> Iterator[Break]:
        """Say what was written down and is not there."""
        for number in sorted(self._expected):
            if number > self.head.sequence:
                last = self.head.sequence
                yield Break(
                    BreakKind.TRUNCATED, number, f"the trail ends at entry {last}; entry {number} was cut off"
                )


def _entries(connection: Connection) -> Iterator[AuditEntry]:
    """Yield every entry, in order, a batch in memory at a time."""
    after = -(1 << 62)
    while batch := entries_of(connection, after=after, limit=_BATCH):
        yield from batch
        after = batch[-1].sequence


def _unprotected(connection: Connection, kind: str) -> Iterator[Break]:
    """Say which triggers that refuse changes are gone."""
    query, wanted = _TRIGGERS[kind]
    gone = wanted - {str(name) for (name,) in connection.execute(text(query))}
    if gone:
        sentence = f"the database no longer refuses changes: {', '.join(sorted(gone))} missing or disabled"
        yield Break(BreakKind.UNPROTECTED, 0, sentence)
