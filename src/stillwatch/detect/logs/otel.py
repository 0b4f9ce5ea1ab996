"""OpenTelemetry GenAI spans as OTLP/JSON: the output of a collector's file exporter, or a whole request.

Names of semantic conventions up to 1.36, of 1.41 and newer are accepted side by side, and so are the indexed
`gen_ai.prompt.0.content` of older instrumentations. The conventions know no account, key, autonomous system,
logprobs or effort: operators add attributes of their own, and the usual endings of their names are recognized,
whatever stands before (`acme.account.id`). `--columns account_id=acme.tenant` names any other.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.chat import (
    Message,
    count_of,
    text_of_content,
    told,
)
from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import LineProblem, parsed
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.otel_names import UNKNOWN_RANK, is_generation, rank_of, slot_of
from stillwatch.detect.logs.reading.otlp import Span, attributes_of, documents, spans_of
from stillwatch.detect.logs.reading.rejected import Place
from stillwatch.detect.logs.reading.rows import Row, RowBatches
from stillwatch.detect.logs.reading.values import whole_of

NEVER = ("top_logprobs",)

_messages_decoder = msgspec.json.Decoder(list[Message])
_raws_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_ERROR = 2
_SUCCESS = 200
_PROVIDER_SURFACES = {"aws.bedrock": "bedrock", "gcp.vertex_ai": "vertex", "vertex_ai": "vertex"}
_FINISH_REASONS = {
    "tool_call": "tool_calls",
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
}
_FORMATS = {"json": "json_object", "text": None}
_OLD_PROMPT_INDEXES = 512


def _row_of(span: Span, columns_map: Mapping[str, str]) -> Row | None:
    """Turn one span into a request; None when it is no call to a model."""
    attributes = attributes_of(span)
    named = _named(attributes)
    if not is_generation(named, attributes):
        return None
    row = Row(
        request_id=f"{span.trace_id}-{span.span_id}"
        if span.trace_id and span.span_id
        else named.get("response_id"),
        time=_micros(span.start_time_unix_nano),
    )
    for slot in _PLAIN_SLOTS:
        setattr(row, slot, named.get(slot))
    _fill_defaults(row, named)
    _fill_content(row, named, attributes)
    _fill_outcome(row, named, span)
    for column, own in columns_map.items():
        setattr(row, column, attributes.get(own))
    return row


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Sort attributes by what they stand for; of two names for one thing the newer convention's is believed."""
    named: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for name, value in attributes.items():
        slot = slot_of(name)
        if slot is not None and value is not None and rank_of(name) < ranks.get(slot, UNKNOWN_RANK):
            named[slot] = value
            ranks[slot] = rank_of(name)
    return named


_PLAIN_SLOTS = (
    "account_id", "api_key_id", "user_id", "conversation_id", "client_address", "client_asn", "client_country",
    "tls_ja4", "user_agent", "model", "temperature", "top_p", "max_tokens", "top_logprobs",
    "reasoning_effort", "input_tokens", "output_tokens",
)  # fmt: skip


def _micros(nanos: Any) -> Any:
    """Turn OTLP's nanoseconds, which JSON holds as text, into microseconds."""
    whole = whole_of(nanos)
    return None if whole is None else whole // 1_000


def _fill_defaults(row: Row, named: Mapping[str, Any]) -> None:
    """Fill what instrumentations leave out when it is the interface's default."""
    row.operation = named.get("operation", "chat")
    row.surface = named.get("surface") or _PROVIDER_SURFACES.get(str(named.get("provider")), "api")
    row.choice_count = named.get("choice_count", 1)
    row.logprobs = named.get("logprobs", False)
    row.stream = named.get("stream", False)
    output = named.get("output_type")
    row.response_format = named.get("response_format", _FORMATS.get(str(output), output))
    if isinstance(row.account_id, str) and not row.account_id:
        row.account_id = None


