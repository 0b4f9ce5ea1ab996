"""What OpenAPI says of the receivers."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from stillwatch.domain.requests import REQUESTS, REQUIRED_REQUEST_COLUMNS
from stillwatch.respond.web.interface import Scope


def _json_type(kind: pa.DataType) -> dict[str, Any]:
    """Say a canonical type in JSON Schema."""
    if pa.types.is_timestamp(kind):
        return {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}
    if pa.types.is_integer(kind):
        return {"type": ["integer", "null"], "minimum": 0}
    if pa.types.is_floating(kind):
        return {"type": ["number", "null"]}
    return {"type": ["boolean" if pa.types.is_boolean(kind) else "string", "null"]}


REQUEST_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": list(REQUIRED_REQUEST_COLUMNS),
    "properties": {
        field.name: {"type": "string", "minLength": 1}
        if field.name in {"request_id", "account_id"}
        else _json_type(field.type)
        for field in REQUESTS
    },
}
"""JSON Schema of one canonical request."""

RECEIPT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["accepted", "rejected", "ignored", "errors", "errors_omitted"],
    "properties": {
        "accepted": {"type": "integer", "description": "requests that are on disk"},
        "rejected": {"type": "integer", "description": "requests that will never be let in as they are"},
        "ignored": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["line", "reason", "sentence"],
                "properties": {
                    "line": {"type": "integer"},
                    "reason": {"type": "string"},
                    "column": {"type": "string"},
                    "sentence": {"type": "string"},
                },
            },
        },
        "errors_omitted": {"type": "integer"},
    },
}
"""JSON Schema of the answer."""

_REQUEST_REF = {"$ref": "#/components/schemas/Request"}
_REFUSALS: Final = {
    "400": "The body is empty or damaged.",
    "408": "The body did not arrive in time.",
    "413": "The body is too long, as sent or decompressed.",
    "415": "The content type or content encoding is not supported.",
    "422": "None of the requests can be used; each is listed with its line.",
    "503": "Too much waits; send the same requests again.",
    "507": "The disk is full; send the same requests again when it is not.",
}


def _refusals(*statuses: str) -> dict[str, Any]:
    return {status: {"description": _REFUSALS[status]} for status in statuses}


REQUESTS_INTERFACE: Final[dict[str, Any]] = {
    "scope": Scope.INGEST,
    "summary": "Take canonical requests: one JSON object per line, or an array. Acknowledged means on disk.",
    "request": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": _REQUEST_REF, "minItems": 1}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
    "responses": {
        "200": {
            "description": "What was accepted, and what was rejected and why.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}},
        },
        **_refusals("400", "408", "413", "415", "422", "503", "507"),
    },
    "schemas": {"Request": REQUEST_SCHEMA, "Receipt": RECEIPT_SCHEMA},
}

_OTLP_REFUSAL: Final[dict[str, Any]] = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
        }
    },
    "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
}
"""`google.rpc.Status`, as OTLP asks; what the gate refuses is a problem like everywhere else."""

TRACES_INTERFACE: Final[dict[str, Any]] = {
    "scope": Scope.INGEST,
    "summary": "Take GenAI spans as OTLP/HTTP (OpenTelemetry Protocol 1.9), in JSON or protobuf.",
    "request": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["resourceSpans"],
                    "properties": {"resourceSpans": {"type": "array", "items": {"type": "object"}}},
                }
            },
            "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "responses": {
        "200": {
            "description": "ExportTraceServiceResponse; `partialSuccess` counts rejected spans.",
            "content": {"application/json": {"schema": {"type": "object"}}, "application/x-protobuf": {}},
        },
        **{
            status: {**refusal, "content": _OTLP_REFUSAL}
            for status, refusal in _refusals("400", "408", "413", "415", "503").items()
        },
    },
}
