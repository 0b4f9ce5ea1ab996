"""Stillwatch's own CSV: a header with the canonical names; comma, semicolon or tab."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import MAP_HINT, Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import BOM
from stillwatch.detect.logs.reading.lines import LongLine, lines_of
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rejected import Place, Reason
from stillwatch.domain.requests import REQUESTS, REQUIRED_REQUEST_COLUMNS
from stillwatch.errors import MissingColumnsError

_DELIMITERS = (",", ";", "\t")
_ROWS_PER_BATCH = 32_768
_ESCAPED = "surrogateescape"  # keeps bytes that are no UTF-8 apart until their row is refused


def header_of(line: bytes) -> tuple[list[str], str]:
    """Return the column names of a header line, and the sign between them.

    Args:
        line: The first line.
    """
    text = line.removeprefix(BOM).decode(errors="replace").strip("\r\n")
    best = max(_DELIMITERS, key=text.count)
    return [name.strip().strip('"') for name in text.split(best)], best


def _sniff(head: Head) -> float:
    """Look for a header with the required names; two of three are enough to say what is missing."""
    line = head.raw.split(b"\n", 1)[0]
    if head.records or line.lstrip()[:1] in {b"{", b"["} or b"\x00" in line:
        return 0.0
    names = set(header_of(line)[0])
    own = [head.columns_map.get(name, name) for name in REQUIRED_REQUEST_COLUMNS]
    present = sum(name in names for name in own)
    return (0.9 if present == len(own) else 0.5) if present >= len(own) - 1 else 0.0


@dataclass(slots=True)
class _Lines:
    """The lines as text, and how many of them the CSV parser has taken."""

    opened: OpenedFile
    reading: Reading
    taken: int = 0

    def __iter__(self) -> Iterator[str]:
        """Yield lines with their ends, which the parser needs inside quotes."""
        for line in lines_of(self.opened.chunks, self.reading.limits.max_line_bytes):
            self.taken += 1
            if isinstance(line, LongLine):
                place = Place(self.opened.source.name, self.taken)
                self.reading.refuse(place, Reason.LINE_TOO_LONG, detail=f"{line.size_bytes:,} bytes")
                continue
            data = line.removeprefix(BOM) if self.taken == 1 else line
            yield data.decode(errors=_ESCAPED) + "\n"


@dataclass(slots=True)
class _Gathered:
    """Rows of text that become the next batch."""

    rows: list[list[str]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    size: int = 0


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches."""
    csv.field_size_limit(reading.limits.max_line_bytes)
    lines = _Lines(opened, reading)
    text = iter(lines)
    first = next(text, None)
    if first is None:
        return
    header, delimiter = header_of(first.encode(errors=_ESCAPED))
    indexes = _indexes(header, reading, opened.source.name)
    gathered = _Gathered()
    for place, row in _rows(text, lines, delimiter):
        if isinstance(row, Reason):
            reading.refuse(place, row)
        elif not row:
            reading.summary.ignored += 1
        elif len(row) != len(header):
            reading.refuse(place, Reason.WRONG_FIELD_COUNT, detail=f"{len(row)} instead of {len(header)}")
        else:
            gathered.rows.append(row)
            gathered.places.append(place)
            gathered.size += sum(map(len, row))
            if _is_full(gathered, reading):
                yield _admitted(gathered, indexes, reading)
                gathered = _Gathered()
    if gathered.rows:
        yield _admitted(gathered, indexes, reading)


def _is_full(gathered: _Gathered, reading: Reading) -> bool:
    """Say whether a batch is large enough."""
    limits = reading.limits
    return (
        len(gathered.rows) >= min(limits.batch_rows, _ROWS_PER_BATCH) or gathered.size >= limits.batch_bytes
    )


def _indexes(header: list[str], reading: Reading, name: str) -> dict[str, int]:
    """Map canonical names to positions."""
    own = {column: reading.columns_map.get(column, column) for column in REQUESTS.names}
    indexes = {column: header.index(theirs) for column, theirs in own.items() if theirs in header}
    missing = set(REQUIRED_REQUEST_COLUMNS) - set(indexes) - set(reading.partition)
    if missing:
        raise MissingColumnsError(name, missing=missing, found=header, hint=MAP_HINT)
    return indexes


def _rows(text: Iterator[str], lines: _Lines, delimiter: str) -> Iterator[tuple[Place, list[str] | Reason]]:
    """Parse rows; one with broken quoting is refused and the next line is tried."""
    parser = csv.reader(text, delimiter=delimiter, strict=True)
    name = lines.opened.source.name
    while True:
        first = lines.taken + 1
        try:
            row = next(parser)
        except StopIteration:
            return
        except csv.Error:
            yield Place(name, first), Reason.BROKEN_CSV
            continue
        yield Place(name, first), row


def _admitted(gathered: _Gathered, indexes: Mapping[str, int], reading: Reading) -> pa.RecordBatch:
    """Check one batch; an empty cell is null."""
    cells = list(zip(*gathered.rows, strict=True))
    columns: dict[str, list[str | bytes | None]] = {
        name: [_cell(value) for value in cells[index]] for name, index in indexes.items()
    }
    for name, value in reading.partition.items():
        columns.setdefault(name, [value] * len(gathered.rows))
    batch, refusals = reading.admission.admit(columns, len(gathered.rows))
    for refusal in refusals:
        reading.refuse(gathered.places[refusal.index], refusal.reason, column=refusal.column)
    return batch


def _cell(value: str) -> str | bytes | None:
    """Return null for an empty cell, and bytes for one that is no UTF-8, so that it is refused."""
    if not value:
        return None
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode(errors=_ESCAPED)
    return value


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up requests."""
    names = REQUESTS.names
    lines = [",".join(names)]
    lines += [",".join(_written(row.get(name)) for name in names) for row in EXAMPLE_ROWS]
    return (Example("requests.csv", ("\n".join(lines) + "\n").encode(), EXAMPLE_ROWS),)


def _written(value: object) -> str:
    """Write one cell."""
    return "" if value is None else '"' + str(value).replace('"', '""') + '"'


FORMAT = LogFormat(
    name="csv",
    title="Stillwatch CSV",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
    approximate={"prompt": "an empty text reads as null"},
)
