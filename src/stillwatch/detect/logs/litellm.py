"""LiteLLM `StandardLoggingPayload` as JSON lines, and rows of its `LiteLLM_SpendLogs` table.

A real line holds about 12 kB for a prompt of 300 characters, most of it a price list, so that only the wanted
fields are decoded. Customers are organizations, else teams, else users, else keys, as far as the proxy knows them;
`--columns account_id=metadata.user_api_key_team_id` and the like choose another.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.chat import (
    Answer,
    Message,
    Typed,
    Usage,
    count_of,
    told,
    type_of,
)
from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import read_json_lines
from stillwatch.detect.logs.reading.network import (
    fill_from_headers,
    forwarded_address,
)
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rows import Row

_SURFACES = frozenset({"api", "app", "bedrock", "vertex", "batch"})
_SUCCESS = 200
_LONGEST_S = 2**31 / 1_000


class _Metadata(msgspec.Struct, gc=False):
    """Who asked."""

    user_api_key_hash: Any = None
    user_api_key_alias: Any = None
    user_api_key_org_id: Any = None
    user_api_key_team_id: Any = None
    user_api_key_user_id: Any = None
    user_api_key_end_user_id: Any = None
    requester_ip_address: Any = None
    user_agent: Any = None
    requester_custom_headers: Any = None
    usage_object: Usage | None = None


class _Parameters(msgspec.Struct, gc=False):
    """How it was asked."""

    temperature: Any = None
    top_p: Any = None
    n: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    logprobs: Any = None
    top_logprobs: Any = None
    stream: Any = None
    reasoning_effort: Any = None
    response_format: Typed | str | None = None
    tools: list[msgspec.Raw] | None = None
    functions: list[msgspec.Raw] | None = None
    user: Any = None


class _Failure(msgspec.Struct, gc=False):
    """Why it failed."""

    error_code: Any = None


class _Payload(msgspec.Struct, gc=False, rename={"start_time": "startTime", "end_time": "endTime"}):
    """The wanted fields of one line; everything else is skipped while parsing."""

    id: Any = None
    request_id: Any = None
    litellm_call_id: Any = None
    trace_id: Any = None
    session_id: Any = None
    call_type: Any = None
    stream: Any = None
    status: Any = None
    prompt_tokens: Any = None
    completion_tokens: Any = None
    start_time: Any = None
    end_time: Any = None
    response_time: Any = None
    model: Any = None
    model_group: Any = None
    metadata: _Metadata | str | None = None
    request_tags: list[Any] | str | None = None
    end_user: Any = None
    requester_ip_address: Any = None
    user_agent: Any = None
    messages: list[Message] | dict[str, msgspec.Raw] | str | None = None
    response: Answer | list[msgspec.Raw] | str | None = None
    error_information: _Failure | str | None = None
    model_parameters: _Parameters | str | None = None
    api_key: Any = None
    organization_id: Any = None
    team_id: Any = None
    user: Any = None


_decoder = msgspec.json.Decoder(_Payload)
_metadata_decoder = msgspec.json.Decoder(_Metadata)
_NO_METADATA = _Metadata()
_NO_PARAMETERS = _Parameters()
_NO_ANSWER = Answer()


def row_of_payload(line: bytes) -> Row:
    """Turn one payload into a request."""
    payload = _decoder.decode(line)
    row = Row(
        request_id=payload.id or payload.request_id or payload.litellm_call_id,
        time=payload.start_time,
        model=payload.model_group or payload.model,
        operation=_operation(payload.call_type),
        surface=_surface(payload.request_tags),
        conversation_id=None if payload.session_id == payload.trace_id else payload.session_id,
        latency_ms=_latency_ms(payload),
    )
    metadata = _metadata_of(payload)
    _fill_identity(row, payload, metadata)
    _fill_content(row, payload)
    _fill_parameters(row, payload)
    _fill_outcome(row, payload, metadata)
    return row


def _operation(call_type: Any) -> Any:
    """Name the operation as OpenTelemetry does."""
    if not isinstance(call_type, str):
        return call_type
    if "embedding" in call_type:
        return "embeddings"
    if "text_completion" in call_type:
        return "text_completion"
    return "chat" if "completion" in call_type or "responses" in call_type else call_type


def _surface(tags: list[Any] | str | None) -> str:
    """Return the tag that names a surface; a proxy serves an API."""
    if isinstance(tags, list):
        for tag in tags:
            if isinstance(tag, str) and tag in _SURFACES:
                return tag
    return "api"


def _latency_ms(payload: _Payload) -> int | None:
    """Return the whole call's duration."""
    seconds = payload.response_time
    if not isinstance(seconds, float):
        seconds = _duration_s(payload)
    return round(seconds * 1_000) if seconds is not None and 0 <= seconds < _LONGEST_S else None


