"""AWS Bedrock model-invocation logs, as they lie in the log bucket.

Times have seconds. There is no client address, user agent, TLS fingerprint or end user; CloudTrail has the address.
The account is the AWS account, the key the last part of the caller's ARN.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.chat import (
    NULL,
    Message,
    count_of,
    text_of_content,
    told,
)
from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example, Head, LogFormat, Reading
from stillwatch.detect.logs.reading.json_lines import read_json_lines
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rows import Row
from stillwatch.detect.logs.reading.stop_reasons import STOP_REASONS

NEVER = (
    "user_id", "conversation_id", "client_address", "client_asn", "client_country", "tls_ja4", "user_agent",
    "choice_count", "logprobs", "top_logprobs", "reasoning_effort", "response_format", "reasoning_tokens",
)  # fmt: skip

_STATUS_OF_ERROR = {
    "ThrottlingException": 429,
    "ServiceQuotaExceededException": 429,
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ModelTimeoutException": 408,
    "ModelErrorException": 529,
    "ModelNotReadyException": 529,
    "ServiceUnavailableException": 503,
    "InternalServerException": 500,
}
_OPERATIONS = {"Converse": "chat", "ConverseStream": "chat"}
_PROVIDER = re.compile(r"^(?:(?:us|eu|ap|apac|us-gov|global|jp|au|ca)\.)?[a-z0-9]+\.(?=.)")
_VERSION = re.compile(r"-v\d+(?::\d+)*$")
_SUCCESS = 200


class _Identity(msgspec.Struct, gc=False, rename="camel"):
    """The caller."""

    arn: Any = None


class _Inference(msgspec.Struct, gc=False, rename="camel"):
    """Sampling parameters of Converse."""

    max_tokens: Any = None
    temperature: Any = None
    top_p: Any = None


class _Tools(msgspec.Struct, gc=False, rename="camel"):
    """Tool definitions of Converse."""

    tools: list[msgspec.Raw] | None = None


class _Body(
    msgspec.Struct,
    gc=False,
    rename={"inference_config": "inferenceConfig", "tool_config": "toolConfig", "input_text": "inputText"},
):
    """Body of Converse, or of InvokeModel with a model's own parameters."""

    messages: list[Message] | str | None = None
    system: msgspec.Raw = NULL
    inference_config: _Inference | None = None
    tool_config: _Tools | None = None
    tools: list[msgspec.Raw] | None = None
    prompt: Any = None
    input_text: Any = None
    temperature: Any = None
    top_p: Any = None
    max_tokens: Any = None
    max_gen_len: Any = None


class _Input(msgspec.Struct, gc=False, rename="camel"):
    """What was sent; a large body lies in an object of its own and is not here."""

    input_body_json: _Body | str | list[msgspec.Raw] | None = None
    input_token_count: Any = None


class _Metrics(msgspec.Struct, gc=False, rename="camel"):
    """Measured by the service."""

    latency_ms: Any = None


class _Answer(msgspec.Struct, gc=False, rename={"converse_reason": "stopReason"}):
    """What came back, in Converse's words or in a model's own."""

    converse_reason: Any = None
    stop_reason: Any = None
    metrics: _Metrics | None = None


class _Output(msgspec.Struct, gc=False, rename="camel"):
    """What came back; a stream is a list of pieces."""

    output_body_json: _Answer | str | list[msgspec.Raw] | None = None
    output_token_count: Any = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    """One line."""

    timestamp: Any = None
    account_id: Any = None
    identity: _Identity | None = None
    request_id: Any = None
    operation: Any = None
    model_id: Any = None
    input: _Input | None = None
    output: _Output | None = None
    error_code: Any = None
    schema_type: Any = None


class _Piece(msgspec.Struct, gc=False, rename="camel"):
    """One piece of a stream that says how it ended."""

    message_stop: _Answer | None = None
    metadata: _Answer | None = None
    delta: _Answer | None = None


_decoder = msgspec.json.Decoder(_Record)
_piece_decoder = msgspec.json.Decoder(_Piece)


def _parse(line: bytes) -> Row:
    """Turn one record into a request."""
    record = _decoder.decode(line)
    row = Row(
        request_id=record.request_id,
        time=record.timestamp,
        account_id=record.account_id,
        api_key_id=_caller(record.identity),
        surface="bedrock",
        model=model_name(record.model_id),
        operation=_operation(record),
        stream=isinstance(record.operation, str) and "Stream" in record.operation,
    )
    _fill_input(row, record.input)
    _fill_output(row, record)
    return row


def _caller(identity: _Identity | None) -> Any:
    """Return the last part of the caller's ARN: a session, a user, or a role."""
    arn = identity.arn if identity else None
    return arn.rpartition("/")[2] if isinstance(arn, str) else arn


def model_name(model_id: Any) -> Any:
    """Cut provider, region and version off a Bedrock model id, so that one model has one name everywhere."""
    if not isinstance(model_id, str):
        return model_id
    return _VERSION.sub("", _PROVIDER.sub("", model_id.rpartition("/")[2]))


def _operation(record: _Record) -> str:
    """Name the operation as OpenTelemetry does."""
    if isinstance(record.operation, str) and record.operation not in _OPERATIONS:
        return "embeddings" if isinstance(record.model_id, str) and "embed" in record.model_id else "chat"
    return "chat"


