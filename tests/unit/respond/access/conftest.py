"""A made-up golden copy of GLEIF's files, in each edition that is published."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

Record = Mapping[str, Any]

_NAMESPACES = {"LEIRecord": "lei", "RelationshipRecord": "rr", "Exception": "repex"}
_LISTS = {"LEIRecord": "records", "RelationshipRecord": "relations", "Exception": "exceptions"}
_HEADERS = {
    "Relationship.RelationshipPeriods.RelationshipPeriod": "Relationship.Period",
    "Relationship.RelationshipQuantifiers.RelationshipQuantifier": "Relationship.Quantifiers",
    "ExceptionReason": "Exception.Reason",
    "ExceptionCategory": "Exception.Category",
}
_FIELDS = {"StartDate": "startDate", "EndDate": "endDate", "PeriodType": "periodType"}


def lei_of(number: int) -> str:
    """Return a made-up LEI with right check digits."""
    stem = f"0000XX{number:012d}"  # no issuer of LEIs has this prefix
    digits = int("".join(str(int(character, 36)) for character in stem) + "00")
    return f"{stem}{98 - digits % 97:02d}"


def entity(lei: str, name: str, headquarters: str, **more: Any) -> Record:
    """Return a level 1 record."""
    country, _, _ = headquarters.partition("-")
    address = {"FirstAddressLine": f"1 Example Street,\n{name}", "Country": country}
    if "-" in headquarters:
        address["Region"] = headquarters
    details = {
        "LegalName": name,
        "HeadquartersAddress": address,
        "LegalJurisdiction": more.get("jurisdiction", country),
        "EntityCategory": more.get("category", "GENERAL"),
    }
    return {"LEI": lei, "Entity": details, "Registration": {"RegistrationStatus": "ISSUED"}}


def relation(child: str, parent: str, kind: str = "IS_DIRECTLY_CONSOLIDATED_BY", **more: Any) -> Record:
    """Return a relationship record."""
    relationship: dict[str, Any] = {
        "StartNode": {"NodeID": child, "NodeIDType": "LEI"},
        "EndNode": {"NodeID": parent, "NodeIDType": "LEI"},
        "RelationshipType": kind,
        "RelationshipPeriods": {
            "RelationshipPeriod": more.get(
                "periods", [{"StartDate": "2019-01-01T00:00:00Z", "PeriodType": "RELATIONSHIP_PERIOD"}]
            )
        },
        "RelationshipStatus": more.get("status", "ACTIVE"),
    }
    if "percent" in more:
        relationship["RelationshipQuantifiers"] = {
            "RelationshipQuantifier": [
                {
                    "MeasurementMethod": "ACCOUNTING_CONSOLIDATION",
                    "QuantifierAmount": more["percent"],
                    "QuantifierUnits": "PERCENTAGE",
                }
            ]
        }
    return {
        "Relationship": relationship,
        "Registration": {"RegistrationStatus": more.get("registration", "PUBLISHED")},
    }


def exception(lei: str, *reasons: str, category: str = "DIRECT") -> Record:
    """Return a reporting exception."""
    return {
        "LEI": lei,
        "ExceptionCategory": f"{category}_ACCOUNTING_CONSOLIDATION_PARENT",
        "ExceptionReason": list(reasons),
    }


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Write a record under the headers of the CSV edition."""
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for name, inner in value.items():
            found |= _flat(inner, f"{path}.{_FIELDS.get(name, name)}" if path else name)
        return found
    if isinstance(value, list):
        found = {}
        for number, inner in enumerate(value, start=1):
            found |= _flat(inner, f"{_HEADERS[path]}.{number}")
        return found
    return {_HEADERS.get(path, path): str(value)}


def _as_csv(tag: str, records: Sequence[Record]) -> str:
    rows = [_flat(record) for record in records]
    header = dict.fromkeys(name for row in rows for name in row)
    if tag == "RelationshipRecord":
        header |= dict.fromkeys(f"Relationship.Period.{number}.endDate" for number in range(1, 6))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(header), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _as_json(tag: str, records: Sequence[Record]) -> str:
    def dressed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: dressed(inner) for name, inner in value.items()}
        return [dressed(inner) for inner in value] if isinstance(value, list) else {"$": value}

    every = [dressed(record) for record in records]
    every = [{tag: each} for each in every] if tag == "RelationshipRecord" else every
    return json.dumps({"header": {"ContentDate": {"$": "2026-11-20"}}, _LISTS[tag]: every}, indent=1)


def _as_xml(tag: str, records: Sequence[Record]) -> str:
    prefix = _NAMESPACES[tag]

    def element(name: str, value: Any) -> str:
        if isinstance(value, list):
            return "".join(element(name, inner) for inner in value)
        inner = (
            "".join(element(*each) for each in value.items()) if isinstance(value, dict) else escape(value)
        )
        return f'<{prefix}:{name} xml:lang="en">{inner}</{prefix}:{name}>\n'

    body = "".join(element(tag, record) for record in records)
    space = f"http://www.gleif.org/data/schema/{prefix}/2016"
    return f'<?xml version="1.0"?>\n<{prefix}:Data xmlns:{prefix}="{space}">{body}</{prefix}:Data>\n'


_WRITERS: Mapping[str, Callable[[str, Sequence[Record]], str]] = {
    "csv": _as_csv,
    "json": _as_json,
    "xml": _as_xml,
}


class GoldenCopy:
    """Makes records and writes files of them.

    Args:
        folder: Where the files go.
    """

    lei = staticmethod(lei_of)
    entity = staticmethod(entity)
    relation = staticmethod(relation)
    exception = staticmethod(exception)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, tag: str, records: Sequence[Record], edition: str = "csv", packing: str = "") -> Path:
        """Write one file in one edition, plain, gzipped or zipped."""
        content = _WRITERS[edition](tag, records).encode()
        path = self._folder / f"20261120-{_NAMESPACES[tag]}.{edition}{packing}"
        if packing == ".gz":
            path.write_bytes(gzip.compress(content))
        elif packing == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(path.stem, content)
        else:
            path.write_bytes(content)
        return path


@pytest.fixture
def golden_copy(tmp_path: Path) -> GoldenCopy:
    """Return the writer of a made-up golden copy."""
    return GoldenCopy(tmp_path)
