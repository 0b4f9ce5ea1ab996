"""What every store must do."""

import multiprocessing
from collections.abc import Callable
from contextlib import suppress

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from stillwatch.errors import StoreBusyError, StoreError
from stillwatch.respond.store import Store, open_store
from stillwatch.respond.store.columns import OutsideText
from stillwatch.respond.store.migrating import newest
from stillwatch.respond.store.opening import revision_of
from stillwatch.respond.store.schema import HEAD, metadata

SCRATCH = Table("scratch", MetaData(), Column("number", Integer), Column("name", OutsideText))


@pytest.fixture
def scratch(store: Store) -> Store:
    """Return a store with a table of the test's own."""
    with store.writing() as connection:
        SCRATCH.create(connection)
    return store


def numbers_in(store: Store) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(SCRATCH)).scalar_one()


def test_the_newest_migration_is_the_one_that_opening_expects() -> None:
    assert newest() == HEAD


def test_migrations_make_what_the_tables_say(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_have_the_names_that_the_tables_give_them(store: Store) -> None:
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            made = {str(found["name"]) for found in inspect(connection).get_check_constraints(table.name)}
            said = {str(item.name) for item in table.constraints if isinstance(item, CheckConstraint)}
            assert made == {f"ck_{table.name}_{name.removeprefix(f'ck_{table.name}_')}" for name in said}


def test_opening_again_changes_nothing(empty_url: Callable[[], str]) -> None:
    url = empty_url()
    open_store(url).close()
    with open_store(url) as store, store.reading() as connection:
        assert revision_of(connection) == HEAD


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(url: str) -> None:
    with open_store(url) as store:
        with store.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(StoreError, match="newer stillwatch"):
            open_store(url)
        with store.reading() as connection:
            assert revision_of(connection) == "9999"


def test_several_processes_may_open_an_empty_database_at_once(empty_url: Callable[[], str]) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_revision_after_opening, [empty_url()] * 3) == [HEAD] * 3


def _revision_after_opening(url: str) -> str | None:
    with open_store(url) as store, store.reading() as connection:
        return revision_of(connection)


def test_what_an_exception_ends_was_never_written(scratch: Store) -> None:
    def write_and_fail() -> None:
        with scratch.writing() as connection:
            connection.execute(insert(SCRATCH).values(number=1))
            raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        write_and_fail()
    assert numbers_in(scratch) == 0


def test_a_reader_sees_one_snapshot_while_others_write(scratch: Store) -> None:
    with scratch.reading() as reader:
        query = select(func.count()).select_from(SCRATCH)
        assert reader.execute(query).scalar_one() == 0
        with scratch.writing() as writer:
            writer.execute(insert(SCRATCH).values(number=1))
        assert reader.execute(query).scalar_one() == 0
    assert numbers_in(scratch) == 1


def test_nothing_written_through_a_reader_stays(scratch: Store) -> None:
    with suppress(DBAPIError), scratch.reading() as connection:  # refused, or rolled back
        connection.execute(insert(SCRATCH).values(number=1))
    assert numbers_in(scratch) == 0


def test_a_foreign_key_is_kept(store: Store) -> None:
    row = text("INSERT INTO case_accounts (case_id, account_id, joined_at) VALUES ('case-1', 'a', 0)")
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), store.writing() as connection:
        connection.execute(row)


def test_a_second_writer_waits_for_the_first_and_then_says_that_it_is_busy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillwatch.respond.store.sqlite.WAIT_S", 0.1)
    monkeypatch.setattr(
        "stillwatch.respond.store.postgresql.WAIT_BRIEFLY", "SELECT set_config('lock_timeout', '100ms', true)"
    )
    with open_store(url) as one, open_store(url) as other, one.writing():
        with pytest.raises(StoreBusyError) as refused, other.writing():
            pass
        assert "try again" in refused.value.hint


def test_any_text_from_outside_comes_back_as_it_was(scratch: Store) -> None:
    names = [
        "plain",
        "nul\x00nul",
        "\ud800 lone",
        "back\\slash",
        "\\u0000",
        "한국어",
        "'; DROP TABLE cases; --",
    ]
    with scratch.writing() as connection:
        connection.execute(insert(SCRATCH), [{"name": name} for name in names])
    with scratch.reading() as connection:
        for name in names:
            query = select(SCRATCH.c.name).where(SCRATCH.c.name == name)
            assert connection.execute(query).scalars().all() == [name]


def test_the_place_of_a_store_names_no_password(url: str) -> None:
    with open_store(url) as store:
        assert store.place.startswith(f"{store.kind}://")
