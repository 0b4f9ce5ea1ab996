"""A file of the Beneficial Ownership Data Standard as a register."""

from collections.abc import Iterator, Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from stillwatch.errors import OwnershipError
from stillwatch.respond.access.ownership.sources.bods_interests import interests_on
from stillwatch.respond.access.ownership.sources.bods_places import entity_row, identifiers_of, person_row
from stillwatch.respond.access.ownership.sources.bods_statements import (
    Statement,
    current,
    listed,
    reason_of,
    reference_of,
    statement_of,
)
from stillwatch.respond.access.ownership.sources.json_values import JsonValues
from stillwatch.respond.access.ownership.sources.opened import FileFormat, format_of, opened
from stillwatch.respond.access.ownership.tables import ENTITIES, GAPS, HOLDINGS, is_lei

_LEI_SCHEMES: Final = frozenset({"XI-LEI", "LEI"})


@dataclass
class _Content:
    """What a file says on one day, as rows of the three tables."""

    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    holdings: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)


class BodsRegister:
    """One BODS file on one day.

    An entity with an LEI goes by it, so that registers meet there; every other record goes by the file's name and
    its own id.

    Args:
        path: JSON or JSON lines; plain, gzip or zip. Versions 0.2 to 0.4.
        as_of: Later statements do not count.
    """

    def __init__(self, path: Path, *, as_of: date) -> None:
        self._path = path
        self._as_of = as_of

    @property
    def name(self) -> str:
        """What explanations call it."""
        return self._path.name

    @cached_property
    def holdings(self) -> pa.Table:
        """Schema `HOLDINGS`."""
        return pa.Table.from_pylist(self._content.holdings, HOLDINGS)

    @cached_property
    def gaps(self) -> pa.Table:
        """Schema `GAPS`."""
        return pa.Table.from_pylist(self._content.gaps, GAPS)

    def describe(self, entity_ids: AbstractSet[str]) -> pa.Table:
        """Return schema `ENTITIES` for those of the ids that the file describes."""
        known = self._content.entities
        return pa.Table.from_pylist([known[each] for each in sorted(entity_ids) if each in known], ENTITIES)

    def find(self, identifier: str) -> str | None:
        """Know an entity by its LEI, its record id, its statement id, or `scheme:id`."""
        return self._content.aliases.get(identifier)

    @cached_property
    def _content(self) -> _Content:
        """Read the file once."""
        statements = current(_statements(self._path), self._as_of)
        content = _Content()
        for each in statements:
            if each.type != "relationship":
                self._describe(each, content)
        for each in statements:
            if each.type == "relationship":
                self._relate(each, content)
        return content

    def _describe(self, statement: Statement, content: _Content) -> None:
        """Take in an entity or a person, under all its names."""
        identifiers = identifiers_of(statement.details) if statement.type == "entity" else []
        lei = next((each for scheme, each in identifiers if scheme in _LEI_SCHEMES and is_lei(each)), None)
        entity_id = lei or self._own_id(statement.record_id)
        row = entity_row if statement.type == "entity" else person_row
        content.ids[statement.record_id] = entity_id
        content.entities.setdefault(entity_id, {"entity_id": entity_id, **row(statement.details)})
        names = [statement.record_id, statement.statement_id, entity_id]
        names += [f"{scheme}:{each}" for scheme, each in identifiers]
        for alias in names:
            content.aliases.setdefault(alias, entity_id)
        if _is_listed(statement.details):
            content.gaps.append({"subject": entity_id, "reason": "publicListing", "low": None})

    def _relate(self, statement: Statement, content: _Content) -> None:
        """Take in a relationship: holdings of a named party, gaps of an unnamed one."""
        details = statement.details
        subject = reference_of(details.get("subject"))
        if subject is None:
            return
        entity_id = content.ids.get(subject, self._own_id(subject))
        owner = reference_of(details.get("interestedParty"))
        for interest in interests_on(details, self._as_of):
            if owner is None:
                reason = reason_of(details.get("interestedParty"))
                low = interest.low or None
                content.gaps.append({"subject": entity_id, "reason": reason, "low": low})
            else:
                held = {"low": interest.low, "high": interest.high, "way": interest.way.value}
                content.holdings.append(
                    {
                        "subject": entity_id,
                        "owner": content.ids.get(owner, self._own_id(owner)),
                        "basis": interest.basis,
                        "statement": statement.statement_id,
                        **held,
                    }
                )

    def _own_id(self, record_id: str) -> str:
        """Keep the records of two files apart."""
        return f"{self.name}#{record_id}"


def _statements(path: Path) -> Iterator[Statement]:
    """Yield the statements of a file."""
    if format_of(path) is not FileFormat.JSON:
        raise OwnershipError(f"{path} is no JSON", hint="give BODS as JSON or JSON lines")
    with opened(path) as stream:
        for value in JsonValues(stream, str(path)).lines():
            statement = statement_of(value, str(path))
            if statement is not None:
                yield statement


def _is_listed(details: Mapping[str, Any]) -> bool:
    """Say whether shares of an entity are publicly traded."""
    listing = details.get("publicListing")
    if not isinstance(listing, dict):
        return False
    return listing.get("hasPublicListing") is True or bool(listed(listing.get("securitiesListings")))
