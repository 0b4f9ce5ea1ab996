"""Canonical requests as JSON: one per line, or one array of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from stillwatch.detect.logs.reading.json_lines import BOM, LineProblem, parsed
from stillwatch.detect.logs.reading.limits import ReadLimits
from stillwatch.detect.logs.reading.rejected import Reason
from stillwatch.detect.logs.reading.rows import Row
from stillwatch.respond.ingest.received import Delivery, Refused

_SLICE_BYTES: Final = 256 << 10  # one decoding call; about a millisecond in which no other thread runs
MAX_LINE_BYTES: Final = ReadLimits().max_prompt_bytes * 4  # two texts at their limit, escaped
_decoder = msgspec.json.Decoder(Row)
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def delivered(body: bytes, source: str) -> Delivery:
    """Parse a body of canonical requests.

    Args:
        body: JSON lines, or an array of objects.
        source: Which receiver took it.

    Returns:
        The requests, with everything that is none refused by its line (or its place in the array), from 1.
    """
    body = body.removeprefix(BOM)
    delivery = Delivery(source, size_bytes=len(body))
    if body[:64].lstrip().startswith(b"["):
        _take_array(body, delivery)
        return delivery
    first = 1
    for piece in _slices(body):
        first = _take_slice(piece, first, delivery)
    return delivery


def _slices(body: bytes) -> Iterator[bytes]:
    """Cut a body at line feeds into pieces of about one size."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + _SLICE_BYTES)
        end = len(body) if end < 0 else end + 1
        yield body[start:end]
        start = end


def _take_slice(piece: bytes, first: int, delivery: Delivery) -> int:
    """Decode some lines at once; only if one of them is broken, line by line.

    Returns:
        The number of the line after them.
    """
    count = piece.count(b"\n") + (not piece.endswith(b"\n"))
    if len(piece) <= MAX_LINE_BYTES:
        try:
            rows = _decoder.decode_lines(piece)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            rows = []
        if len(rows) == count:
            delivery.rows += rows
            delivery.lines += range(first, first + count)
            return first + count
    for number, line in enumerate(piece.split(b"\n"), first):
        _take_one(line, number, delivery)
    return first + count


def _take_array(body: bytes, delivery: Delivery) -> None:
    try:
        elements = parsed(_array_decoder.decode, body)
    except LineProblem as problem:
        delivery.refused.append(Refused(1, problem.reason, detail=problem.detail))
        return
    for number, element in enumerate(elements, start=1):
        _take_one(bytes(element), number, delivery)


def _take_one(line: bytes, number: int, delivery: Delivery) -> None:
    if not line or line.isspace():
        return
    if len(line) > MAX_LINE_BYTES:
        delivery.refused.append(Refused(number, Reason.LINE_TOO_LONG, detail=f"{len(line):,} bytes"))
        return
    try:
        row = parsed(_decoder.decode, line)
    except LineProblem as problem:
        delivery.refused.append(Refused(number, problem.reason, detail=problem.detail))
        return
    delivery.rows.append(row)
    delivery.lines.append(number)
