"""The columns of GLEIF's golden copy that are needed, in its CSV, JSON and XML editions.

Formats: LEI-CDF 3.1 (level 1, who is who), RR-CDF 2.1 (level 2, who owns whom) and Reporting Exceptions 2.1, as
published daily at https://www.gleif.org/en/lei-data/gleif-golden-copy. The CSV headers are the dotted paths of the
XML elements, except for repeated elements, which are numbered. JSON puts each text under a `$`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import csv as pacsv

from stillwatch.errors import OwnershipError
from stillwatch.respond.access.ownership.sources.json_values import JsonValues
from stillwatch.respond.access.ownership.sources.opened import FileFormat, format_of, opened
from stillwatch.respond.access.ownership.sources.xml_records import xml_records

PERIODS: Final = 5
QUANTIFIERS: Final = 5
REASONS: Final = 5
_BATCH: Final = 20_000

_Path = tuple[str | int, ...]


def _dotted(*names: str) -> dict[str, _Path]:
    """Columns whose CSV header is the path."""
    return {name: tuple(name.split(".")) for name in names}


@dataclass(frozen=True)
class Edition:
    """One of the three files.

    Args:
        tag: Name of a record's element.
        columns: CSV header to the path in a record.
        required: Headers without which the file is another one.
    """

    tag: str
    columns: Mapping[str, _Path]
    required: tuple[str, ...]


LEVEL_1: Final = Edition(
    "LEIRecord",
    _dotted(
        "LEI",
        "Entity.LegalName",
        "Entity.HeadquartersAddress.Country",
        "Entity.HeadquartersAddress.Region",
        "Entity.LegalJurisdiction",
        "Entity.EntityCategory",
    ),
    ("LEI", "Entity.LegalName"),
)

RELATIONSHIPS: Final = Edition(
    "RelationshipRecord",
    _dotted(
        "Relationship.StartNode.NodeID",
        "Relationship.EndNode.NodeID",
        "Relationship.RelationshipType",
        "Relationship.RelationshipStatus",
        "Registration.RegistrationStatus",
    )
    | {
        f"Relationship.Period.{number + 1}.{header}": (
            "Relationship", "RelationshipPeriods", "RelationshipPeriod", number, element,
        )
        for number in range(PERIODS)
        for header, element in (("startDate", "StartDate"), ("endDate", "EndDate"), ("periodType", "PeriodType"))
    }
    | {
        f"Relationship.Quantifiers.{number + 1}.{element}": (
            "Relationship", "RelationshipQuantifiers", "RelationshipQuantifier", number, element,
        )
        for number in range(QUANTIFIERS)
        for element in ("MeasurementMethod", "QuantifierAmount", "QuantifierUnits")
    },
    ("Relationship.StartNode.NodeID", "Relationship.EndNode.NodeID", "Relationship.RelationshipType"),
)  # fmt: skip

EXCEPTIONS: Final = Edition(
    "Exception",
    {"LEI": ("LEI",), "Exception.Category": ("ExceptionCategory",)}
    | {f"Exception.Reason.{number + 1}": ("ExceptionReason", number) for number in range(REASONS)},
    ("LEI", "Exception.Category"),
)


def read_batches(path: Path, edition: Edition) -> Iterator[pa.Table]:
    """Read one golden copy file in pieces.

    Args:
        path: CSV, JSON or XML; plain, gzip or zip.
        edition: Which file it should be.

    Yields:
        Tables with the edition's CSV headers, all text, null where absent.

    Raises:
        OwnershipError: The file cannot be read, or is another one.
    """
    if format_of(path) is FileFormat.CSV:
        yield from _csv_batches(path, edition)
        return
    records = _records(path, edition)
    schema = pa.schema([(name, pa.string()) for name in edition.columns])
    found = False
    while batch := list(islice(records, _BATCH)):
        found = True
        rows = [{name: _at(each, where) for name, where in edition.columns.items()} for each in batch]
        table = pa.Table.from_pylist(rows, schema)
        if any(table.column(name).null_count == len(table) for name in edition.required):
            raise OwnershipError(f"{path} is no {edition.tag} file: {', '.join(edition.required)} are absent")
        yield table
    if not found:
        raise OwnershipError(f"{path} holds no {edition.tag}", hint="check that it is the right file")


def _csv_batches(path: Path, edition: Edition) -> Iterator[pa.Table]:
    """Read CSV with only the columns that are needed."""
    parse = pacsv.ParseOptions(newlines_in_values=True)
    try:
        with opened(path) as stream, pacsv.open_csv(stream, parse_options=parse) as reader:
            header = set(reader.schema.names)
        if missing := [name for name in edition.required if name not in header]:
            raise OwnershipError(f"{path} is no {edition.tag} file: {', '.join(missing)} are absent")
        convert = pacsv.ConvertOptions(
            include_columns=list(edition.columns),
            include_missing_columns=True,
            column_types=dict.fromkeys(edition.columns, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )
        with (
            opened(path) as stream,
            pacsv.open_csv(stream, parse_options=parse, convert_options=convert) as reader,
        ):
            for batch in reader:
                yield pa.Table.from_batches([batch])
    except pa.ArrowException as error:
        said = " ".join(str(error).split())
        raise OwnershipError(f"{path} is no usable CSV: {said}", hint="download the file again") from error


def _records(path: Path, edition: Edition) -> Iterator[Mapping[str, Any]]:
    """Yield records of the JSON or XML edition, without those that were deleted."""
    is_xml = format_of(path) is FileFormat.XML
    with opened(path) as stream:
        every: Iterator[Any]
        every = (
            xml_records(stream, edition.tag, str(path)) if is_xml else JsonValues(stream, str(path)).wrapped()
        )
        for record in every:
            if not isinstance(record, dict):
                raise OwnershipError(f"{path} is no {edition.tag} file: a record is no object")
            inner = record.get(edition.tag, record)
            extension = record.get("Extension")
            deleted = isinstance(extension, dict) and any("Deletion" in name for name in extension)
            if isinstance(inner, dict) and not deleted:
                yield inner


def _at(record: Any, path: _Path) -> str | None:
    """Follow a path; a repeated element that occurs once is no list."""
    value = record
    for part in path:
        if isinstance(part, int):
            value = (
                value[part] if isinstance(value, list) and part < len(value) else value if part == 0 else None
            )
            value = None if isinstance(value, list) else value
        else:
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value = value.get("$")
    return str(value) if isinstance(value, str | int | float) and value != "" else None
