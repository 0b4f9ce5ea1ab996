"""OpenAI-style requests with their responses, one pair per line, as API gateways log them.

The bodies are those of chat completions or of the Responses interface. Around them gateways differ; what is read is
`{"request": {"headers", "received_at", "body"}, "response": {"status", "headers", "body"}}`, and the same with the
bodies directly in `request` and `response`. Credentials in headers are never looked at.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.chat import Answer, ChatBody, count_of, told, type_of
from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import read_json_lines
from stillwatch.detect.logs.reading.network import (
    address_of,
    fill_from_headers,
    first_of,
    lowered,
)
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rows import Row

ACCOUNT_HEADERS = ("openai-organization", "x-organization-id", "x-account-id", "openai-project")
KEY_HEADERS = ("authorization-key-id", "x-api-key-id")
CONVERSATION_HEADERS = ("x-conversation-id", "x-session-id")
ID_HEADERS = ("x-request-id", "request-id")
_SUCCESS = 200
_FIRST_ERROR = 400
_OPERATIONS = {"embeddings": "embeddings", "completions": "text_completion", "responses": "chat"}


class _Request(ChatBody, gc=False):
    """A request with its envelope, or a bare body."""

    headers: Any = None
    path: Any = None
    url: Any = None
    received_at: Any = None
    timestamp: Any = None
    time: Any = None
    body: ChatBody | str | None = None


class _Response(Answer, gc=False):
    """A response with its envelope, or a bare body."""

    headers: Any = None
    status_code: Any = None
    latency_ms: Any = None
    body: Answer | str | None = None


class _Pair(msgspec.Struct, gc=False):
    """One line."""

    request: _Request
    response: _Response | None = None
    request_id: Any = None
    account_id: Any = None
    time: Any = None
    timestamp: Any = None
    latency_ms: Any = None


_decoder = msgspec.json.Decoder(_Pair)
_body_decoder = msgspec.json.Decoder(ChatBody)
_answer_decoder = msgspec.json.Decoder(Answer)
_NO_RESPONSE = _Response()
_NO_ANSWER = Answer()


def fill_from_body(row: Row, body: ChatBody) -> None:
    """Fill what a request's body says; what is not given has the interface's default.

    Args:
        row: The request to fill.
        body: Body of a chat-completions or Responses request.
    """
    said = told(body.messages if body.messages is not None else body.input)
    row.system_instructions = said.system if body.instructions is None else body.instructions
    row.prompt = body.prompt if said.count is None and isinstance(body.prompt, str) else said.prompt
    row.message_count = said.count
    row.model = body.model
    row.temperature, row.top_p = body.temperature, body.top_p
    row.choice_count = 1 if body.n is None else body.n
    row.max_tokens = given(body.max_completion_tokens, body.max_tokens, body.max_output_tokens)
    row.logprobs = False if body.logprobs is None else body.logprobs
    row.top_logprobs = body.top_logprobs
    row.stream = False if body.stream is None else body.stream
    row.reasoning_effort = given(body.reasoning_effort, getattr(body.reasoning, "effort", None))
    text_format = body.text.format if body.text is not None and not isinstance(body.text, str) else None
    row.response_format = type_of(body.response_format or text_format)
    row.tool_count = count_of(body.tools or body.functions)
    row.user_id = given(body.user, body.safety_identifier)
    row.conversation_id = body.conversation if isinstance(body.conversation, str) else None


def fill_from_answer(row: Row, answer: Answer, status: Any) -> None:
    """Fill what came of a request.

    Args:
        row: The request to fill.
        answer: Body of the response.
        status: HTTP status.
    """
    row.status = status
    usage = answer.usage
    if usage is not None:
        row.input_tokens, row.output_tokens = usage.inputs, usage.outputs
        row.reasoning_tokens = usage.reasoning
    row.finish_reason = answer.finish_reason
    if isinstance(status, int) and status >= _FIRST_ERROR:
        row.finish_reason = "error"
        if usage is None:
            row.output_tokens, row.reasoning_tokens = 0, 0


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


def _parse(line: bytes) -> Row:
    """Turn one pair into a request."""
    pair = _decoder.decode(line)
    request, response = pair.request, pair.response or _NO_RESPONSE
    answer = _answer_of(response)
    row = Row(surface="api", operation=operation_of(given(request.path, request.url)))
    fill_from_body(row, _body_of(request))
    status = response.status if isinstance(response.status, int) else response.status_code
    fill_from_answer(row, answer, status if status is not None else _status_of(answer))
    headers, answered = lowered(request.headers), lowered(response.headers)
    _fill_identity(row, headers, pair)
    row.request_id = given(
        pair.request_id, first_of(headers, ID_HEADERS), first_of(answered, ID_HEADERS), answer.id
    )
    moments = (request.received_at, request.timestamp, request.time, pair.time, pair.timestamp)
    row.time = given(*moments, answer.created, answer.created_at)
    row.latency_ms = given(answered.get("openai-processing-ms"), response.latency_ms, pair.latency_ms)
    return row


def _body_of(request: _Request) -> ChatBody:
    """Return the body, which may be in an envelope, and there as text."""
    if isinstance(request.body, str):
        return _body_decoder.decode(request.body)
    return request if request.body is None else request.body


def _answer_of(response: _Response) -> Answer:
    """Return the answer. The text of a stream is no JSON and says nothing here."""
    if isinstance(response.body, str):
        return _answer_decoder.decode(response.body) if response.body.startswith("{") else _NO_ANSWER
    return response if response.body is None else response.body


def _status_of(answer: Answer) -> int | None:
    """Return 200 for an answer that has content; a log of bare bodies holds no status."""
    return _SUCCESS if answer.choices or answer.status == "completed" else None


def _fill_identity(row: Row, headers: Mapping[str, Any], pair: _Pair) -> None:
    """Fill who asked and from where."""
    row.account_id = given(pair.account_id, first_of(headers, ACCOUNT_HEADERS))
    row.api_key_id = first_of(headers, KEY_HEADERS)
    row.conversation_id = given(row.conversation_id, first_of(headers, CONVERSATION_HEADERS))
    row.client_address = address_of(headers)
    fill_from_headers(row, headers)
    row.user_agent = headers.get("user-agent")


def _sniff(head: Head) -> float:
    """Look for the pair."""
    return 0.8 if head.has("request", "response") else 0.3 if head.has("request", "response_body") else 0.0


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches."""
    return read_json_lines(opened, reading, _parse)


