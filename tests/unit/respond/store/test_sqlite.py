"""What can happen to a database file, said in words."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from stillwatch.errors import StoreError
from stillwatch.respond.store import open_store


def test_durability_is_what_was_promised(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store, store.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_full_disk_is_an_error_and_nothing_is_lost(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        with store.writing() as connection:
            connection.execute(text("CREATE TABLE kept (text TEXT)"))
            connection.execute(text("INSERT INTO kept VALUES ('first')"))

        def fill() -> None:
            with store.writing() as connection:
                pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
                connection.execute(text("INSERT INTO kept VALUES (:text)"), {"text": "x" * 1_000_000})

        with pytest.raises(StoreError, match="full") as refused:
            fill()
        assert "nothing that was acknowledged is lost" in refused.value.hint
        with store.reading() as connection:
            assert connection.execute(text("SELECT text FROM kept")).scalars().all() == ["first"]


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to look at" * 40)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_folder_cannot_be_a_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_store(f"sqlite:///{tmp_path}")


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    open_store(url).close()
    path = tmp_path / "s.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="malformed"):
        open_store(url)


def test_another_program_may_read_while_we_write(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store, store.writing():
        reader = sqlite3.connect(tmp_path / "s.db", timeout=0.1)
        assert reader.execute("SELECT count(*) FROM cases").fetchone() == (0,)
        reader.close()


def test_the_log_beside_the_file_is_for_its_owner_too(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        with store.writing() as connection:
            connection.execute(text("CREATE TABLE kept (text TEXT)"))
        found = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert found == {"s.db": 0o600, "s.db-wal": 0o600, "s.db-shm": 0o600}


def test_what_is_erased_is_not_left_in_the_file(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        with store.writing() as connection:
            connection.execute(text("CREATE TABLE kept (text TEXT)"))
            connection.execute(text("INSERT INTO kept VALUES ('Ms. Roe of Example Labs')"))
        with store.writing() as connection:
            connection.execute(text("UPDATE kept SET text = NULL"))
    assert b"Roe" not in (tmp_path / "s.db").read_bytes()
    assert not (tmp_path / "s.db-wal").exists()
