"""GenAI spans as OTLP/HTTP delivers them, in JSON or protobuf, with the mapping that files have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from stillwatch.detect.logs.reading.json_lines import LineProblem, parsed
from stillwatch.detect.logs.reading.otel_requests import request_of
from stillwatch.detect.logs.reading.otlp import span_request, spans_of
from stillwatch.detect.logs.reading.rejected import SENTENCES, Reason
from stillwatch.detect.logs.reading.rows import Row
from stillwatch.errors import BodyError
from stillwatch.respond.ingest.received import Delivery, Refused

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

_FAILED: Final = 2  # STATUS_CODE_ERROR
_NO_COLUMNS: Final[Mapping[str, str]] = {}


def delivered_json(body: bytes, source: str, columns_map: Mapping[str, str] = _NO_COLUMNS) -> Delivery:
    """Parse an export request in OTLP/JSON.

    Args:
        body: The export request.
        source: Which receiver took it.
        columns_map: Own attribute names of canonical columns.

    Raises:
        BodyError: It is no export request.
    """
    try:
        spans = parsed(spans_of, body)
    except LineProblem as problem:
        detail = f" ({problem.detail})" if problem.detail else ""
        raise BodyError(f"no OTLP export request: {SENTENCES[problem.reason]}{detail}") from problem
    delivery = Delivery(source, size_bytes=len(body))
    for number, raw in enumerate(spans, start=1):
        try:
            _take(span_request(raw, columns_map), number, delivery)
        except LineProblem as problem:
            delivery.refused.append(Refused(number, problem.reason, detail=problem.detail))
    return delivery


def delivered_protobuf(body: bytes, source: str, columns_map: Mapping[str, str] = _NO_COLUMNS) -> Delivery:
    """Parse an export request in binary protobuf.

    Args:
        body: The export request.
        source: Which receiver took it.
        columns_map: Own attribute names of canonical columns.

    Raises:
        BodyError: It is no export request.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - only senders of protobuf pay for it
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: PLC0415

    try:
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise BodyError("the body is no protobuf ExportTraceServiceRequest") from error
    delivery = Delivery(source, size_bytes=len(body))
    for number, span in enumerate(_spans(request), start=1):
        try:
            _take(_request_of_message(span, columns_map), number, delivery)
        except LineProblem as problem:
            delivery.refused.append(Refused(number, problem.reason, detail=problem.detail))
    return delivery


def _take(row: Row | None, number: int, delivery: Delivery) -> None:
    if row is None:
        delivery.ignored += 1
        return
    delivery.rows.append(row)
    delivery.lines.append(number)


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


@dataclass(frozen=True, slots=True)
class _Ended:
    """What is asked of a span besides its attributes, as the JSON encoding writes it."""

    trace_id: str
    span_id: str
    start_time_unix_nano: int
    end_time_unix_nano: int
    failed: bool


def _request_of_message(span: Span, columns_map: Mapping[str, str]) -> Row | None:
    """Turn one span into a request.

    Raises:
        LineProblem: What it holds as JSON text is broken, or it is nested too deeply.
    """
    ended = _Ended(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == _FAILED,
    )

    def made(_: bytes) -> Row | None:
        return request_of(ended, _attributes(span), columns_map)

    return parsed(made, b"")


def _attributes(span: Span) -> dict[str, Any]:
    """Gather a span's attributes and those of its events, as `otlp.attributes_of` does for JSON."""
    found: dict[str, Any] = {}
    for event in span.events:
        found.update(_plain(event.attributes))
    found.update(_plain(span.attributes))
    return found


def _plain(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _plain_value(pair.value) for pair in pairs}


def _plain_value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind in {None, "bytes_value"}:  # no column holds bytes
        return None
    held = getattr(value, kind)
    if kind == "array_value":
        return [_plain_value(each) for each in held.values]
    if kind == "kvlist_value":
        return _plain(held.values)
    return held


def rejection_message(refused: Iterable[Refused]) -> str:
    """Say why spans were rejected, for `partial_success`: reasons and counts, never values."""
    counts: dict[Reason, int] = {}
    for one in refused:
        counts[one.reason] = counts.get(one.reason, 0) + 1
    return "; ".join(f"{SENTENCES[reason]}: {count}" for reason, count in counts.items())
