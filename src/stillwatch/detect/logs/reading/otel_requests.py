"""One span of OpenTelemetry GenAI into one request, whether it came in a file or over the wire."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from stillwatch.detect.logs.reading.chat import (
    Message,
    count_of,
    text_of_content,
    told,
)
from stillwatch.detect.logs.reading.otel_names import UNKNOWN_RANK, is_generation, rank_of, slot_of
from stillwatch.detect.logs.reading.rows import Row
from stillwatch.detect.logs.reading.values import whole_of

_messages_decoder = msgspec.json.Decoder(list[Message])
_raws_decoder = msgspec.json.Decoder(list[msgspec.Raw])
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


class Ended(Protocol):
    """What is asked of a span besides its attributes, in OTLP's units: hexadecimal ids, nanoseconds."""

    @property
    def trace_id(self) -> Any:
        """Id of the trace; empty when the span has none."""
        ...

    @property
    def span_id(self) -> Any:
        """Id within the trace."""
        ...

    @property
    def start_time_unix_nano(self) -> Any:
        """Start, as a number or as text."""
        ...

    @property
    def end_time_unix_nano(self) -> Any:
        """End, the same."""
        ...

    @property
    def failed(self) -> bool:
        """Whether the instrumentation marked the span as failed."""
        ...


def request_of(span: Ended, attributes: Mapping[str, Any], columns_map: Mapping[str, str]) -> Row | None:
    """Turn one span into a request, however it was encoded.

    Args:
        span: The span.
        attributes: Its attributes, and those of its events.
        columns_map: Own attribute names of canonical columns.

    Returns:
        The request, unchecked; None when the span is no call to a model.

    Raises:
        msgspec.DecodeError: Messages that the span holds as JSON text are broken; see `json_lines.parsed`.
    """
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


def _fill_outcome(row: Row, named: Mapping[str, Any], span: Ended) -> None:
    """Fill what came of the call."""
    start, end = whole_of(span.start_time_unix_nano), whole_of(span.end_time_unix_nano)
    if start is not None and end is not None and end >= start:
        row.latency_ms = round((end - start) / 1_000_000)
    row.reasoning_tokens = named.get("reasoning_tokens")
    if row.reasoning_tokens is None and row.output_tokens is not None:
        row.reasoning_tokens = 0
    if span.failed or "error" in named:
        row.status, row.finish_reason = _code(named), "error"
        if row.output_tokens is None:
            row.output_tokens, row.reasoning_tokens = 0, 0
        return
    row.status = named.get("status", _SUCCESS)
    reasons = named.get("finish_reasons")
    reason = reasons[0] if isinstance(reasons, list) and reasons else reasons
    row.finish_reason = _FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else None


def _code(named: Mapping[str, Any]) -> int | None:
    """Return the HTTP status of a failure, where it has one."""
    for value in (named.get("status"), named.get("error")):
        if str(value).isdigit():
            return int(str(value))
    return None
