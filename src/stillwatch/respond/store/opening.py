"""Open a database and bring its schema up to date."""

from typing import Final

from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from stillwatch.errors import StoreError
from stillwatch.respond.store.backend import MAKE_HINT, Backend
from stillwatch.respond.store.postgresql import PostgresqlBackend
from stillwatch.respond.store.schema import HEAD
from stillwatch.respond.store.session import Store
from stillwatch.respond.store.sqlite import SqliteBackend

_BACKENDS: Final[tuple[Backend, ...]] = (SqliteBackend(), PostgresqlBackend())


def open_store(url: str, *, make: bool = True) -> Store:
    """Open a node's database; make it or bring it up to date where that is needed.

    Two processes may open it at the same time: one migrates, the other waits for it.

    Args:
        url: `sqlite:///stillwatch.db` or `postgresql://user:password@host/database`.
        make: Make the tables in an empty database, and the file where there is none; False refuses it.

    Raises:
        StoreError: the database cannot be opened, was made by a newer stillwatch, or is not there.
    """
    backend = _backend_of(url)
    try:
        engine, place = backend.connect(url, make=make), make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError) as error:  # a port that is no number is a ValueError
        raise StoreError("the database URL cannot be read", hint=_HINT) from error
    store = Store(engine, backend, place)
    try:
        _bring_up_to_date(store, make=make)
    except BaseException:
        store.close()
        raise
    return store


_HINT: Final = "write sqlite:///stillwatch.db or postgresql://user@host/database"


def _backend_of(url: str) -> Backend:
    scheme = url.partition("://")[0]
    for backend in _BACKENDS:
        if scheme == backend.name:
            return backend
    raise StoreError(f"no store is known for {scheme or 'an empty URL'}", hint=_HINT)


def _bring_up_to_date(store: Store, *, make: bool) -> None:
    """Run the migrations that are missing, in one transaction, as the only writer."""
    with store.reading() as connection:
        revision = revision_of(connection)
    if revision == HEAD:
        return
    if revision is None and not make:
        raise StoreError(f"{store.place} holds no cases", hint=MAKE_HINT)
    from stillwatch.respond.store.migrating import upgrade  # noqa: PLC0415 - Alembic loads when it is needed

    with store.writing() as connection:
        if revision_of(connection) != HEAD:
            upgrade(connection)


def revision_of(connection: Connection) -> str | None:
    """Return the schema's revision, or None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
