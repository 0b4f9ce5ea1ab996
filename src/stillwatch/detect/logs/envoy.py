"""Envoy AI Gateway's JSON access log. It holds no prompts: what needs content cannot be tested on it."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import read_json_lines
from stillwatch.detect.logs.reading.network import (
    ASN_HEADERS,
    COUNTRY_HEADERS,
    JA4_HEADERS,
    bare_address,
    first_of,
    forwarded_address,
)
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rows import Row

NEVER = (
    "system_instructions", "prompt", "message_count", "tool_count", "temperature", "top_p", "choice_count",
    "max_tokens", "logprobs", "top_logprobs", "stream", "reasoning_effort", "response_format", "finish_reason",
)  # fmt: skip

ACCOUNT_FIELDS = (
    "account_id", "account.id", "x-account-id", "x-organization-id", "organization.id", "x-tenant-id",
    "x-ai-eg-account", "x-user-id", "user.id",
)  # fmt: skip
KEY_FIELDS = ("api_key_id", "x-api-key-id", "api_key.id")
_ID_FIELDS = ("x-request-id", "request_id", "request-id")
_MODEL_FIELDS = (
    "gen_ai.request.model",
    "request.model",
    "x-ai-eg-model",
    "gen_ai.response.model",
    "response_model",
)
_INPUT_FIELDS = ("gen_ai.usage.input_tokens", "llm_input_token", "gen_ai.usage.prompt_tokens")
_OUTPUT_FIELDS = ("gen_ai.usage.output_tokens", "llm_output_token", "gen_ai.usage.completion_tokens")
_REASONING_FIELDS = ("gen_ai.usage.reasoning.output_tokens", "llm_reasoning_token")
_EMPTY = frozenset({"", "-"})  # how Envoy writes what it does not know

_decoder = msgspec.json.Decoder(dict[str, Any])


def _parse(line: bytes) -> Row | None:
    """Turn one access-log entry into a request; calls that reach no model are none."""
    entry = {name: value for name, value in _decoder.decode(line).items() if _is_known(value)}
    model = first_of(entry, _MODEL_FIELDS)
    if model is None and first_of(entry, _INPUT_FIELDS) is None:
        return None
    return Row(
        request_id=first_of(entry, _ID_FIELDS),
        time=first_of(entry, ("start_time", "timestamp", "time")),
        account_id=first_of(entry, ACCOUNT_FIELDS),
        api_key_id=first_of(entry, KEY_FIELDS),
        user_id=first_of(entry, ("enduser.id", "x-end-user-id")),
        conversation_id=first_of(entry, ("gen_ai.conversation.id", "session.id")),
        client_address=_address(entry),
        client_asn=first_of(entry, ("client.as.number", *ASN_HEADERS)),
        client_country=first_of(entry, ("client.geo.country_iso_code", *COUNTRY_HEADERS)),
        tls_ja4=first_of(entry, ("tls.client.ja4", "ja4", *JA4_HEADERS)),
        user_agent=first_of(entry, ("user-agent", "user_agent", "user_agent.original")),
        surface="api",
        model=model,
        operation=first_of(entry, ("gen_ai.operation.name",)) or "chat",
        input_tokens=first_of(entry, _INPUT_FIELDS),
        output_tokens=first_of(entry, _OUTPUT_FIELDS),
        reasoning_tokens=first_of(entry, _REASONING_FIELDS),
        status=first_of(entry, ("response_code", "http.response.status_code")),
        latency_ms=first_of(entry, ("duration", "duration_ms")),
    )


def _is_known(value: Any) -> bool:
    """Say whether Envoy knew a value."""
    return value is not None and not (isinstance(value, str) and value in _EMPTY)


def _address(entry: Mapping[str, Any]) -> Any:
    """Return the client's address; the peer's own only when no proxy stood before the gateway."""
    forwarded = forwarded_address(entry.get("x-forwarded-for"))
    if forwarded is not None:
        return forwarded
    peer = first_of(entry, ("client.address", "downstream_remote_address"))
    return bare_address(peer) if isinstance(peer, str) else peer


def _sniff(head: Head) -> float:
    """Look for Envoy's own fields."""
    if head.has("start_time", "response_code", "duration"):
        return 0.8
    return 0.7 if head.has("x-request-id", "gen_ai.request.model") else 0.0


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches."""
    return read_json_lines(opened, reading, _parse)


def _entry_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one made-up request as Envoy would."""
    return {
        "start_time": row["time"].isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "method": "POST",
        "x-envoy-origin-path": "/v1/chat/completions",
        "response_code": row["status"],
        "duration": row["latency_ms"],
        "user-agent": row.get("user_agent"),
        "x-request-id": row["request_id"],
        "x-forwarded-for": f"{row['client_address']}, 10.0.0.3",
        "downstream_remote_address": "10.0.0.3:41234",
        "gen_ai.request.model": row["model"],
        "gen_ai.usage.input_tokens": row["input_tokens"],
        "gen_ai.usage.output_tokens": row["output_tokens"],
        "gen_ai.usage.reasoning.output_tokens": row["reasoning_tokens"],
        "session.id": row.get("conversation_id", "-"),
        "x-organization-id": row["account_id"],
        "x-api-key-id": row["api_key_id"],
        "x-end-user-id": row.get("user_id"),
        "x-client-asn": row["client_asn"],
        "x-client-country": row["client_country"],
        "x-ja4": row.get("tls_ja4"),
    }


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up requests."""
    lines = b"".join(msgspec.json.encode(_entry_of(row)) + b"\n" for row in EXAMPLE_ROWS)
    rows = tuple({name: value for name, value in row.items() if name not in NEVER} for row in EXAMPLE_ROWS)
    return (Example("access.jsonl", lines, rows),)


FORMAT = LogFormat(
    name="envoy",
    title="Envoy AI Gateway access log",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
    never=NEVER,
    approximate={
        "time": "whole milliseconds",
        "account_id": "only where the gateway logs it, for example as x-organization-id",
        "api_key_id": "only where the gateway logs it, for example as x-api-key-id",
        "user_id": "only where the gateway logs it, for example as x-end-user-id",
        "client_asn": "only where the gateway logs it",
        "client_country": "only where the gateway logs it",
        "tls_ja4": "only where the gateway logs it",
        "reasoning_tokens": "only where the gateway logs them",
        "surface": "always api",
    },
)
