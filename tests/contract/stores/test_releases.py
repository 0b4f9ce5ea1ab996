"""A database of each earlier revision is brought up to date, and nothing in it is lost or changed."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from stillwatch.domain.cases import CaseLabel, CaseStatus
from stillwatch.respond.audit import Head, verify
from stillwatch.respond.cases import labels_of, rows
from stillwatch.respond.cases.verifying import differences
from stillwatch.respond.store import open_store
from stillwatch.respond.store.migrating import FOLDER
from stillwatch.respond.store.opening import revision_of
from stillwatch.respond.store.schema import HEAD, metadata

RELEASES = Path(__file__).with_name("releases")
KEPT = ("0001",)
"""Revisions of which a dump is kept. A release adds its own: `.dump` of sqlite3, and `pg_dump --inserts`."""

HEADS = {"0001": Head(9, "84a6d7e6d7548d63c857fdf52ee8dd7ee0c3bf1e33e18bea22f10f737709a8eb")}


@pytest.fixture(params=KEPT)
def revision(request: pytest.FixtureRequest) -> str:
    """Return an earlier revision."""
    return str(request.param)


@pytest.fixture
def old_url(revision: str, kind: str, empty_url: Callable[[], str], request: pytest.FixtureRequest) -> str:
    """Return the URL of a database of that revision, made from the dump."""
    url, dump = empty_url(), (RELEASES / f"revision-{revision}.{kind}.sql").read_text(encoding="utf-8")
    if kind == "postgresql":
        name = url.partition("?")[0].rpartition("/")[2]
        request.getfixturevalue("postgresql").psql(f"\\connect {name}\n{dump}")
    else:
        database = sqlite3.connect(url.removeprefix("sqlite:///"))
        database.executescript(dump)
        database.close()
    return url


def test_a_database_of_an_earlier_revision_keeps_everything(old_url: str, revision: str) -> None:
    with open_store(old_url) as store:
        assert verify(store, [HEADS[revision]]).holds
        assert differences(store) == ()
        with store.reading() as connection:
            assert revision_of(connection) == HEAD
            (case,) = rows.everything(connection)
            assert case.status is CaseStatus.CLOSED
            assert [note.text for note in rows.notes_of(connection, "case-1")] == ["a note that stays", None]
            assert len(rows.finding_in(connection, case).accounts) == 4
        assert [known.label for known in labels_of(store)] == [CaseLabel.RESALE, CaseLabel.BENIGN]


def test_a_database_of_an_earlier_revision_gets_the_schema_of_a_new_one(old_url: str) -> None:
    with open_store(old_url) as store, store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_are_one_line_without_branches() -> None:
    script = ScriptDirectory(str(FOLDER))
    numbers = [found.revision for found in script.walk_revisions()]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[-1] == "0001"
