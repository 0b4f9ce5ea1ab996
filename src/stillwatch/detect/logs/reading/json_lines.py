"""The loop that every format of JSON lines runs in: one line, one request, or one refusal."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.formats import Reading
from stillwatch.detect.logs.reading.lines import LongLine, lines_of
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rejected import Place, Reason
from stillwatch.detect.logs.reading.rows import Row, RowBatches
from stillwatch.detect.logs.reading.values import ValueProblem

Parse = Callable[[bytes], Row | None]
"""Turns one line into a request; None when the line is valid and no request."""

T = TypeVar("T")

BOM = b"\xef\xbb\xbf"
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_NOT_A_NUMBER = re.compile(rb"\b(?:NaN|Infinity)\b")


class LineProblem(Exception):  # noqa: N818 - never leaves the readers; it becomes a rejected line
    """A line that cannot be parsed."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Keep the reason and what the parser said about the structure."""
        super().__init__(reason.value)
        self.reason = reason
        self.detail = detail


def read_json_lines(opened: OpenedFile, reading: Reading, parse: Parse) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches of a file with one request per line.

    Args:
        opened: The file.
        reading: What the reader was given.
        parse: Turns one line into a request.
    """
    batches = RowBatches(reading, opened.source.name)
    for number, line in numbered_lines(opened, reading):
        try:
            row = parsed(parse, line)
        except LineProblem as problem:
            place = Place(opened.source.name, number)
            reading.refuse(place, problem.reason, detail=problem.detail)
            continue
        if row is None:
            reading.summary.ignored += 1
            continue
        if reading.columns_map:
            apply_map(row, line, reading.columns_map)
        if batches.add(row, number, len(line)):
            yield batches.flush()
    yield batches.flush()


def numbered_lines(opened: OpenedFile, reading: Reading) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their numbers, or the objects of an array; refuse what is too long."""
    name = opened.source.name
    chunks = opened.chunks
    if opened.head.removeprefix(BOM).lstrip().startswith(b"["):
        elements, chunks = array_elements(chunks, reading.limits.max_line_bytes)
        if elements:
            yield from enumerate(elements, start=1)
            return
    for number, line in enumerate(lines_of(chunks, reading.limits.max_line_bytes), start=1):
        if isinstance(line, LongLine):
            reading.refuse(Place(name, number), Reason.LINE_TOO_LONG, detail=f"{line.size_bytes:,} bytes")
        elif not line or line.isspace():
            reading.summary.ignored += 1
        else:
            yield number, line.removeprefix(BOM) if number == 1 else line


def array_elements(chunks: Iterator[bytes], most_bytes: int) -> tuple[list[bytes], Iterator[bytes]]:
    """Read a file that is one JSON array of objects, as many exports are.

    Args:
        chunks: The file.
        most_bytes: The largest array that is held in memory.

    Returns:
        The objects, each as its own JSON; none when the file is anything else. And the bytes, to be read as lines.
    """
    kept: list[bytes] = []
    size = 0
    for chunk in chunks:
        kept.append(chunk)
        size += len(chunk)
        if size > most_bytes:
            return [], chain(kept, chunks)
    try:
        elements = [bytes(raw) for raw in _array_decoder.decode(b"".join(kept).removeprefix(BOM))]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [], iter(kept)
    return (elements if all(element.startswith(b"{") for element in elements) else []), iter(kept)


def parsed(parse: Callable[[bytes], T], line: bytes) -> T:
    """Parse one line and say in one vocabulary what is wrong with it.

    Raises:
        LineProblem: The line is no valid JSON, or of another shape than the format has.
    """
    try:
        return parse(line)
    except msgspec.ValidationError as error:
        raise LineProblem(Reason.WRONG_TYPE, str(error)) from error
    except msgspec.DecodeError as error:
        if _NOT_A_NUMBER.search(line):
            return _parsed_by_json(parse, line)
        raise LineProblem(Reason.BROKEN_JSON) from error
    except UnicodeDecodeError as error:
        raise LineProblem(Reason.INVALID_UTF8) from error
    except RecursionError as error:
        raise LineProblem(Reason.TOO_DEEP) from error
    except ValueProblem as error:
        raise LineProblem(error.reason) from error


def _parsed_by_json(parse: Callable[[bytes], T], line: bytes) -> T:
    """Read what Python's `json` writes and JSON does not know: NaN becomes null, infinities a word."""
    try:
        value = json.loads(line, parse_constant=_word_of)
        return parse(msgspec.json.encode(value))
    except msgspec.ValidationError as error:
        raise LineProblem(Reason.WRONG_TYPE, str(error)) from error
    except RecursionError as error:
        raise LineProblem(Reason.TOO_DEEP) from error
    except (ValueError, msgspec.MsgspecError) as error:
        raise LineProblem(Reason.BROKEN_JSON) from error


def _word_of(constant: str) -> str | None:
    """Turn NaN into null, as data frames mean it, and leave infinities to the row's own checks."""
    return None if constant == "NaN" else constant


def apply_map(row: Row, line: bytes, columns_map: Mapping[str, str]) -> None:
    """Fill columns from the fields that the user named."""
    try:
        record = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    for name, path in columns_map.items():
        setattr(row, name, value_at(record, path))


def value_at(record: Any, path: str) -> Any:
    """Return the value at a dotted path; a field whose own name holds the dots comes first."""
    if isinstance(record, dict) and path in record:
        return record[path]
    head, dot, rest = path.partition(".")
    if not dot or not isinstance(record, dict) or head not in record:
        return None
    return value_at(record[head], rest)
