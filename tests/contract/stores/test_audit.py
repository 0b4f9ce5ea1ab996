"""The trail: appended by everybody in turn, changed by nobody, and every tampering shows."""

import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from stillwatch.domain.sensitive import SensitiveEventError
from stillwatch.respond.audit import GENESIS, AuditTrail, BreakKind, Head, verify
from stillwatch.respond.store import Store, open_store
from stillwatch.respond.store.audit_tables import audit_entries
from stillwatch.respond.store.case_tables import case_labels

COLUMNS = [column.name for column in audit_entries.c]
NUMBERS = {"sequence", "time_us"}
OTHERS = ", ".join(COLUMNS[1:])


def fill(trail: AuditTrail, entries: int) -> None:
    with trail.writing("person:alice") as write:
        for number in range(entries):
            write.record("thing.done", "thing", f"thing-{number % 3}", {"number": number})


def unprotected(connection: Connection) -> Connection:
    """Drop what refuses changes, as somebody could who owns the database."""
    if connection.dialect.name == "sqlite":
        for name in ("append", "change", "remove"):
            connection.execute(text(f"DROP TRIGGER audit_entries_{name}"))
    else:
        for name in ("refuse", "continue"):
            connection.execute(text(f"DROP TRIGGER audit_entries_{name} ON audit_entries"))
    return connection


def tamper(store: Store, *statements: str) -> None:
    with store.writing() as connection:
        unprotected(connection)
        for statement in statements:
            connection.execute(text(statement))


def kinds(store: Store, *expected: Head) -> set[BreakKind]:
    """Return what verification says, but for the triggers that a test itself dropped."""
    return {found.kind for found in verify(store, expected).breaks} - {BreakKind.UNPROTECTED}


def test_an_empty_trail_holds(store: Store) -> None:
    verified = verify(store)
    assert verified.holds
    assert verified.head == Head(0, GENESIS)


def test_a_trail_holds_and_its_head_is_the_last_entry(store: Store, trail: AuditTrail) -> None:
    fill(trail, 7)
    verified = verify(store, [trail.head()])
    assert verified.holds
    assert verified.entries == 7
    assert verified.head == trail.head()


def test_a_fact_and_its_entry_are_written_together_or_not_at_all(store: Store, trail: AuditTrail) -> None:
    row = {"label_id": 1, "label": "benign", "whole": True, "author": "a", "reason": "b"}

    def write_a_label(*, recorded: bool, fails: bool) -> None:
        with trail.writing("person:alice") as write:
            write.connection.execute(insert(case_labels).values(**row, since=write.now))
            if recorded:
                write.record("label.given", "label", "1")
            if fails:
                raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        write_a_label(recorded=True, fails=True)
    with pytest.raises(RuntimeError, match="without an audit entry"):
        write_a_label(recorded=False, fails=False)
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(case_labels)).scalar_one() == 0
    assert trail.head().sequence == 0


@pytest.mark.parametrize(
    "payload",
    [{"prompt": "x"}, {"a": {"completion": "x"}}, {"reason": "Bearer abcdefgh12345"}, {"a": "x" * 10_001}],
)
def test_raw_text_and_credentials_are_refused(trail: AuditTrail, payload: dict[str, object]) -> None:
    with pytest.raises(SensitiveEventError), trail.writing("person:alice") as write:
        write.record("thing.done", "thing", "1", payload)
    assert trail.head().sequence == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'person:mallory' WHERE sequence = 2",
        "DELETE FROM audit_entries WHERE sequence = 3",
        "DELETE FROM audit_entries",
        f"INSERT INTO audit_entries SELECT sequence + 7, {OTHERS} FROM audit_entries WHERE sequence = 1",
        f"INSERT INTO audit_entries SELECT sequence + 1, {OTHERS} FROM audit_entries WHERE sequence = 3",
    ],
)
def test_the_database_itself_refuses_changes(store: Store, trail: AuditTrail, statement: str) -> None:
    fill(trail, 3)
    with pytest.raises(DBAPIError, match=r"append-only|continue the trail"), store.writing() as connection:
        connection.execute(text(statement))
    assert verify(store).holds


def test_sqlite_does_not_replace_an_entry(store: Store, trail: AuditTrail) -> None:
    fill(trail, 3)
    if store.kind == "sqlite":
        statement = "INSERT OR REPLACE INTO audit_entries SELECT * FROM audit_entries WHERE sequence = 2"
    else:
        statement = "TRUNCATE audit_entries"
    with pytest.raises(DBAPIError, match=r"append-only|continue the trail"), store.writing() as connection:
        connection.execute(text(statement))


def test_a_database_that_no_longer_refuses_changes_is_reported(store: Store, trail: AuditTrail) -> None:
    fill(trail, 3)
    tamper(store, "SELECT 1")
    assert [found.kind for found in verify(store).breaks] == [BreakKind.UNPROTECTED]


def test_a_changed_entry_is_found(store: Store, trail: AuditTrail) -> None:
    fill(trail, 5)
    tamper(store, "UPDATE audit_entries SET actor = 'person:mallory' WHERE sequence = 3")
    assert kinds(store) == {BreakKind.CHANGED}


