"""A request with its response on one line, as API gateways log them, whatever interface the bodies are written for.

Around the bodies gateways differ. What is read is `{"request": {"headers", "received_at", "body"}, "response":
{"status", "headers", "body"}}`, and the same with the bodies directly in `request` and `response`. Credentials in
headers are never looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from stillwatch.detect.logs.reading.chat import NULL
from stillwatch.detect.logs.reading.network import address_of, fill_from_headers, first_of, lowered
from stillwatch.detect.logs.reading.rows import Row

ACCOUNT_HEADERS = (
    "openai-organization", "anthropic-organization-id", "x-organization-id", "x-account-id", "openai-project",
)  # fmt: skip
KEY_HEADERS = ("authorization-key-id", "x-api-key-id")
CONVERSATION_HEADERS = ("x-conversation-id", "x-session-id")
ID_HEADERS = ("x-request-id", "request-id")
LATENCY_HEADERS = ("openai-processing-ms", "x-envoy-upstream-service-time")
FIRST_ERROR_STATUS = 400
_OPERATIONS = {"embeddings": "embeddings", "completions": "text_completion"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one interface writes its bodies.

    Args:
        fill_question: Fills a row from the JSON of a request's body.
        fill_answer: Fills a row from the JSON of a response's body, given the HTTP status where it is known.
    """

    fill_question: Callable[[Row, bytes], None]
    fill_answer: Callable[[Row, bytes, Any], None]


class _Request(msgspec.Struct, gc=False):
    """A request's envelope."""

    headers: Any = None
    path: Any = None
    url: Any = None
    received_at: Any = None
    timestamp: Any = None
    time: Any = None
    body: msgspec.Raw = NULL


class _Response(msgspec.Struct, gc=False):
    """A response's envelope."""

    headers: Any = None
    status: Any = None
    status_code: Any = None
    latency_ms: Any = None
    body: msgspec.Raw = NULL


class _Pair(msgspec.Struct, gc=False):
    """One line."""

    request: msgspec.Raw
    response: msgspec.Raw = NULL
    request_id: Any = None
    account_id: Any = None
    time: Any = None
    timestamp: Any = None
    latency_ms: Any = None


_decoder = msgspec.json.Decoder(_Pair)
_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response | None)
_text_decoder = msgspec.json.Decoder(str)
_NO_RESPONSE = _Response()


def row_of_pair(line: bytes, dialect: Dialect) -> Row:
    """Turn one line into a request.

    Args:
        line: The pair.
        dialect: How its bodies are written.
    """
    pair = _decoder.decode(line)
    request = _request_decoder.decode(pair.request)
    response = _response_decoder.decode(pair.response) or _NO_RESPONSE
    row = Row(surface="api", operation=operation_of(given(request.path, request.url)))
    dialect.fill_question(row, body_of(request.body, pair.request))
    status = response.status if isinstance(response.status, int) else response.status_code
    dialect.fill_answer(row, body_of(response.body, pair.response), status)
    _fill_envelope(row, pair, request, response)
    return row


def body_of(body: msgspec.Raw, whole: msgspec.Raw = NULL) -> bytes:
    """Return a body's JSON: as an object, as text that holds it, or without an envelope.

    Args:
        body: What stands where a body belongs.
        whole: What it stands in, which is the body itself when nothing stands there.
    """
    raw = bytes(body)
    if raw == b"null":
        return bytes(whole)
    return _text_decoder.decode(raw).encode() if raw.startswith(b'"') else raw


def given(*values: Any) -> Any:
    """Return the first value that is not null."""
    for value in values:
        if value is not None:
            return value
    return None


def operation_of(path: Any) -> str:
    """Name the operation by the path that was called."""
    if not isinstance(path, str) or path.endswith("/chat/completions"):
        return "chat"
    return _OPERATIONS.get(path.rstrip("/").rpartition("/")[2], "chat")


def _fill_envelope(row: Row, pair: _Pair, request: _Request, response: _Response) -> None:
    """Fill who asked, from where and when."""
    headers, answered = lowered(request.headers), lowered(response.headers)
    row.request_id = given(
        pair.request_id, first_of(headers, ID_HEADERS), first_of(answered, ID_HEADERS), row.request_id
    )
    row.time = given(
        request.received_at, request.timestamp, request.time, pair.time, pair.timestamp, row.time
    )
    row.latency_ms = given(first_of(answered, LATENCY_HEADERS), response.latency_ms, pair.latency_ms)
    row.account_id = given(pair.account_id, first_of(headers, ACCOUNT_HEADERS))
    row.api_key_id = first_of(headers, KEY_HEADERS)
    row.conversation_id = given(row.conversation_id, first_of(headers, CONVERSATION_HEADERS))
    row.client_address = address_of(headers)
    row.user_agent = headers.get("user-agent")
    fill_from_headers(row, headers)


def fill_failure(row: Row, status: Any, *, is_counted: bool) -> None:
    """Mark a row as failed; without a count nothing was answered.

    Args:
        row: The request to fill.
        status: HTTP status, where it is known.
        is_counted: Whether the response counts its tokens.
    """
    row.status, row.finish_reason = status, "error"
    if not is_counted:
        row.output_tokens, row.reasoning_tokens = 0, 0


def envelope_example(row: Any, path: str, body: Any, answer: Any) -> dict[str, Any]:
    """Write one made-up pair.

    Args:
        row: The canonical row.
        path: What was called.
        body: The request's body.
        answer: The response's body.
    """
    headers = {
        "X-Request-Id": row["request_id"],
        "X-Organization-Id": row["account_id"],
        "Authorization-Key-Id": row["api_key_id"],
        "X-Forwarded-For": row["client_address"],
        "X-Client-ASN": row.get("client_asn"),
        "X-Client-Country": row.get("client_country"),
        "X-JA4": row.get("tls_ja4"),
        "X-Conversation-Id": row.get("conversation_id"),
        "User-Agent": row.get("user_agent"),
    }
    return {
        "request": {"path": path, "headers": headers, "received_at": row["time"].isoformat(), "body": body},
        "response": {
            "status": row["status"],
            "headers": {"openai-processing-ms": str(row["latency_ms"])},
            "body": answer,
        },
    }


APPROXIMATE = {
    "client_asn": "only where the gateway adds a header",
    "client_country": "only where the gateway adds a header",
    "tls_ja4": "only where the gateway adds a header",
    "conversation_id": "only where the gateway adds a header",
    "surface": "always api",
    "input_tokens": "not counted for failed calls",
}
"""What a pair carries with a loss, whatever the interface."""
