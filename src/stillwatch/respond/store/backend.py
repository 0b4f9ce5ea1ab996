"""What a database has to offer: one file per database in this folder implements it."""

from typing import Protocol

from sqlalchemy import Connection, Engine


class Backend(Protocol):
    """One kind of database."""

    name: str

    def connect(self, url: str, *, make: bool) -> Engine:
        """Return an engine with every durability option set; nothing is opened yet.

        Args:
            url: The database.
            make: Make it where that is possible and it is absent.

        Raises:
            StoreError: the URL cannot be used.
        """
        ...

    def begin_reading(self, connection: Connection) -> None:
        """Start a transaction that sees one snapshot and writes nothing."""
        ...

    def begin_writing(self, connection: Connection) -> None:
        """Start a transaction as the only writer; wait for others, up to `WAIT_S`."""
        ...


WAIT_S = 15.0
"""How long a writer waits for another before it gives up. Writes are short: a longer wait means that one is stuck."""

MAKE_HINT = (
    "`stillwatch case open FINDINGS` and `stillwatch node` make a database; or name another with --database"
)
"""What to do about a database that is not there."""
