"""OpenAI-style requests with their responses: chat completions or the Responses interface, one pair per line."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.chat import Answer, ChatBody, count_of, told, type_of
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

_SUCCESS = 200

_body_decoder = msgspec.json.Decoder(ChatBody)
_answer_decoder = msgspec.json.Decoder(Answer)


def fill_question(row: Row, raw: bytes) -> None:
    """Fill what a request's body says; what is not given has the interface's default.

    Args:
        row: The request to fill.
        raw: Body of a chat-completions or Responses request.
    """
    body = _body_decoder.decode(raw)
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


def fill_answer(row: Row, raw: bytes, status: Any) -> None:
    """Fill what came of a request.

    Args:
        row: The request to fill.
        raw: Body of the response. The text of a stream is no JSON object and says nothing here.
        status: HTTP status, None where the log has none.
    """
    answer = _answer_decoder.decode(raw) if raw.startswith(b"{") else Answer()
    usage = answer.usage
    if usage is not None:
        row.input_tokens, row.output_tokens = usage.inputs, usage.outputs
        row.reasoning_tokens = usage.reasoning
    row.request_id = answer.id
    row.time = given(answer.created, answer.created_at)
    if isinstance(status, int) and status >= FIRST_ERROR_STATUS:
        fill_failure(row, status, is_counted=usage is not None)
        return
    row.finish_reason = answer.finish_reason
    row.status = _SUCCESS if status is None and answer.finish_reason is not None else status


DIALECT = Dialect(fill_question, fill_answer)


def _parse(line: bytes) -> Row:
    """Turn one pair into a request."""
    return row_of_pair(line, DIALECT)


def _sniff(head: Head) -> float:
    """Look for the pair."""
    return 0.8 if head.has("request", "response") else 0.0


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
    return envelope_example(row, "/v1/chat/completions", body_example(row), answer_example(row))


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
    approximate=APPROXIMATE,
)
