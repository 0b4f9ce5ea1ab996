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

from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import LineProblem, parsed
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.otlp import documents, span_request, spans_of
from stillwatch.detect.logs.reading.rejected import Place
from stillwatch.detect.logs.reading.rows import Row, RowBatches

NEVER = ("top_logprobs",)


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


def _one(raw: bytes, place: Place, reading: Reading) -> Row | None:
    """Parse one span, refuse it, or count it as something else."""
    try:
        row = span_request(raw, reading.columns_map)
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