def _duration_s(payload: _Payload) -> float | None:
    """Return the time between the two epoch seconds, where they are numbers."""
    start, end = payload.start_time, payload.end_time
    return end - start if isinstance(start, float) and isinstance(end, float) else None


def _metadata_of(payload: _Payload) -> _Metadata:
    """Return the metadata; the spend table stores them as text."""
    if isinstance(payload.metadata, _Metadata):
        return payload.metadata
    if isinstance(payload.metadata, str) and payload.metadata.startswith("{"):
        return _metadata_decoder.decode(payload.metadata)
    return _NO_METADATA


def _fill_identity(row: Row, payload: _Payload, metadata: _Metadata) -> None:
    """Fill who asked and from where."""
    row.api_key_id = metadata.user_api_key_alias or metadata.user_api_key_hash or payload.api_key
    row.account_id = (
        metadata.user_api_key_org_id
        or payload.organization_id
        or metadata.user_api_key_team_id
        or payload.team_id
        or metadata.user_api_key_user_id
        or payload.user
        or metadata.user_api_key_hash
        or payload.api_key
    )
    row.user_id = payload.end_user or metadata.user_api_key_end_user_id
    row.client_address = forwarded_address(payload.requester_ip_address or metadata.requester_ip_address)
    row.user_agent = payload.user_agent or metadata.user_agent
    if metadata.requester_custom_headers:
        fill_from_headers(row, metadata.requester_custom_headers)


def _fill_content(row: Row, payload: _Payload) -> None:
    """Fill the texts. A redacted log holds a text or an object in place of the messages."""
    if isinstance(payload.messages, list):
        said = told(payload.messages)
        row.system_instructions, row.prompt, row.message_count = said.system, said.prompt, said.count


def _fill_parameters(row: Row, payload: _Payload) -> None:
    """Fill how it was asked; what is not given has the interface's default."""
    given = payload.model_parameters
    parameters = given if isinstance(given, _Parameters) else _NO_PARAMETERS
    row.temperature, row.top_p = parameters.temperature, parameters.top_p
    row.choice_count = 1 if parameters.n is None else parameters.n
    limit = parameters.max_tokens
    row.max_tokens = parameters.max_completion_tokens if limit is None else limit
    row.logprobs = False if parameters.logprobs is None else parameters.logprobs
    row.top_logprobs = parameters.top_logprobs
    stream = parameters.stream if payload.stream is None else payload.stream
    row.stream = False if stream is None else stream
    row.reasoning_effort = parameters.reasoning_effort
    row.response_format = type_of(parameters.response_format)
    row.tool_count = count_of(parameters.tools or parameters.functions)


