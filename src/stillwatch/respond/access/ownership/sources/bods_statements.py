"""Statements of the Beneficial Ownership Data Standard, versions 0.2 to 0.4, in one shape.

https://standard.openownership.org. Version 0.4 has records that statements are made about (`recordId`,
`recordType`, `recordDetails`); 0.2 and 0.3 have statements that refer to each other by `statementID` and replace
each other (`replacesStatements`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from stillwatch.errors import OwnershipError

StatementType = Literal["entity", "person", "relationship"]

_OLD_TYPES: Final[Mapping[str, StatementType]] = {
    "entityStatement": "entity",
    "personStatement": "person",
    "ownershipOrControlStatement": "relationship",
}
_REFERENCES: Final = ("describedByEntityStatement", "describedByPersonStatement")


@dataclass(frozen=True, slots=True)
class Statement:
    """One claim about an entity, a person or a relationship.

    Args:
        statement_id: Its own id.
        record_id: What relationships refer to it by.
        type: What it is about.
        day: Statement date, ISO 8601; empty when there is none.
        closed: The record ended with this statement.
        replaces: Ids of the statements that it replaces (0.2, 0.3).
        details: The content.
    """

    statement_id: str
    record_id: str
    type: StatementType
    day: str
    closed: bool
    replaces: tuple[str, ...]
    details: Mapping[str, Any]


def statement_of(value: Any, name: str) -> Statement | None:
    """Read one statement of any version.

    Args:
        value: The JSON object.
        name: What errors call the file.

    Returns:
        None for a statement of a type that says nothing about ownership.

    Raises:
        OwnershipError: It is no statement.
    """
    if not isinstance(value, dict):
        raise OwnershipError(f"{name} is no BODS file: a statement is no object")
    day = _text(value.get("statementDate"))[:10]
    replaces: tuple[str, ...] = ()
    if "recordDetails" in value:
        statement_id, record_id = _text(value.get("statementId")), _text(value.get("recordId"))
        kind, details = value.get("recordType"), value["recordDetails"]
        closed = value.get("recordStatus") == "closed"
    else:
        statement_id = record_id = _text(value.get("statementID"))
        kind, details = _OLD_TYPES.get(_text(value.get("statementType"))), value
        replaces, closed = tuple(_text(each) for each in listed(value.get("replacesStatements"))), False
        if "statementType" not in value:
            raise OwnershipError(f"{name} is no BODS file: a statement has neither type nor record")
    if not record_id or not isinstance(details, dict):
        raise OwnershipError(f"{name} is no BODS file: a statement has no id or no details")
    if kind not in {"entity", "person", "relationship"}:
        return None
    return Statement(statement_id, record_id, kind, day, closed, replaces, details)


def current(statements: Iterable[Statement], as_of: date) -> list[Statement]:
    """Keep what is claimed on a day: the last statement on each record, unless it closed it.

    Args:
        statements: In the order of the file; of two statements of one day the later one counts.
        as_of: Statements of later days do not count.
    """
    today = as_of.isoformat()
    latest: dict[tuple[str, str], Statement] = {}
    replaced: set[str] = set()
    for each in statements:
        if each.day > today:
            continue
        replaced.update(each.replaces)
        known = latest.get((each.type, each.record_id))
        if known is None or each.day >= known.day:
            latest[each.type, each.record_id] = each
    return [each for each in latest.values() if not each.closed and each.statement_id not in replaced]


def reference_of(party: Any) -> str | None:
    """Return the record that a subject or an interested party names; None when it is not specified."""
    if isinstance(party, str):
        return party or None
    if isinstance(party, dict):
        for name in _REFERENCES:
            if isinstance(party.get(name), str):
                return str(party[name])
    return None


def reason_of(party: Any) -> str:
    """Return why a party is not specified."""
    if isinstance(party, dict):
        inner = party.get("unspecified", party)
        if isinstance(inner, dict) and isinstance(inner.get("reason"), str):
            return str(inner["reason"])
    return "unknown"


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and anything else as an empty one."""
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Return a text as it is, and anything else as an empty one."""
    return value if isinstance(value, str) else ""
