"""Answers of OTLP/HTTP: `ExportTraceServiceResponse`, or `google.rpc.Status` for a refusal."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.responses import Response

from stillwatch.errors import NodeError
from stillwatch.respond.ingest.otlp_requests import rejection_message
from stillwatch.respond.ingest.received import Receipt
from stillwatch.respond.web.problems import problem_of

_JSON: Final = "application/json"
_PROTOBUF: Final = "application/x-protobuf"
_INVALID_ARGUMENT, _UNAVAILABLE = 3, 14  # google.rpc.Code
_FIRST_SERVER_ERROR: Final = 500


def accepted_answer(receipt: Receipt, *, protobuf: bool) -> Response:
    """Say what was taken; rejected spans make it a partial success, which senders must not send again.

    Args:
        receipt: What became of the spans.
        protobuf: Which encoding the question had.
    """
    message = rejection_message(receipt.refused)
    if protobuf:
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: PLC0415 - lazy

        answer = trace_service_pb2.ExportTraceServiceResponse()
        if receipt.refused:
            answer.partial_success.rejected_spans = len(receipt.refused)
            answer.partial_success.error_message = message
        return Response(answer.SerializeToString(), media_type=_PROTOBUF)
    partial = {"rejectedSpans": str(len(receipt.refused)), "errorMessage": message}
    return Response(
        msgspec.json.encode({"partialSuccess": partial} if receipt.refused else {}), media_type=_JSON
    )


def refused_answer(error: NodeError, *, protobuf: bool) -> Response:
    """Refuse a whole export request. Senders try 429, 502, 503 and 504 again and no other status (OTLP 1.9).

    Args:
        error: Why.
        protobuf: Which encoding the question had.
    """
    plain = problem_of(error)
    code = _UNAVAILABLE if error.status >= _FIRST_SERVER_ERROR else _INVALID_ARGUMENT
    status = 503 if error.status == 507 else error.status
    headers = {
        name: value for name, value in plain.headers.items() if name in {"retry-after", "www-authenticate"}
    }
    if status == 503:
        headers.setdefault("retry-after", "30")
    text = f"{error.message}; {error.hint}"
    if protobuf:
        return Response(_status_message(code, text), status, headers, _PROTOBUF)
    return Response(msgspec.json.encode({"code": code, "message": text}), status, headers, _JSON)


def _status_message(code: int, text: str) -> bytes:
    """Encode `google.rpc.Status`: field 1 is the code, field 2 the message."""
    data = text.encode()
    return bytes((0x08, code, 0x12)) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
