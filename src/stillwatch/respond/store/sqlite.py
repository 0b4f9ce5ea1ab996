"""SQLite: the embedded default. One file beside its write-ahead log."""

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url

from stillwatch.errors import StoreError
from stillwatch.respond.store.backend import MAKE_HINT, WAIT_S

_OWNER_ONLY: Final = 0o600
"""The file holds customers' account ids; the log and the shared memory beside it inherit its permissions."""

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # in WAL mode NORMAL may lose the last commits on power loss
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is erased because the law asks for it is overwritten
    "PRAGMA trusted_schema = OFF",
)


class SqliteBackend:
    """A file on a local disk. Network file systems do not lock well enough for it."""

    name = "sqlite"

    def connect(self, url: str, *, make: bool) -> Engine:
        """Return an engine on the file, which is made, readable by its owner only, if it is absent."""
        path = _path_in(url)
        if make:
            _make_private(path)
        elif not path.exists():
            raise StoreError(f"there is no database {path}", hint=MAKE_HINT)
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": WAIT_S})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _leave_begin_to_us)
        return engine

    def begin_reading(self, connection: Connection) -> None:
        """Begin; the first read takes the snapshot."""
        connection.exec_driver_sql("BEGIN")

    def begin_writing(self, connection: Connection) -> None:
        """Take the write lock at once: a transaction that starts as a reader cannot always become a writer."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _path_in(url: str) -> Path:
    database = make_url(url).database
    if not database or database == ":memory:" or database.startswith("file:"):
        raise StoreError(
            f"{url} names no file", hint="write sqlite:///stillwatch.db or sqlite:////srv/stillwatch.db"
        )
    return Path(database)


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ONLY))
    except OSError as error:
        raise StoreError(
            f"cannot open {path}: {error.strerror}", hint="choose a file that you may write"
        ) from error


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """Set up one new connection. Python must not begin transactions by itself: it begins them too late."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _leave_begin_to_us(_connection: Connection) -> None:
    """Do nothing when SQLAlchemy begins; `begin_reading` and `begin_writing` say which kind it is."""
