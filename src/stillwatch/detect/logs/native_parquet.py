"""Stillwatch's own Parquet: one column per canonical column, vectorized from disk to batch."""

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import MAP_HINT, Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rejected import Place, Reason
from stillwatch.domain.requests import REQUESTS, REQUIRED_REQUEST_COLUMNS, TEXT_COLUMNS
from stillwatch.errors import MissingColumnsError

_MAGIC = b"PAR1"
_LEAST_ROWS = 1_024
_SPOOL_BYTES = 64 << 20
_UNREPEATED_BYTES = 64  # texts of people are longer on average; a column below this is full of repeats
_BROKEN = (pa.ArrowException, OSError, UnicodeDecodeError)


def _sniff(head: Head) -> float:
    """Recognize the magic bytes."""
    return 1.0 if head.raw.startswith(_MAGIC) else 0.0


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches of one Parquet file."""
    with ExitStack() as stack:
        try:
            file = _random_access(opened, stack)
            parquet = stack.enter_context(pq.ParquetFile(file, pre_buffer=True))
            names = _own_names(parquet.schema_arrow, reading.columns_map)
            if repeated := _repeated_texts(parquet, names):
                parquet = stack.enter_context(
                    pq.ParquetFile(file, metadata=parquet.metadata, pre_buffer=True, read_dictionary=repeated)
                )
        except _BROKEN:
            reading.refuse(Place(opened.source.name), Reason.BROKEN_PARQUET)
            return
        _check_columns(opened, names, parquet.schema_arrow.names, reading)
        yield from _batches(parquet, names, opened.source.name, reading)


def _random_access(opened: OpenedFile, stack: ExitStack) -> Any:
    """Return the file, or a temporary copy of what can only be read once."""
    if opened.seekable:
        return opened.stored
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - the stack closes it
    stack.enter_context(spool)
    for chunk in opened.chunks:
        spool.write(chunk)
    spool.seek(0)
    return pa.PythonFile(spool, mode="r")


def _own_names(schema: pa.Schema, columns_map: Mapping[str, str]) -> dict[str, str]:
    """Map canonical names to the file's own, where the file has the column."""
    wanted = {name: columns_map.get(name, name) for name in REQUESTS.names}
    return {name: own for name, own in wanted.items() if own in schema.names}


def _repeated_texts(parquet: pq.ParquetFile, names: Mapping[str, str]) -> list[str]:
    """Return text columns that are far smaller in the file than in memory, because their texts repeat.

    They are read as dictionaries and cut before they are decoded: one document of 200 kB in a hundred thousand
    prompts would otherwise need 20 GB at once.
    """
    texts = {names[name] for name in TEXT_COLUMNS if name in names}
    found: set[str] = set()
    for group in range(parquet.metadata.num_row_groups):
        row_group = parquet.metadata.row_group(group)
        for index in range(row_group.num_columns):
            column = row_group.column(index)
            is_small = column.total_uncompressed_size < _UNREPEATED_BYTES * column.num_values
            if column.path_in_schema in texts and is_small:
                found.add(column.path_in_schema)
    return sorted(found)


def _check_columns(opened: OpenedFile, names: Mapping[str, str], found: list[str], reading: Reading) -> None:
    """Refuse a file without the columns that every row must have."""
    missing = set(REQUIRED_REQUEST_COLUMNS) - set(names) - set(reading.partition)
    if missing:
        raise MissingColumnsError(opened.source.name, missing=missing, found=found, hint=MAP_HINT)


def _batches(
    parquet: pq.ParquetFile, names: Mapping[str, str], file: str, reading: Reading
) -> Iterator[pa.RecordBatch]:
    """Read runs of row groups; a damaged group costs its own rows only."""
    chosen = {name: own for name, own in names.items() if name in reading.admission.wanted}
    start = 0
    for groups in _runs(parquet, reading.limits.batch_rows):
        yield from _group_batches(parquet, groups, chosen, Place(file, start + 1, "row"), reading)
        start += _rows_in(parquet, groups)


def _rows_in(parquet: pq.ParquetFile, groups: Sequence[int]) -> int:
    """Return how many rows these row groups hold."""
    return sum(int(parquet.metadata.row_group(group).num_rows) for group in groups)