def body_example(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the body of one made-up request."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": row["prompt"]}]}]
    messages = [{"role": "user", "content": "[earlier]"}] * (row["message_count"] - 1) + messages
    if row.get("system_instructions"):
        messages = [{"role": "developer", "content": row["system_instructions"]}, *messages]
    names = ("model", "temperature", "top_p", "logprobs", "top_logprobs", "stream", "reasoning_effort")
    body: dict[str, Any] = {name: row[name] for name in names if row.get(name) is not None}
    if row.get("response_format"):
        body["response_format"] = {"type": row["response_format"]}
    if row.get("user_id"):
        body["safety_identifier"] = row["user_id"]
    tools = [{"type": "function", "function": {"name": "look_up"}}] * row["tool_count"]
    return {
        **body,
        "messages": messages,
        "n": row["choice_count"],
        "max_completion_tokens": row.get("max_tokens"),
        "tools": tools,
    }


def answer_example(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the body of one made-up response."""
    choice = {"index": 0, "message": {"role": "assistant"}, "finish_reason": row["finish_reason"]}
    usage = {
        "prompt_tokens": row["input_tokens"],
        "completion_tokens": row["output_tokens"],
        "completion_tokens_details": {"reasoning_tokens": row["reasoning_tokens"]},
    }
    return {
        "id": "chatcmpl-made-up",
        "created": int(row["time"].timestamp()),
        "choices": [choice],
        "usage": usage,
    }


def _pair_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one made-up pair."""
    headers = {
        "X-Request-Id": row["request_id"],
        "OpenAI-Organization": row["account_id"],
        "Authorization-Key-Id": row["api_key_id"],
        "X-Forwarded-For": row["client_address"],
        "X-Client-ASN": row.get("client_asn"),
        "X-Client-Country": row.get("client_country"),
        "X-JA4": row.get("tls_ja4"),
        "X-Conversation-Id": row.get("conversation_id"),
        "User-Agent": row.get("user_agent"),
    }
    return {
        "request": {
            "method": "POST",
            "path": "/v1/chat/completions",
            "headers": headers,
            "received_at": row["time"].isoformat(),
            "body": body_example(row),
        },
        "response": {
            "status": row["status"],
            "headers": {"openai-processing-ms": str(row["latency_ms"])},
            "body": answer_example(row),
        },
    }


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up pairs."""
    lines = b"".join(msgspec.json.encode(_pair_of(row)) + b"\n" for row in EXAMPLE_ROWS)
    return (Example("chat-completions.jsonl", lines, EXAMPLE_ROWS),)


FORMAT = LogFormat(
    name="openai",
    title="OpenAI requests with responses",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
    approximate={
        "client_asn": "only where the gateway adds a header",
        "client_country": "only where the gateway adds a header",
        "tls_ja4": "only where the gateway adds a header",
        "conversation_id": "only where the gateway adds a header",
        "surface": "always api",
        "input_tokens": "not counted for failed calls",
    },
)