def test_a_removed_entry_is_found(store: Store, trail: AuditTrail) -> None:
    fill(trail, 5)
    tamper(store, "DELETE FROM audit_entries WHERE sequence = 3")
    assert kinds(store) == {BreakKind.MISSING}


def test_a_removed_entry_is_found_when_the_others_close_ranks(store: Store, trail: AuditTrail) -> None:
    fill(trail, 5)
    tamper(
        store,
        "DELETE FROM audit_entries WHERE sequence = 3",
        "UPDATE audit_entries SET sequence = 3 WHERE sequence = 4",
        "UPDATE audit_entries SET sequence = 4 WHERE sequence = 5",
    )
    assert kinds(store) == {BreakKind.UNLINKED, BreakKind.CHANGED}


def test_an_inserted_entry_is_found(store: Store, trail: AuditTrail) -> None:
    fill(trail, 3)
    tamper(
        store,
        "UPDATE audit_entries SET sequence = 4 WHERE sequence = 3",
        f"INSERT INTO audit_entries SELECT 3, {OTHERS} FROM audit_entries WHERE sequence = 2",
    )
    assert BreakKind.UNLINKED in kinds(store)


def test_swapped_entries_are_found(store: Store, trail: AuditTrail) -> None:
    fill(trail, 5)
    tamper(
        store,
        "UPDATE audit_entries SET sequence = 99 WHERE sequence = 2",
        "UPDATE audit_entries SET sequence = 2 WHERE sequence = 3",
        "UPDATE audit_entries SET sequence = 3 WHERE sequence = 99",
    )
    assert kinds(store) == {BreakKind.UNLINKED, BreakKind.CHANGED}


def test_what_was_cut_off_at_the_end_shows_against_a_head_that_was_written_down(
    store: Store, trail: AuditTrail
) -> None:
    fill(trail, 5)
    head = trail.head()
    tamper(store, "DELETE FROM audit_entries WHERE sequence > 3")
    assert kinds(store) == set()
    assert kinds(store, head) == {BreakKind.TRUNCATED}


def test_a_trail_that_was_written_anew_shows_against_a_head_that_was_written_down(
    store: Store, trail: AuditTrail
) -> None:
    fill(trail, 5)
    early = Head(3, trail.since(2, limit=1)[0].entry_hash)
    tamper(store, "DELETE FROM audit_entries WHERE sequence > 2")
    fill(trail, 3)
    assert kinds(store) == set()
    assert kinds(store, early) == {BreakKind.REWRITTEN}


def test_an_old_head_still_holds_when_the_trail_has_gone_on(store: Store, trail: AuditTrail) -> None:
    fill(trail, 2)
    early = trail.head()
    fill(trail, 2)
    assert verify(store, [early, trail.head()]).holds


@settings(max_examples=40)
@given(data=st.data(), entries=st.integers(1, 6))
def test_no_single_character_can_be_changed_unnoticed(
    make_url: Callable[[], str], data: st.DataObject, entries: int
) -> None:
    with open_store(make_url()) as store:
        fill(AuditTrail(store, lambda: datetime(2026, 11, 20, tzinfo=UTC)), entries)
        sequence = data.draw(st.integers(1, entries))
        column = data.draw(st.sampled_from(COLUMNS))
        with store.writing() as connection:
            row = audit_entries.c.sequence == sequence
            old = connection.execute(select(audit_entries.c[column]).where(row)).scalar_one()
            more = entries + data.draw(st.integers(0, 99))  # a sequence that nothing else has
            new = old + more if column in NUMBERS else changed(old, data)
            unprotected(connection).execute(audit_entries.update().where(row).values({column: new}))
        assert kinds(store)


def changed(old: str, data: st.DataObject) -> str:
    """Return a text that differs in one character."""
    place = data.draw(st.integers(0, len(old) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != old[place]))
    return old[:place] + other + old[place + 1 :]


def test_what_changed_since_an_entry_can_be_read_by_kind(trail: AuditTrail) -> None:
    fill(trail, 4)
    with trail.writing("person:bob") as write:
        write.record("other.done", "other", "1")
    assert [entry.sequence for entry in trail.since(2)] == [3, 4, 5]
    assert [entry.sequence for entry in trail.since(0, kinds=("other",))] == [5]
    assert [entry.sequence for entry in trail.since(0, limit=2)] == [1, 2]
    assert [entry.facts["number"] for entry in trail.of("thing", "thing-0")] == [0, 3]


def test_writers_in_several_processes_take_turns(store: Store, url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        seen = pool.map(_append_and_watch, [url] * 3)
    assert verify(store).holds
    assert verify(store).entries == 3 * 20
    for watched in seen:
        assert watched == sorted(watched)


def _append_and_watch(url: str) -> list[int]:
    """Append twenty entries; return the sequences that a poller saw, which must never go back."""
    watched: list[int] = []
    with open_store(url) as store:
        trail = AuditTrail(store, lambda: datetime.now(UTC))
        for number in range(20):
            with trail.writing("person:alice") as write:
                write.record("thing.done", "thing", str(number))
            watched += [entry.sequence for entry in trail.since(watched[-1] if watched else 0)]
    return watched