def _fill_content(row: Row, named: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    """Fill the texts, where the instrumentation records them."""
    messages = named.get("input_messages")
    if isinstance(messages, str):
        messages = _messages_decoder.decode(messages) if messages.lstrip().startswith("[") else messages
    elif messages is not None:
        messages = _messages_decoder.decode(msgspec.json.encode(messages))
    else:
        messages = _indexed_messages(attributes)
    said = told(messages)
    row.prompt, row.message_count = said.prompt, said.count
    row.system_instructions = _system(named.get("system_instructions")) or said.system
    tools = named.get("tool_definitions")
    if tools is not None:
        raw = tools if isinstance(tools, str) else msgspec.json.encode(tools)
        row.tool_count = count_of(_raws_decoder.decode(raw))
    elif messages is not None:
        row.tool_count = 0


def _system(value: Any) -> str | None:
    """Return system text, given as parts or as bare text."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value.lstrip().startswith(("[", "{", '"')):
            return value or None
        try:
            return text_of_content(value.encode())
        except msgspec.DecodeError:
            return value
    return text_of_content(msgspec.json.encode(value))


def _indexed_messages(attributes: Mapping[str, Any]) -> list[Message] | None:
    """Gather messages that older instrumentations spread over numbered attributes."""
    if "gen_ai.prompt.0.content" not in attributes and "gen_ai.prompt.0.role" not in attributes:
        return None
    messages: list[Message] = []
    for index in range(_OLD_PROMPT_INDEXES):
        role = attributes.get(f"gen_ai.prompt.{index}.role")
        content = attributes.get(f"gen_ai.prompt.{index}.content")
        if role is None and content is None:
            break
        messages.append(Message(str(role or "user"), msgspec.Raw(msgspec.json.encode(content))))
    return messages


def _fill_outcome(row: Row, named: Mapping[str, Any], span: Span) -> None:
    """Fill what came of the call."""
    start, end = whole_of(span.start_time_unix_nano), whole_of(span.end_time_unix_nano)
    if start is not None and end is not None and end >= start:
        row.latency_ms = round((end - start) / 1_000_000)
    row.reasoning_tokens = named.get("reasoning_tokens")
    if row.reasoning_tokens is None and row.output_tokens is not None:
        row.reasoning_tokens = 0
    if _has_failed(span) or "error" in named:
        row.status, row.finish_reason = _code(named), "error"
        if row.output_tokens is None:
            row.output_tokens, row.reasoning_tokens = 0, 0
        return
    row.status = named.get("status", _SUCCESS)
    reasons = named.get("finish_reasons")
    reason = reasons[0] if isinstance(reasons, list) and reasons else reasons
    row.finish_reason = _FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else None


def _has_failed(span: Span) -> bool:
    """Say whether the instrumentation marked the span as failed, by number or by name."""
    return span.status is not None and span.status.code in {_ERROR, "STATUS_CODE_ERROR"}


def _code(named: Mapping[str, Any]) -> int | None:
    """Return the HTTP status of a failure, where it has one."""
    for value in (named.get("status"), named.get("error")):
        if str(value).isdigit():
            return int(str(value))
    return None


def _sniff(head: Head) -> float:
    """Look for the outermost field of OTLP."""
    return 1.0 if head.has("resourceSpans") or b'"resourceSpans"' in head.raw else 0.0


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches. A broken span is refused alone."""
    name = opened.source.name
    batches = RowBatches(reading, name)
    for number, document in documents(opened, reading):
        try:
            spans = parsed(spans_of, document)
        except LineProblem as problem:
            reading.refuse(Place(name, number), problem.reason, detail=problem.detail)
            continue
        for item, raw in enumerate(spans, start=1):
            row = _one(raw, Place(name, number, item=item), reading)
            if row is not None and batches.add(row, number, len(raw), item):
                yield batches.flush()
    yield batches.flush()


_span_decoder = msgspec.json.Decoder(Span)


def _one(raw: bytes, place: Place, reading: Reading) -> Row | None:
    """Parse one span, refuse it, or count it as something else."""
    try:
        row = parsed(lambda line: _row_of(_span_decoder.decode(line), reading.columns_map), raw)
    except LineProblem as problem:
        reading.refuse(place, problem.reason, detail=problem.detail)
        return None
    if row is None:
        reading.summary.ignored += 1
    return row


def _attribute(name: str, value: Any) -> dict[str, Any]:
    """Write one attribute as OTLP does: whole numbers as text."""
    if isinstance(value, bool):
        return {"key": name, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": name, "value": {"intValue": str(value)}}
    if isinstance(value, float):
        return {"key": name, "value": {"doubleValue": value}}
    if isinstance(value, list):
        return {"key": name, "value": {"arrayValue": {"values": [{"stringValue": each} for each in value]}}}
    return {"key": name, "value": {"stringValue": value}}


_EXAMPLE_NAMES = {
    "account_id": "example.account.id", "api_key_id": "example.api_key.id", "user_id": "enduser.pseudo.id",
    "conversation_id": "gen_ai.conversation.id", "client_address": "client.address",
    "client_asn": "client.as.number", "client_country": "client.geo.country_iso_code",
    "tls_ja4": "tls.client.ja4", "user_agent": "user_agent.original", "model": "gen_ai.request.model",
    "operation": "gen_ai.operation.name", "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p", "choice_count": "gen_ai.request.choice.count",
    "max_tokens": "gen_ai.request.max_tokens", "logprobs": "example.request.logprobs",
    "stream": "gen_ai.request.stream", "reasoning_effort": "gen_ai.request.reasoning.level",
    "response_format": "openai.request.response_format", "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens", "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}  # fmt: skip


def _span_of(index: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one made-up request as a span."""
    start = round(row["time"].timestamp() * 1_000_000) * 1_000
    parts = [{"type": "text", "content": row["prompt"]}]
    earlier = {"role": "user", "parts": [{"type": "text", "content": "[earlier]"}]}
    messages = [earlier] * (row["message_count"] - 1) + [{"role": "user", "parts": parts}]
    attributes = [
        _attribute(name, row[column])
        for column, name in _EXAMPLE_NAMES.items()
        if row.get(column) is not None
    ]
    attributes += [
        _attribute("gen_ai.response.finish_reasons", [row["finish_reason"]]),
        _attribute("gen_ai.input.messages", msgspec.json.encode(messages).decode()),
        _attribute(
            "gen_ai.tool.definitions", msgspec.json.encode([{"name": "look_up"}] * row["tool_count"]).decode()
        ),
    ]
    if row.get("system_instructions"):
        system = [{"type": "text", "content": row["system_instructions"]}]
        attributes.append(_attribute("gen_ai.system_instructions", msgspec.json.encode(system).decode()))
    return {
        "traceId": "0" * 31 + str(index),
        "spanId": "0" * 15 + str(index),
        "name": f"chat {row['model']}",
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + row["latency_ms"] * 1_000_000),
        "attributes": attributes,
        "status": {},
    }


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up requests and a span that is no request."""
    spans = [_span_of(index, row) for index, row in enumerate(EXAMPLE_ROWS)]
    other = {**spans[0], "spanId": "f" * 16, "name": "GET /health", "attributes": []}
    document = {
        "resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": [*spans, other]}]}]
    }
    rows = tuple(
        {**row, "request_id": f"{'0' * 31}{index}-{'0' * 15}{index}", "top_logprobs": None}
        for index, row in enumerate(EXAMPLE_ROWS)
    )
    return (Example("traces.json", msgspec.json.encode(document) + b"\n", rows),)


FORMAT = LogFormat(
    name="otel",
    title="OpenTelemetry GenAI spans (OTLP/JSON)",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
    never=NEVER,
    approximate={
        "request_id": "trace id and span id",
        "account_id": "only as an operator's own attribute",
        "api_key_id": "only as an operator's own attribute",
        "client_asn": "only as an operator's own attribute",
        "surface": "an operator's own attribute, else from the provider's name",
        "response_format": "json or text; the exact kind only as an OpenAI attribute",
        "logprobs": "only as an operator's own attribute",
        "reasoning_effort": "gen_ai.request.reasoning.level or an operator's own attribute",
        "input_tokens": "not counted for failed calls",
    },
)
