"""Where the entities and persons of BODS are, and what they are called."""

import re
from collections.abc import Mapping
from typing import Any, Final

from stillwatch.respond.access.ownership.sources.bods_statements import listed
from stillwatch.respond.access.ownership.tables import EntityKind

_KINDS: Final = {
    "registeredEntity": EntityKind.ENTITY,
    "legalEntity": EntityKind.ENTITY,
    "arrangement": EntityKind.ARRANGEMENT,
    "state": EntityKind.STATE,
    "stateBody": EntityKind.STATE,
}
"""Every other type is an entity that the source does not know or does not name."""

_NATIONAL_REGISTER: Final = re.compile(r"(?!X[^K])[A-Z]{2}-[A-Z0-9]+")
"""Codes of org-id.guide begin with a country; those with X (but Kosovo's) are international."""


def entity_row(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `ENTITIES` for an entity's details.

    BODS has no headquarters; the business address comes closest. A registered address is where letters go, and is
    no headquarters.
    """
    kind = details.get("entityType")
    kind = kind.get("type") if isinstance(kind, dict) else kind
    name = details.get("name")
    return {
        "name": name if isinstance(name, str) else None,
        "kind": _KINDS.get(kind if isinstance(kind, str) else "", EntityKind.UNKNOWN).value,
        "headquarters": _address(details, "business"),
        "jurisdiction": _registered_in(details),
        "residence": None,
    }


def person_row(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `ENTITIES` for a person's details. A person who is not named is unknown."""
    known = details.get("personType") == "knownPerson"
    tax = next((_code(each) for each in listed(details.get("taxResidencies"))), None)
    return {
        "name": _person_name(details),
        "kind": (EntityKind.PERSON if known else EntityKind.UNKNOWN).value,
        "headquarters": None,
        "jurisdiction": None,
        "residence": _address(details, "residence") or tax,
    }


def identifiers_of(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return scheme and id of each official identifier."""
    return [
        (str(each["scheme"]), str(each["id"]))
        for each in listed(details.get("identifiers"))
        if isinstance(each, dict) and isinstance(each.get("scheme"), str) and isinstance(each.get("id"), str)
    ]


def _registered_in(details: Mapping[str, Any]) -> str | None:
    """Return the jurisdiction; where it is not stated, the country of the register or of the registered address."""
    stated = _code(details.get("jurisdiction", details.get("incorporatedInJurisdiction")))
    registers = (scheme for scheme, _ in identifiers_of(details) if _NATIONAL_REGISTER.match(scheme))
    return stated or next((scheme[:2] for scheme in registers), None) or _address(details, "registered")


def _person_name(details: Mapping[str, Any]) -> str | None:
    """Return the first full name."""
    names = [each.get("fullName") for each in listed(details.get("names")) if isinstance(each, dict)]
    return next((name for name in names if isinstance(name, str)), None)


def _address(details: Mapping[str, Any], kind: str) -> str | None:
    """Return the country of the first address of a kind."""
    for each in listed(details.get("addresses")):
        if isinstance(each, dict) and each.get("type") == kind:
            return _code(each.get("country"))
    return None


def _code(place: Any) -> str | None:
    """Read a country or jurisdiction: an object with a code, or in older versions the bare code."""
    if isinstance(place, dict):
        place = place.get("code")
    return place.upper() if isinstance(place, str) and place else None
