"""The account table: Parquet, JSON lines or CSV, one row per account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as pacsv, fs as pafs

from stillwatch.detect.logs.reading.columns import coerce, column_of
from stillwatch.detect.logs.reading.formats import MAP_HINT
from stillwatch.detect.logs.reading.json_lines import BOM, LineProblem, parsed, value_at
from stillwatch.detect.logs.reading.opened import OpenedFile, open_source
from stillwatch.detect.logs.reading.rejected import Place, Reason, RejectedLog
from stillwatch.detect.logs.reading.sources import find_sources
from stillwatch.domain.requests import ACCOUNTS, REQUIRED_ACCOUNT_COLUMNS
from stillwatch.errors import InputError, MissingColumnsError

_PARQUET_MAGIC = b"PAR1"
_DELIMITERS = (",", ";", "\t")


@dataclass(slots=True)
class AccountTable:
    """The accounts, and what a person should know about the file.

    Args:
        table: Schema `ACCOUNTS`, each account once, the last row of an account counts.
        rejected: Rows that were refused.
        notes: Plain sentences about ignored and absent columns.
        columns: Canonical columns that the file has, with or without values.
    """

    table: pa.Table
    rejected: int = 0
    notes: list[str] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Loaded:
    """Columns as the file holds them."""

    columns: dict[str, pa.Array | Sequence[Any]]
    places: list[Place]
    names: list[str]
    refused: list[tuple[Place, Reason, str]] = field(default_factory=list)


def read_accounts(
    source: str | Path,
    *,
    rejected: RejectedLog | None = None,
    columns_map: Mapping[str, str] | None = None,
    filesystem: pafs.FileSystem | None = None,
) -> pa.Table:
    """Read the account table.

    Args:
        source: A Parquet, JSON-lines or CSV file, compressed or not; a folder of such files.
        rejected: Where refused rows go; None only drops them.
        columns_map: Own name of a canonical column, where it differs.
        filesystem: Where the source lives; None takes the local disk and URIs.

    Returns:
        Schema `ACCOUNTS`, each account once; the last row of an account counts.

    Raises:
        InputError: The file is missing or in no readable format.
        MissingColumnsError: It has no account ids.
    """
    return load_accounts(source, rejected=rejected, columns_map=columns_map, filesystem=filesystem).table


def load_accounts(
    source: str | Path,
    *,
    rejected: RejectedLog | None = None,
    columns_map: Mapping[str, str] | None = None,
    filesystem: pafs.FileSystem | None = None,
) -> AccountTable:
    """Read the account table, with notes; see `read_accounts`."""
    rejected = rejected if rejected is not None else RejectedLog()
    result = AccountTable(ACCOUNTS.empty_table())
    parts: list[pa.Table] = []
    for each in find_sources([source], filesystem=filesystem):
        opened = open_source(each)
        try:
            loaded = _load(opened, dict(columns_map or {}))
        finally:
            opened.close()
        for place, reason, detail in loaded.refused:
            rejected.add(place, reason, detail=detail)
        result.rejected += len(loaded.refused)
        parts.append(_canonical(loaded, dict(columns_map or {}), rejected, result))
    result.table = _last_of_each(pa.concat_tables(parts))
    return result


def _load(opened: OpenedFile, columns_map: Mapping[str, str]) -> _Loaded:
    """Read the file in whichever of the three formats it is."""
    name = opened.source.name
    if not opened.head.strip():
        raise InputError(f"{name} is empty", hint="give the account table, or leave --accounts out")
    try:
        if opened.head.startswith(_PARQUET_MAGIC):
            loaded = _load_parquet(opened)
        elif opened.head.lstrip()[:1] == b"{":
            loaded = _load_json_lines(opened, columns_map)
        else:
            loaded = _load_csv(opened)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{name} is no readable account table", hint="give Parquet, JSON lines or CSV with a header"
        ) from error
    if opened.damage:
        raise InputError(f"{name} is damaged: {opened.damage[0].reason.value}", hint="copy the file again")
    own = [columns_map.get(column, column) for column in REQUIRED_ACCOUNT_COLUMNS]
    if missing := set(own) - set(loaded.names):
        raise MissingColumnsError(name, missing=missing, found=loaded.names, hint=MAP_HINT)
    return loaded


def _load_parquet(opened: OpenedFile) -> _Loaded:
    """Read a Parquet file whole: a row per account is little."""
    table = pq.read_table(pa.BufferReader(b"".join(opened.chunks))).combine_chunks()
    columns = {name: _one_chunk(table.column(name)) for name in table.column_names}
    places = [Place(opened.source.name, row, "row") for row in range(1, table.num_rows + 1)]
    return _Loaded(columns, places, table.column_names)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    return column.chunk(0) if column.num_chunks else pa.nulls(0, column.type)


def _load_csv(opened: OpenedFile) -> _Loaded:
    """Read a CSV file as text; types are settled per canonical column."""
    header = opened.head.split(b"\n", 1)[0].decode(errors="replace")
    delimiter = max(_DELIMITERS, key=header.count)
    refused: list[tuple[Place, Reason, str]] = []

    def refuse(row: Any) -> str:
        place = Place(opened.source.name, row.number, "row")
        detail = f"{row.actual_columns} instead of {row.expected_columns}"
        refused.append((place, Reason.WRONG_FIELD_COUNT, detail))
        return "skip"

    names = [name.strip().strip('"') for name in header.strip("\ufeff\r\n").split(delimiter)]
    table = pacsv.read_csv(
        pa.BufferReader(b"".join(opened.chunks)),
        read_options=pacsv.ReadOptions(use_threads=False),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=True, null_values=[""],
            quoted_strings_can_be_null=True,
        ),
    ).combine_chunks()  # fmt: skip
    columns = {name: _one_chunk(table.column(name)).to_pylist() for name in table.column_names}
    texts: dict[str, Any] = {name: [_text(value) for value in values] for name, values in columns.items()}
    places = [Place(opened.source.name, row, "row") for row in range(2, table.num_rows + 2)]
    return _Loaded(texts, places, table.column_names, refused)


def _text(value: bytes | None) -> str | bytes | None:
    """Decode a cell; one that is no UTF-8 stays bytes and is refused with its column."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


