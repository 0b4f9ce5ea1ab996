"""Anthropic-style messages requests with their responses, one pair per line, as API gateways log them.

The interface has no choices, logprobs or seeds. Cached input counts as input, as elsewhere.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.chat import NULL, Message, Typed, count_of, text_of_content, told
from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import read_json_lines
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.pairs import (
    APPROXIMATE,
    FIRST_ERROR_STATUS,
    Dialect,
    envelope_example,
    fill_failure,
    given,
    row_of_pair,
)
from stillwatch.detect.logs.reading.rows import Row
from stillwatch.detect.logs.reading.stop_reasons import STOP_REASONS

NEVER = ("top_logprobs", "reasoning_tokens")

_SUCCESS = 200
_STATUS_OF_ERROR = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 529,
}


class _Metadata(msgspec.Struct, gc=False):
    """What the customer says about its end user."""

    user_id: Any = None


class _Body(msgspec.Struct, gc=False):
    """A messages request."""

    model: Any = None
    messages: list[Message] | str | None = None
    system: msgspec.Raw = NULL
    max_tokens: Any = None
    temperature: Any = None
    top_p: Any = None
    stream: Any = None
    tools: list[msgspec.Raw] | None = None
    metadata: _Metadata | None = None
    output_config: Typed | None = None


class _Usage(msgspec.Struct, gc=False):
    """Token counts; what came from a cache is counted apart."""

    input_tokens: Any = None
    output_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_read_input_tokens: Any = None


class _Error(msgspec.Struct, gc=False):
    """Why a request failed."""

    type: Any = None


class Answer(msgspec.Struct, gc=False):
    """A message, or an error in its place."""

    id: Any = None
    type: Any = None
    stop_reason: Any = None
    usage: _Usage | None = None
    error: _Error | None = None


_body_decoder = msgspec.json.Decoder(_Body)
_answer_decoder = msgspec.json.Decoder(Answer)


def fill_question(row: Row, raw: bytes) -> None:
    """Fill what a request's body says.

    Args:
        row: The request to fill.
        raw: Body of a messages request.
    """
    body = _body_decoder.decode(raw)
    said = told(body.messages)
    row.system_instructions = text_of_content(bytes(body.system)) or said.system
    row.prompt, row.message_count = said.prompt, said.count
    row.model, row.max_tokens = body.model, body.max_tokens
    row.temperature, row.top_p = body.temperature, body.top_p
    row.choice_count, row.logprobs = 1, False
    row.stream = False if body.stream is None else body.stream
    row.tool_count = count_of(body.tools)
    row.user_id = body.metadata.user_id if body.metadata else None
    if body.output_config is not None:
        row.reasoning_effort = body.output_config.effort
        text_format = body.output_config.format
        row.response_format = text_format.type if isinstance(text_format, Typed) else text_format


def fill_answer(row: Row, raw: bytes, status: Any) -> None:
    """Fill what came of a request.

    Args:
        row: The request to fill.
        raw: Body of the response. The text of a stream is no JSON object and says nothing here.
        status: HTTP status, None where the log has none.
    """
    answer = _answer_decoder.decode(raw) if raw.startswith(b"{") else Answer()
    row.request_id = answer.id
    if answer.usage is not None:
        row.input_tokens, row.output_tokens = _inputs(answer.usage), answer.usage.output_tokens
    if answer.error is not None or (isinstance(status, int) and status >= FIRST_ERROR_STATUS):
        kind = answer.error.type if answer.error else None
        code = given(status, _STATUS_OF_ERROR.get(str(kind)))
        fill_failure(row, code, is_counted=answer.usage is not None)
        row.reasoning_tokens = None
        return
    reason = answer.stop_reason
    row.finish_reason = STOP_REASONS.get(reason, reason) if isinstance(reason, str) else reason
    row.status = _SUCCESS if status is None and reason is not None else status


def _inputs(usage: _Usage) -> Any:
    """Return all input, cached or not; a count of a wrong type is left to the row's own checks."""
    parts = (usage.cache_creation_input_tokens, usage.cache_read_input_tokens)
    cached = sum(part for part in parts if isinstance(part, int) and not isinstance(part, bool))
    return usage.input_tokens + cached if isinstance(usage.input_tokens, int) else usage.input_tokens


DIALECT = Dialect(fill_question, fill_answer)


def _parse(line: bytes) -> Row:
    """Turn one pair into a request."""
    return row_of_pair(line, DIALECT)


def _sniff(head: Head) -> float:
    """Look for a pair whose path, header or answer is of the messages interface."""
    if not head.has("request", "response"):
        return 0.0
    if any(_is_messages(record) for record in head.records):
        return 0.9
    return 0.9 if not head.records and b"/v1/messages" in head.raw else 0.0


def _is_messages(record: Mapping[str, Any]) -> bool:
    """Say whether a pair is of the messages interface."""
    request, response = record.get("request"), record.get("response")
    if not isinstance(request, dict):
        return False
    headers = request.get("headers")
    if isinstance(headers, dict) and "anthropic-version" in {str(name).lower() for name in headers}:
        return True
    path = given(request.get("path"), request.get("url"))
    if isinstance(path, str) and path.rstrip("/").endswith("/v1/messages"):
        return True
    answer = response.get("body", response) if isinstance(response, dict) else None
    return isinstance(answer, dict) and answer.get("type") == "message" and "stop_reason" in answer


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches."""
    return read_json_lines(opened, reading, _parse)


def body_example(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the body of one made-up request.

    Args:
        row: The canonical row.
    """
    earlier = {"role": "user", "content": "[earlier]"}
    body: dict[str, Any] = {
        "model": row["model"],
        "messages": [
            *[earlier] * (row["message_count"] - 1),
            {"role": "user", "content": [{"type": "text", "text": row["prompt"]}]},
        ],
        "max_tokens": row.get("max_tokens"),
        "temperature": row.get("temperature"),
        "top_p": row.get("top_p"),
        "stream": row["stream"],
        "tools": [{"name": "look_up"}] * row["tool_count"],
        "metadata": {"user_id": row.get("user_id")},
        "output_config": {"effort": row.get("reasoning_effort"), "format": row.get("response_format")},
    }
    if row.get("system_instructions"):
        body["system"] = [{"type": "text", "text": row["system_instructions"]}]
    return body


def answer_example(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the body of one made-up response.

    Args:
        row: The canonical row.
    """
    reasons = {"stop": "end_turn", "length": "max_tokens"}
    usage = {
        "input_tokens": row["input_tokens"] - 1,
        "cache_read_input_tokens": 1,
        "cache_creation_input_tokens": None,
        "output_tokens": row["output_tokens"],
    }
    return {
        "id": "msg_made_up",
        "type": "message",
        "stop_reason": reasons[row["finish_reason"]],
        "usage": usage,
    }


def carried(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left of a made-up request in this interface.

    Args:
        row: The canonical row.
    """
    left = {name: value for name, value in row.items() if name not in NEVER}
    return {**left, "choice_count": 1, "logprobs": False}


def _pair_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one made-up pair."""
    return envelope_example(row, "/v1/messages", body_example(row), answer_example(row))


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up pairs."""
    lines = b"".join(msgspec.json.encode(_pair_of(row)) + b"\n" for row in EXAMPLE_ROWS)
    return (Example("messages.jsonl", lines, tuple(carried(row) for row in EXAMPLE_ROWS)),)


FORMAT = LogFormat(
    name="anthropic",
    title="Anthropic messages with responses",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
    never=NEVER,
    approximate={
        **APPROXIMATE,
        "choice_count": "always 1: the interface has no other",
        "logprobs": "always false: the interface has none",
    },
)