def _fill_input(row: Row, sent: _Input | None) -> None:
    """Fill what was asked."""
    if sent is None:
        return
    row.input_tokens = sent.input_token_count
    body = sent.input_body_json
    if not isinstance(body, _Body):
        return
    said = told(body.messages)
    row.system_instructions = text_of_content(bytes(body.system)) or said.system
    row.prompt = said.prompt if said.count is not None else _bare_prompt(body)
    row.message_count = said.count if said.count is not None else int(row.prompt is not None)
    inference = body.inference_config or _Inference()
    row.temperature = body.temperature if inference.temperature is None else inference.temperature
    row.top_p = body.top_p if inference.top_p is None else inference.top_p
    row.max_tokens = _first(inference.max_tokens, body.max_tokens, body.max_gen_len)
    row.tool_count = count_of(body.tool_config.tools if body.tool_config else body.tools)


def _bare_prompt(body: _Body) -> Any:
    """Return the prompt of a model without messages."""
    return _first(body.prompt, body.input_text)


def _first(*values: Any) -> Any:
    """Return the first value that is not null."""
    return next((value for value in values if value is not None), None)


def _fill_output(row: Row, record: _Record) -> None:
    """Fill what came of it."""
    if record.error_code is not None:
        row.status = _STATUS_OF_ERROR.get(str(record.error_code), 500)
        row.finish_reason, row.output_tokens = "error", 0
        return
    row.status = _SUCCESS
    if record.output is None:
        return
    row.output_tokens = record.output.output_token_count
    reason, row.latency_ms = _ending(record.output.output_body_json)
    row.finish_reason = STOP_REASONS.get(reason, reason) if isinstance(reason, str) else reason


def _ending(body: _Answer | str | list[msgspec.Raw] | None) -> tuple[Any, Any]:
    """Return why an answer ended and how long it took."""
    if isinstance(body, _Answer):
        latency = body.metrics.latency_ms if body.metrics else None
        return _first(body.converse_reason, body.stop_reason), latency
    if not isinstance(body, list):
        return None, None
    endings = [_ending(piece) for raw in body[-3:] for piece in _pieces(raw)]
    reasons, latencies = zip(*endings, strict=True) if endings else ((), ())
    return _first(*reasons), _first(*latencies)


def _pieces(raw: msgspec.Raw) -> list[_Answer]:
    """Return what the last pieces of a stream say about its end."""
    piece = _piece_decoder.decode(raw)
    return [each for each in (piece.message_stop, piece.metadata, piece.delta) if each is not None]


def _sniff(head: Head) -> float:
    """Look for the schema's name."""
    if any(record.get("schemaType") == "ModelInvocationLog" for record in head.records):
        return 1.0
    return 0.9 if head.has("requestId", "modelId", "accountId") else 0.0


def _read(opened: OpenedFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches."""
    return read_json_lines(opened, reading, _parse)


def _record_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one made-up request as Bedrock would."""
    reasons = {"stop": "end_turn", "length": "max_tokens"}
    messages = [{"role": "user", "content": [{"text": row["prompt"]}]}]
    sampling = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"}
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": [{"text": "[earlier]"}]}] * (row["message_count"] - 1)
        + messages,
        "inferenceConfig": {name: row[own] for name, own in sampling.items() if row.get(own) is not None},
        "toolConfig": {"tools": [{"toolSpec": {"name": "look_up"}}] * row["tool_count"]},
    }
    if row.get("system_instructions"):
        body["system"] = [{"text": row["system_instructions"]}]
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": f"{row['time']:%Y-%m-%dT%H:%M:%SZ}",
        "accountId": row["account_id"],
        "identity": {"arn": f"arn:aws:sts::000000000000:assumed-role/app/{row['api_key_id']}"},
        "requestId": row["request_id"],
        "operation": "ConverseStream" if row["stream"] else "Converse",
        "modelId": f"example.{row['model']}-v1:0",
        "input": {"inputBodyJson": body, "inputTokenCount": row["input_tokens"]},
        "output": {
            "outputBodyJson": {
                "stopReason": reasons[row["finish_reason"]],
                "metrics": {"latencyMs": row["latency_ms"]},
            },
            "outputTokenCount": row["output_tokens"],
        },
    }


def _get_examples() -> tuple[Example, ...]:
    """Write two made-up requests."""
    lines = b"".join(msgspec.json.encode(_record_of(row)) + b"\n" for row in EXAMPLE_ROWS)
    rows = tuple(
        {
            **{name: value for name, value in row.items() if name not in NEVER},
            "time": row["time"].replace(microsecond=0),
            "surface": "bedrock",
        }
        for row in EXAMPLE_ROWS
    )
    return (Example("bedrock.jsonl", lines, rows),)


FORMAT = LogFormat(
    name="bedrock",
    title="AWS Bedrock model-invocation log",
    sniff=_sniff,
    read=_read,
    get_examples=_get_examples,
    never=NEVER,
    approximate={
        "time": "whole seconds",
        "account_id": "the AWS account, which is not the provider's own customer id",
        "api_key_id": "the last part of the caller's ARN",
        "model": "without provider, region and version",
        "request_id": "the id that Bedrock gave",
        "surface": "always bedrock",
        "status": "from the error code; 200 without one",
        "latency_ms": "absent for failed calls",
    },
)