def _runs(parquet: pq.ParquetFile, most_rows: int) -> Iterator[list[int]]:
    """Join small neighbors, because a batch has a price of its own."""
    run: list[int] = []
    for group in range(parquet.metadata.num_row_groups):
        if run and _rows_in(parquet, [*run, group]) > most_rows:
            yield run
            run = []
        run.append(group)
    if run:
        yield run


def _group_batches(
    parquet: pq.ParquetFile, groups: list[int], names: Mapping[str, str], first: Place, reading: Reading
) -> Iterator[pa.RecordBatch]:
    """Read one run; when it is damaged, what is left of it group by group."""
    start, done = first.number or 1, 0
    batches = parquet.iter_batches(
        batch_size=_batch_rows(parquet, groups, reading), row_groups=groups, columns=list(names.values())
    )
    while (batch := _next(batches)) is not None and not isinstance(batch, _Damaged):
        for piece in _pieces(batch, 2 * reading.limits.batch_bytes):
            yield _admitted(piece, names, Place(first.file, start + done, "row"), reading)
            done += piece.num_rows
    if batch is None:
        return
    for group in groups:
        rows = _rows_in(parquet, [group])
        if done >= rows:
            done -= rows
        elif len(groups) > 1 and not done:
            yield from _group_batches(parquet, [group], names, Place(first.file, start, "row"), reading)
        else:
            place = Place(first.file, start + done, "row")
            reading.refuse(place, Reason.BROKEN_PARQUET, count=rows - done)
            done = 0
        start += rows


def _pieces(batch: pa.RecordBatch, most_bytes: int) -> Iterator[pa.RecordBatch]:
    """Cut a batch that is larger than the file let expect: one long text may stand in it ten thousand times."""
    if batch.num_rows > 1 and _decoded_bytes(batch) > most_bytes:
        half = batch.num_rows // 2
        yield from _pieces(batch.slice(0, half), most_bytes)
        yield from _pieces(batch.slice(half), most_bytes)
    else:
        yield batch


def _decoded_bytes(batch: pa.RecordBatch) -> int:
    """Return about how large a batch is without dictionaries."""
    size = int(batch.nbytes)
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and _is_text(column.type.value_type):
            size += (pc.max(pc.binary_length(column.dictionary)).as_py() or 0) * len(column)
    return size


def _is_text(kind: pa.DataType) -> bool:
    """Say whether values of a type have a length in bytes."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind))


class _Damaged:
    """Stands for a batch that cannot be decoded."""


def _next(batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | _Damaged | None:
    """Return the next batch; only failures of decoding count as damage, ours stay loud."""
    try:
        return next(batches, None)
    except _BROKEN:
        return _Damaged()


def _batch_rows(parquet: pq.ParquetFile, groups: Sequence[int], reading: Reading) -> int:
    """Choose a batch size by the bytes per row, so that long prompts do not fill the memory."""
    size = sum(int(parquet.metadata.row_group(group).total_byte_size) for group in groups)
    bytes_per_row = max(1, size // max(1, _rows_in(parquet, groups)))
    return max(_LEAST_ROWS, min(reading.limits.batch_rows, reading.limits.batch_bytes // bytes_per_row))


def _admitted(
    batch: pa.RecordBatch, names: Mapping[str, str], first: Place, reading: Reading
) -> pa.RecordBatch:
    """Check one batch."""
    columns: dict[str, Any] = {
        name: batch.column(batch.schema.get_field_index(own)) for name, own in names.items()
    }
    for name, value in reading.partition.items():
        columns.setdefault(name, pa.repeat(value, batch.num_rows))
    admitted, refusals = reading.admission.admit(columns, batch.num_rows)
    for refusal in refusals:
        place = Place(first.file, (first.number or 1) + refusal.index, "row")
        reading.refuse(place, refusal.reason, column=refusal.column)
    return admitted


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up requests."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in EXAMPLE_ROWS], schema=REQUESTS), sink)
    return (Example("requests.parquet", sink.getvalue(), EXAMPLE_ROWS),)


FORMAT = LogFormat(
    name="parquet",
    title="Stillwatch Parquet",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
)
