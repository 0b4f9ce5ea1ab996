"""OTLP/JSON: documents, spans and attribute values."""

from collections.abc import Iterator
from typing import Any

import msgspec

from stillwatch.detect.logs.reading.formats import Reading
from stillwatch.detect.logs.reading.json_lines import numbered_lines
from stillwatch.detect.logs.reading.lines import LongLine
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rejected import Place, Reason


class _Value(msgspec.Struct, gc=False):
    """One value in one of OTLP's kinds."""

    stringValue: Any = None
    intValue: Any = None
    doubleValue: Any = None
    boolValue: Any = None
    arrayValue: "_Values | None" = None
    kvlistValue: "_Pairs | None" = None


class _Values(msgspec.Struct, gc=False):
    """A list of values."""

    values: list[_Value] | None = None


class _Attribute(msgspec.Struct, gc=False):
    """One attribute."""

    key: str
    value: _Value | None = None


class _Pairs(msgspec.Struct, gc=False):
    """A mapping."""

    values: list[_Attribute] | None = None


class _Status(msgspec.Struct, gc=False):
    """How a span ended."""

    code: int | str | None = None


class _Event(msgspec.Struct, gc=False):
    """Something that happened during a span; content may stand here."""

    name: Any = None
    attributes: list[_Attribute] | None = None


class Span(msgspec.Struct, gc=False):
    """One span."""

    traceId: Any = None
    spanId: Any = None
    startTimeUnixNano: Any = None
    endTimeUnixNano: Any = None
    attributes: list[_Attribute] | None = None
    events: list[_Event] | None = None
    status: _Status | None = None


class _Scope(msgspec.Struct, gc=False):
    """Spans of one instrumentation; decoded one by one, so that a broken one is refused alone."""

    spans: list[msgspec.Raw] | None = None


class _Resource(msgspec.Struct, gc=False):
    """Spans of one process, with the older name of the inner list."""

    scopeSpans: list[_Scope] | None = None
    instrumentationLibrarySpans: list[_Scope] | None = None


class _Document(msgspec.Struct, gc=False):
    """One export request."""

    resourceSpans: list[_Resource]


_decoder = msgspec.json.Decoder(_Document)


def spans_of(document: bytes) -> list[bytes]:
    """Return the spans of one export request, each as its own JSON.

    Args:
        document: One export request.
    """
    return [
        bytes(span)
        for resource in _decoder.decode(document).resourceSpans
        for scope in resource.scopeSpans or resource.instrumentationLibrarySpans or ()
        for span in scope.spans or ()
    ]


def attributes_of(span: Span) -> dict[str, Any]:
    """Return a span's attributes with those of its events, which hold the content in some conventions.

    Args:
        span: The span.
    """
    found: dict[str, Any] = {}
    for event in span.events or ():
        found.update(_plain(event.attributes))
    found.update(_plain(span.attributes))
    return found


def _plain(attributes: list[_Attribute] | None) -> dict[str, Any]:
    """Turn attributes into a dictionary."""
    return {each.key: _plain_value(each.value) for each in attributes or ()}


def _plain_value(value: _Value | None) -> Any:
    """Turn one value into what it stands for. OTLP writes whole numbers as text in JSON."""
    if value is None:
        return None
    if value.stringValue is not None:
        return value.stringValue
    if value.intValue is not None:
        return _whole(value.intValue)
    if value.doubleValue is not None:
        return value.doubleValue
    if value.boolValue is not None:
        return value.boolValue
    if value.arrayValue is not None:
        return [_plain_value(each) for each in value.arrayValue.values or ()]
    return _plain(value.kvlistValue.values) if value.kvlistValue is not None else None


def _whole(value: Any) -> Any:
    """Read a whole number from text, and leave anything else to the row's own checks."""
    try:
        return int(value) if isinstance(value, str) else value
    except ValueError:
        return value


def documents(opened: OpenedFile, reading: Reading) -> Iterator[tuple[Place, bytes]]:
    """Yield export requests: one per line, or the whole file when it is laid out over several lines.

    Args:
        opened: The file.
        reading: What the reader was given.
    """
    if _is_one_per_line(opened.head):
        yield from numbered_lines(opened, reading)
        return
    whole = _whole_file(opened, reading.limits.max_line_bytes)
    if isinstance(whole, LongLine):
        place = Place(opened.source.name, 1)
        reading.refuse(place, Reason.LINE_TOO_LONG, detail=f"{whole.size_bytes:,} bytes in one document")
    elif whole.strip():
        yield Place(opened.source.name, 1), whole


def _is_one_per_line(head: bytes) -> bool:
    """Say whether the first line is a document, or at least so long that it must be one."""
    first, feed, _ = head.partition(b"\n")
    if not feed:
        return True
    try:
        msgspec.json.decode(first)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return b"resourceSpans" in first
    return True


def _whole_file(opened: OpenedFile, most_bytes: int) -> bytes | LongLine:
    """Return all bytes unless they are too many."""
    kept: list[bytes] = []
    size = 0
    for chunk in opened.chunks:
        size += len(chunk)
        if size <= most_bytes:
            kept.append(chunk)
        else:
            kept.clear()
    return b"".join(kept) if size <= most_bytes else LongLine(size)
