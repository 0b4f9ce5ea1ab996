"""Bodies of requests as gateways and collectors send them, about 1.3 KB of JSON for each request."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MARK = b"f0f0f0f0f0f0f0f0"
"""Stands at the start of every request id and in every trace id; a sender puts another number of 16 digits there."""

_ACCOUNTS = 5_000
_NAMES = {
    "account_id": "acme.account.id",
    "client_address": "client.address",
    "tls_ja4": "tls.client.ja4",
    "user_agent": "user_agent.original",
    "model": "gen_ai.request.model",
    "operation": "gen_ai.operation.name",
    "temperature": "gen_ai.request.temperature",
    "max_tokens": "gen_ai.request.max_tokens",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
}


def requests(count: int, now: datetime) -> list[dict[str, Any]]:
    """Make up requests of the last minutes.

    Args:
        count: How many.
        now: Time of the last one.
    """
    return [_request(number, now - timedelta(milliseconds=number)) for number in range(count)]


def _request(number: int, time: datetime) -> dict[str, Any]:
    return {
        "request_id": f"{MARK.decode()}-{number:06d}",
        "time": time.isoformat(),
        "account_id": f"acct_{number * 7 % _ACCOUNTS}",
        "api_key_id": f"key_{number * 11 % _ACCOUNTS}",
        "conversation_id": f"conversation-{number}",
        "client_address": f"203.0.113.{number % 250}",
        "client_asn": 64_500,
        "client_country": "US",
        "tls_ja4": "t13d1516h2_8daaf6152771_b186095e22b6",
        "user_agent": "openai-python/1.2",
        "surface": "api",
        "model": "model-large",
        "operation": "chat",
        "system_instructions": "You are a helpful assistant. " * 8,
        "prompt": f"Explain step by step how part {number} of the machine works. " * 8,
        "message_count": 3,
        "tool_count": 0,
        "temperature": 0.7,
        "top_p": 1.0,
        "choice_count": 1,
        "max_tokens": 1_024,
        "logprobs": False,
        "stream": True,
        "input_tokens": 300,
        "output_tokens": 500,
        "reasoning_tokens": 0,
        "finish_reason": "stop",
        "status": 200,
        "latency_ms": 1_234,
    }


def otlp_json(rows: Sequence[dict[str, Any]]) -> bytes:
    """Write requests as an export request in OTLP/JSON."""
    spans = []
    for number, row in enumerate(rows):
        attributes = [{"key": own, "value": _json_value(row[name])} for name, own in _NAMES.items()]
        attributes += [{"key": name, "value": {"stringValue": text}} for name, text in _contents(row).items()]
        start = _nanoseconds(row)
        spans.append(
            {
                "traceId": MARK.decode() + f"{number:016x}",
                "spanId": f"{number:016x}",
                "name": "chat",
                "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(start + 10**9),
                "attributes": attributes,
                "status": {},
            }
        )
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def otlp_protobuf(rows: Sequence[dict[str, Any]]) -> bytes:
    """Write requests as an export request in protobuf. Trace ids are bytes here: the mark stands there as it is."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number, row in enumerate(rows):
        start = _nanoseconds(row)
        span = scope.spans.add(
            name="chat",
            trace_id=MARK,
            span_id=number.to_bytes(8, "big"),
            start_time_unix_nano=start,
            end_time_unix_nano=start + 10**9,
        )
        for name, own in _NAMES.items():
            value = span.attributes.add(key=own).value
            held = row[name]
            if isinstance(held, str):
                value.string_value = held
            elif isinstance(held, int):
                value.int_value = held
            else:
                value.double_value = held
        for name, text in _contents(row).items():
            span.attributes.add(key=name).value.string_value = text
    return request.SerializeToString()


def _contents(row: dict[str, Any]) -> dict[str, str]:
    message = {"role": "user", "parts": [{"type": "text", "content": row["prompt"]}]}
    system = [{"type": "text", "content": row["system_instructions"]}]
    return {
        "gen_ai.input.messages": json.dumps([message]),
        "gen_ai.system_instructions": json.dumps(system),
    }


def _json_value(value: object) -> dict[str, object]:
    if isinstance(value, str):
        return {"stringValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"doubleValue": value}


def _nanoseconds(row: dict[str, Any]) -> int:
    return round(datetime.fromisoformat(row["time"]).timestamp() * 1_000_000) * 1_000
