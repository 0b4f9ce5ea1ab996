"""Say what a database refused in words a person can act on. Bugs (wrong SQL, broken constraints) stay loud."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError as PoolTimeoutError

from stillwatch.errors import StoreBusyError, StoreError

_SQLITE_HINTS: Final = {
    "locked": "another process has been writing for long; try again, or use PostgreSQL for many writers",
    "readonly": "give this user the right to write the file and its folder",
    "disk is full": "free space on the disk; nothing that was acknowledged is lost",
    "disk I/O error": "look at the disk; nothing that was acknowledged is lost",
    "unable to open": "check that the folder exists and may be written",
    "not a database": "the file is something else; choose another",
    "malformed": "the file is damaged: restore it from a backup",
}
_POSTGRESQL_HINTS: Final = {
    "08": "check that the server is running and reachable",
    "28": "check user and password in the database URL",
    "3D": "create the database first: createdb NAME",
    "40": "try again: the server undid one of two writers",
    "42501": "give this user the right to create and write tables",
    "53": "the server has run out of a resource, such as disk space",
    "55P03": "another process has been writing for long; try again",
    "57P": "the server is stopping or starting; try again",
    "58": "look at the server's disk",
}
"""SQLSTATE, or its first characters (PostgreSQL 18 documentation, appendix A)."""

_BUSY: Final = ("locked", "55P03", "40")


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn the database's operational failures into a `StoreError`.

    Args:
        place: The database, without a password.

    Raises:
        StoreBusyError: another writer holds the lock for too long.
        StoreError: the database cannot be reached, read or written.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        found = _known(error)
        if found is None:
            raise
        key, hint = found
        kind = StoreBusyError if key in _BUSY else StoreError
        raise kind(f"{place}: {_sentence(error)}", hint=hint) from error
    except PoolTimeoutError as error:
        raise StoreBusyError(f"{place}: all connections are in use", hint="try again") from error
    except (ConnectionError, TimeoutError) as error:
        raise StoreError(f"{place}: {error}", hint=_POSTGRESQL_HINTS["08"]) from error


def _known(error: DBAPIError) -> tuple[str, str] | None:
    """Return the key and the hint of a failure that is not our bug."""
    code = _sqlstate(error)
    if code is not None:
        return next(((key, hint) for key, hint in _POSTGRESQL_HINTS.items() if code.startswith(key)), None)
    text = str(error.orig)
    for key, hint in _SQLITE_HINTS.items():
        if key in text:
            return key, hint
    unreachable = error.connection_invalidated or type(error.orig).__name__ == "InterfaceError"
    return ("08", _POSTGRESQL_HINTS["08"]) if unreachable else None


def _sqlstate(error: DBAPIError) -> str | None:
    """Return the code that the server sent, if a server sent one."""
    first = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return str(first["C"]) if isinstance(first, dict) and "C" in first else None


def _sentence(error: DBAPIError) -> str:
    """Return the database's own message on one line, without the statement and its values."""
    first = error.orig.args[0] if error.orig is not None and error.orig.args else error.orig
    return " ".join(str(first["M"] if isinstance(first, dict) else first).split())
