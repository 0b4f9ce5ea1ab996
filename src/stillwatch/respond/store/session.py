"""Transactions on an open store."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from stillwatch.respond.store.backend import Backend
from stillwatch.respond.store.failures import explained


class Store:
    """An open database with the newest schema. May be used from several threads; each transaction belongs to one.

    Args:
        engine: The database.
        backend: What kind it is.
        place: The database's URL without a password, for people.
    """

    def __init__(self, engine: Engine, backend: Backend, place: str) -> None:
        self._engine = engine
        self._backend = backend
        self.place = place

    @property
    def kind(self) -> str:
        """Return `sqlite` or `postgresql`."""
        return self._backend.name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one snapshot of everything.

        Yields:
            The connection. What is written through it is refused or rolled back.

        Raises:
            StoreError: the database cannot be read.
        """
        with explained(self.place), self._engine.connect() as connection:
            self._backend.begin_reading(connection)
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction as the only writer; leaving it commits durably, an exception undoes everything.

        Yields:
            The connection.

        Raises:
            StoreBusyError: another writer did not end in time.
            StoreError: the database cannot be written.
        """
        with explained(self.place), self._engine.begin() as connection:
            self._backend.begin_writing(connection)
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Return the store, to be closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()
