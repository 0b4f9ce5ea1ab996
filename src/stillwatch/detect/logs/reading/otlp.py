"""OTLP/JSON: documents, spans and attribute values."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stillwatch.detect.logs.reading.formats import Reading
from stillwatch.detect.logs.reading.json_lines import numbered_lines, parsed
from stillwatch.detect.logs.reading.lines import LongLine
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.otel_requests import request_of
from stillwatch.detect.logs.reading.rejected import Place, Reason
from stillwatch.detect.logs.reading.rows import Row

_ERROR = 2


class _Value(msgspec.Struct, gc=False, rename="camel"):
    """One value in one of OTLP's kinds."""

    string_value: Any = None
    int_value: Any = None
    double_value: Any = None
    bool_value: Any = None
    array_value: "_Values | None" = None
    kvlist_value: "_Pairs | None" = None


class _Values(msgspec.Struct, gc=False, rename="camel"):
    """A list of values."""

    values: list[_Value] | None = None


class _Attribute(msgspec.Struct, gc=False, rename="camel"):
    """One attribute."""

    key: str
    value: _Value | None = None


class _Pairs(msgspec.Struct, gc=False, rename="camel"):
    """A mapping."""

    values: list[_Attribute] | None = None


class _Status(msgspec.Struct, gc=False, rename="camel"):
    """How a span ended."""

    code: int | str | None = None


class _Event(msgspec.Struct, gc=False, rename="camel"):
    """Something that happened during a span; content may stand here."""

    name: Any = None
    attributes: list[_Attribute] | None = None


class Span(msgspec.Struct, gc=False, rename="camel"):
    """One span."""

    trace_id: Any = None
    span_id: Any = None
    start_time_unix_nano: Any = None
    end_time_unix_nano: Any = None
    attributes: list[_Attribute] | None = None
    events: list[_Event] | None = None
    status: _Status | None = None

    @property
    def failed(self) -> bool:
        """Whether the instrumentation marked the span as failed, by number or by name."""
        return self.status is not None and self.status.code in {_ERROR, "STATUS_CODE_ERROR"}


class _Scope(msgspec.Struct, gc=False, rename="camel"):
    """Spans of one instrumentation; decoded one by one, so that a broken one is refused alone."""

    spans: list[msgspec.Raw] | None = None


class _Resource(msgspec.Struct, gc=False, rename="camel"):
    """Spans of one process, with the older name of the inner list."""

    scope_spans: list[_Scope] | None = None
    instrumentation_library_spans: list[_Scope] | None = None


class _Document(msgspec.Struct, gc=False, rename="camel"):
    """One export request."""

    resource_spans: list[_Resource]


_decoder = msgspec.json.Decoder(_Document)


def spans_of(document: bytes) -> list[bytes]:
    """Return the spans of one export request, each as its own JSON.

    Args:
        document: One export request.
    """
    return [
        bytes(span)
        for resource in _decoder.decode(document).resource_spans
        for scope in resource.scope_spans or resource.instrumentation_library_spans or ()
        for span in scope.spans or ()
    ]


_span_decoder = msgspec.json.Decoder(Span)


def span_request(raw: bytes, columns_map: Mapping[str, str]) -> Row | None:
    """Turn one span, as its own JSON, into a request; None when it is no call to a model.

    Args:
        raw: The span.
        columns_map: Own attribute names of canonical columns.

    Raises:
        LineProblem: The span is broken.
    """
    return parsed(lambda line: _request_of_json(line, columns_map), raw)


def _request_of_json(raw: bytes, columns_map: Mapping[str, str]) -> Row | None:
    span = _span_decoder.decode(raw)
    return request_of(span, attributes_of(span), columns_map)


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
    if value.int_value is not None:
        return _whole(value.int_value)
    for scalar in (value.string_value, value.double_value, value.bool_value):
        if scalar is not None:
            return scalar
    if value.array_value is not None:
        return [_plain_value(each) for each in value.array_value.values or ()]
    return _plain(value.kvlist_value.values) if value.kvlist_value is not None else None


def _whole(value: Any) -> Any:
    """Read a whole number from text, and leave anything else to the row's own checks."""
    try:
        return int(value) if isinstance(value, str) else value
    except ValueError:
        return value


def documents(opened: OpenedFile, reading: Reading) -> Iterator[tuple[int, bytes]]:
    """Yield export requests with their line numbers: one per line, or the whole file when it is laid out over several lines.

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
        yield 1, whole


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
