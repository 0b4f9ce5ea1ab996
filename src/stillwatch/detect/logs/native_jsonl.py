"""Stillwatch's own JSON lines: one object per request, with the canonical names as fields."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import read_json_lines
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rows import Row
from stillwatch.domain.requests import REQUIRED_REQUEST_COLUMNS

_decoder = msgspec.json.Decoder(Row)


def _sniff(head: Head) -> float:
    """Look for the required fields; two of three are enough to say per line what is missing."""
    own = [head.columns_map.get(name, name).split(".")[0] for name in REQUIRED_REQUEST_COLUMNS]
    if head.has(*own):
        return 0.9
    return 0.5 if sum(head.has(name) for name in own) >= len(own) - 1 else 0.0


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches."""
    return read_json_lines(opened, reading, _decoder.decode)


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up requests."""
    lines = [msgspec.json.encode({**row, "time": _iso(row["time"])}) for row in EXAMPLE_ROWS]
    return (Example("requests.jsonl", b"\n".join(lines) + b"\n", EXAMPLE_ROWS),)


def _iso(time: datetime) -> str:
    """Write a time the way logs do."""
    return time.isoformat().replace("+00:00", "Z")


FORMAT = LogFormat(
    name="jsonl",
    title="Stillwatch JSON lines",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
)