def _fill_outcome(row: Row, payload: _Payload, metadata: _Metadata) -> None:
    """Fill what came of it."""
    answer = payload.response if isinstance(payload.response, Answer) else _NO_ANSWER
    usage = answer.usage or metadata.usage_object
    if payload.status == "failure":
        row.status, row.finish_reason = _failure_code(payload), "error"
        row.input_tokens = payload.prompt_tokens or None
        row.output_tokens, row.reasoning_tokens = payload.completion_tokens, 0
        return
    row.status, row.finish_reason = _SUCCESS, answer.finish_reason
    row.input_tokens, row.output_tokens = payload.prompt_tokens, payload.completion_tokens
    row.reasoning_tokens = usage.reasoning if usage else None


def _failure_code(payload: _Payload) -> int | None:
    """Return the HTTP status of a failure, where it has one."""
    code = payload.error_information.error_code if isinstance(payload.error_information, _Failure) else None
    return int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdigit()) else None


def _sniff(head: Head) -> float:
    """Look for the camel-case times among snake-case fields, which only LiteLLM writes."""
    if head.has("startTime", "call_type") or head.has("litellm_call_id"):
        return 1.0
    return 0.0


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches."""
    return read_json_lines(opened, reading, row_of_payload)


def _payload_of(row: Any) -> dict[str, Any]:
    """Write one made-up request as LiteLLM would."""
    messages = [{"role": "user", "content": "[earlier]"}] * (row["message_count"] - 1)
    messages.append({"role": "user", "content": row["prompt"]})
    if "system_instructions" in row:
        messages = [{"role": "system", "content": row["system_instructions"]}, *messages]
    sampled = ("temperature", "top_p", "max_tokens", "logprobs", "top_logprobs", "reasoning_effort")
    parameters = {name: row[name] for name in sampled if row.get(name)}
    parameters |= {"n": row["choice_count"], "tools": [{"type": "function"}] * row["tool_count"]}
    if "response_format" in row:
        parameters["response_format"] = {"type": row["response_format"]}
    start = row["time"].timestamp()
    usage = {
        "prompt_tokens": row["input_tokens"],
        "completion_tokens": row["output_tokens"],
        "completion_tokens_details": {"reasoning_tokens": row["reasoning_tokens"]},
    }
    return {
        "id": row["request_id"],
        "trace_id": "trace",
        "session_id": row.get("conversation_id", "trace"),
        "call_type": "acompletion",
        "stream": row["stream"],
        "status": "success",
        "prompt_tokens": row["input_tokens"],
        "completion_tokens": row["output_tokens"],
        "startTime": start,
        "endTime": start + row["latency_ms"] / 1_000,
        "response_time": row["latency_ms"] / 1_000,
        "model": row["model"],
        "model_map_information": {"model_map_key": row["model"], "model_map_value": None},
        "metadata": {
            "user_api_key_alias": row["api_key_id"],
            "user_api_key_org_id": row["account_id"],
            "requester_custom_headers": {
                "x-ja4": row.get("tls_ja4"),
                "x-client-asn": row["client_asn"],
                "x-client-country": row["client_country"],
            },
        },
        "request_tags": [row["surface"]],
        "end_user": row.get("user_id"),
        "requester_ip_address": row["client_address"],
        "user_agent": row["user_agent"],
        "messages": messages,
        "response": {"choices": [{"finish_reason": row["finish_reason"]}], "usage": usage},
        "model_parameters": parameters,
    }


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up requests."""
    lines = b"".join(msgspec.json.encode(_payload_of(row)) + b"\n" for row in EXAMPLE_ROWS)
    return (Example("litellm.jsonl", lines, EXAMPLE_ROWS),)


FORMAT = LogFormat(
    name="litellm",
    title="LiteLLM StandardLoggingPayload",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
    approximate={
        "request_id": "the proxy's id of the call, not the provider's",
        "client_asn": "only where the proxy logs it as a custom header",
        "client_country": "only where the proxy logs it as a custom header",
        "tls_ja4": "only where the proxy logs it as a custom header",
        "conversation_id": "the session id, where the caller sets one",
        "surface": "from a request tag that names one, else api",
        "input_tokens": "not counted for failed calls",
    },
)