_decoder = msgspec.json.Decoder(dict[str, Any])


def _load_json_lines(opened: OpenedFile, columns_map: Mapping[str, str]) -> _Loaded:
    """Read JSON lines; broken ones are refused."""
    records: list[dict[str, Any]] = []
    loaded = _Loaded({}, [], [])
    names: dict[str, None] = {}
    for place, line in _lines(opened):
        try:
            record = parsed(_decoder.decode, line)
        except LineProblem as problem:
            loaded.refused.append((place, problem.reason, problem.detail))
            continue
        names.update(dict.fromkeys(record))
        records.append(record)
        loaded.places.append(place)
    wanted = {columns_map.get(column, column) for column in ACCOUNTS.names} | set(names)
    loaded.columns = {name: [value_at(record, name) for record in records] for name in wanted}
    loaded.names = [*names, *(path for path in wanted if "." in path and path not in names)]
    return loaded


def _lines(opened: OpenedFile) -> Iterator[tuple[Place, bytes]]:
    """Yield the lines of a small file."""
    data = b"".join(opened.chunks)
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield Place(opened.source.name, number), line.removeprefix(BOM)


def _canonical(
    loaded: _Loaded, columns_map: Mapping[str, str], rejected: RejectedLog, result: AccountTable
) -> pa.Table:
    """Bring the columns to their types; a row with a wrong value keeps its other values."""
    own = {column: columns_map.get(column, column) for column in ACCOUNTS.names}
    _note_columns(loaded.names, own, result)
    count = len(loaded.places)
    arrays: list[pa.Array] = []
    for schema_field in ACCOUNTS:
        values = loaded.columns.get(own[schema_field.name])
        if values is None:
            arrays.append(pa.nulls(count, schema_field.type))
            continue
        array, problems = (
            coerce(values, schema_field) if isinstance(values, pa.Array) else column_of(values, schema_field)
        )
        for index, reason in problems:
            rejected.add(loaded.places[index], reason, column=schema_field.name)
        result.rejected += len(problems)
        arrays.append(array)
    table = pa.Table.from_arrays(arrays, schema=ACCOUNTS)
    return _with_ids(table, loaded, rejected, result)


def _with_ids(table: pa.Table, loaded: _Loaded, rejected: RejectedLog, result: AccountTable) -> pa.Table:
    """Refuse rows without an account id."""
    ids = table.column("account_id").to_pylist()
    kept = [bool(each) for each in ids]
    for index, keep in enumerate(kept):
        if not keep:
            rejected.add(loaded.places[index], Reason.MISSING_FIELD, column="account_id")
            result.rejected += 1
    return table.filter(pa.array(kept, pa.bool_()))


def _note_columns(names: Sequence[str], own: Mapping[str, str], result: AccountTable) -> None:
    """Say which columns are not used, and which are absent."""
    unknown = sorted(set(names) - set(own.values()))
    if unknown:
        result.notes.append(f"columns of the account table that are not used: {', '.join(unknown)}")
    result.columns.update(column for column, theirs in own.items() if theirs in names)
    absent = [column for column, theirs in own.items() if theirs not in names]
    if absent:
        result.notes.append(f"columns that the account table lacks: {', '.join(absent)}")


def _last_of_each(table: pa.Table) -> pa.Table:
    """Keep the last row of each account, in the order in which accounts first appear."""
    last = {account: index for index, account in enumerate(table.column("account_id").to_pylist())}
    if len(last) == table.num_rows:
        return table
    return table.take(pa.array(list(last.values()), pa.int64()))
