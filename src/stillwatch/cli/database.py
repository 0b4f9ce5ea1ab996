"""What every command on the node's database takes: which database, how to answer, and who acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from cyclopts import Parameter

from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.respond.store import Store

DEFAULT_DATABASE: Final = "sqlite:///stillwatch-node/stillwatch.db"
"""Where `stillwatch node` keeps its database, as seen from the folder it is started in."""


@Parameter(name="*")
@dataclass(frozen=True)
class Place:
    """Which database, and how to answer."""

    database: str | None = None
    """URL of the database; without it the setting node.database, else sqlite:///stillwatch-node/stillwatch.db."""

    format: Literal["pretty", "json"] = "pretty"
    """pretty for people, json for programs."""


@Parameter(name="*")
@dataclass(frozen=True)
class Hand(Place):
    """Who acts, on which version, in which database."""

    author: str | None = None
    """Who acts; the user of this machine unless given."""

    version: int | None = None
    """Version of the case that you looked at: refuses the change if somebody else was faster."""


_LONGEST_NAME: Final = 200

DEFAULT_PLACE: Final = Place()
DEFAULT_HAND: Final = Hand()


@contextmanager
def opened(place: Place, *, make: bool = False) -> "Iterator[Store]":
    """Open the database.

    Args:
        place: Which one.
        make: Make it if it is absent.
    """
    from stillwatch.respond.store import open_store  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.settings import load  # noqa: PLC0415

    url = place.database or load().node.database or DEFAULT_DATABASE
    with open_store(url, make=make) as store:
        yield store


def now_utc() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def person(name: str | None) -> str:
    """Return who acts or works, as the audit trail writes a person; the user of this machine unless named."""
    from getpass import getuser  # noqa: PLC0415 - needed where nobody is named

    plain = (name if name is not None else getuser()).removeprefix("person:").strip()
    if not plain:
        raise UsageError("a name is empty", hint="write --author NAME")
    if len(plain) > _LONGEST_NAME or not plain.isprintable():
        raise UsageError(
            f"a name has {len(plain)} characters or some that cannot be shown",
            hint="write a shorter, plain name",
        )
    return f"person:{plain}"
