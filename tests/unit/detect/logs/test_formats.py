"""What is special about each log format."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stillwatch.detect.logs import RejectedLog, bedrock, read_requests
from stillwatch.errors import NothingToReadError

NOW = datetime(2026, 11, 20, tzinfo=UTC)
Reader = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows_of(tmp_path: Path) -> Reader:
    """Read records written as JSON lines, or text as it is."""

    def read(*records: Any, **options: Any) -> list[dict[str, Any]]:
        path = tmp_path / "log"
        lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
        path.write_text("\n".join(lines))
        try:
            batches = read_requests([path], rejected=RejectedLog(), now=NOW, **options)
            return [row for batch in batches for row in batch.to_pylist()]
        except NothingToReadError:
            return []

    return read


def attribute(name: str, value: Any) -> dict[str, Any]:
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}[type(value)]
    return {"key": name, "value": {kind: str(value) if kind == "intValue" else value}}


def span(attributes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "startTimeUnixNano": "1772445600000000000",
        "endTimeUnixNano": 1772445600750000000,
        "attributes": [attribute(name, value) for name, value in attributes.items()],
        **changes,
    }


def trace(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


WHO = {"acme.account.id": "acct-1"}


def test_old_span_names_mean_the_same_as_new_ones(rows_of: Reader) -> None:
    old = {
        "gen_ai.system": "aws.bedrock",
        "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.completion_tokens": 4,
        "gen_ai.request.model": "m",
        "gen_ai.openai.request.response_format": "json_schema",
    }
    new = {
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.request.model": "m",
        "openai.request.response_format": "json_schema",
    }
    first, second = rows_of(trace(span(WHO | old)), trace(span(WHO | new)))
    assert first == second
    assert (first["surface"], first["input_tokens"], first["latency_ms"]) == ("bedrock", 3, 750)


@pytest.mark.parametrize("is_old_first", [False, True])
def test_of_an_old_and_a_new_name_the_new_one_is_believed(is_old_first: bool, rows_of: Reader) -> None:  # noqa: FBT001
    names = {"gen_ai.usage.input_tokens": 9, "gen_ai.usage.prompt_tokens": 3, "gen_ai.request.model": "m"}
    ordered = dict(sorted(names.items(), reverse=is_old_first))
    assert rows_of(trace(span(WHO | ordered)))[0]["input_tokens"] == 9


def test_prompts_in_numbered_attributes_and_in_events_are_found(rows_of: Reader) -> None:
    numbered = {
        "gen_ai.request.model": "m",
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": "Which bulb?",
    }
    message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Which bulb?"}]}])
    event = {
        "name": "gen_ai.client.inference.operation.details",
        "attributes": [attribute("gen_ai.input.messages", message)],
    }
    first, second = rows_of(
        trace(span(WHO | numbered)), trace(span({**WHO, "gen_ai.request.model": "m"}, events=[event]))
    )
    assert (first["system_instructions"], first["prompt"], first["message_count"]) == (
        "Be brief.",
        "Which bulb?",
        1,
    )
    assert second["prompt"] == "Which bulb?"


def test_a_pretty_printed_trace_is_one_document(rows_of: Reader) -> None:
    document = json.dumps(trace(span({**WHO, "gen_ai.request.model": "m"})), indent=2)
    assert len(rows_of(document)) == 1


def test_spans_that_call_no_model_are_left_out_and_a_broken_one_costs_only_itself(tmp_path: Path) -> None:
    good = span({**WHO, "gen_ai.request.model": "m"})
    tool = span({"gen_ai.operation.name": "execute_tool"})
    web = span({"http.request.method": "GET"})
    broken = {**good, "attributes": "none"}
    path = tmp_path / "log"
    path.write_text(json.dumps(trace(good, tool, web, broken)))
    out = tmp_path / "rejected"
    with RejectedLog(out) as rejected:
        batches = read_requests([path], rejected=rejected, now=NOW)
        assert sum(batch.num_rows for batch in batches) == 1
    assert batches.summary.ignored == 2
    entry = json.loads(out.read_text())
    assert (entry["line"], entry["item"], entry["reason"]) == (1, 4, "wrong_type")


def test_an_operator_names_its_own_account_attribute(rows_of: Reader) -> None:
    record = trace(span({"gen_ai.request.model": "m", "acme.tenancy": "acct-5"}))
    assert rows_of(record) == []
    assert rows_of(record, columns_map={"account_id": "acme.tenancy"})[0]["account_id"] == "acct-5"


def test_the_cloud_account_that_runs_the_gateway_is_not_the_customer(rows_of: Reader) -> None:
    assert rows_of(trace(span({"gen_ai.request.model": "m", "cloud.account.id": "0000"}))) == []


PAYLOAD = {
    "id": "r1",
    "call_type": "acompletion",
    "startTime": 1772445600.0,
    "endTime": 1772445601.5,
    "status": "success",
    "model": "m",
    "metadata": {"user_api_key_hash": "h", "user_api_key_team_id": "team"},
    "prompt_tokens": 3,
    "completion_tokens": 4,
}


def test_a_proxy_without_organizations_has_teams_as_customers(rows_of: Reader) -> None:
    without = {**PAYLOAD, "metadata": {"user_api_key_hash": "h"}}
    first, second = rows_of(PAYLOAD, without)
    assert [first["account_id"], second["account_id"]] == ["team", "h"]
    assert first["latency_ms"] == 1_500
    mapped = rows_of(PAYLOAD, columns_map={"account_id": "metadata.user_api_key_hash"})
    assert mapped[0]["account_id"] == "h"


def test_redacted_messages_leave_a_request_without_a_prompt(rows_of: Reader) -> None:
    bodies: list[Any] = ["redacted-by-litellm", {"x": 1}, None, []]
    rows = rows_of(*({**PAYLOAD, "messages": body} for body in bodies))
    assert [row["prompt"] for row in rows] == [None] * 4


def test_rows_of_the_spend_table_are_read(rows_of: Reader) -> None:
    record = {
        "request_id": "r1",
        "call_type": "aembedding",
        "startTime": "2026-03-02 10:00:00",
        "api_key": "h",
        "organization_id": "org",
        "metadata": json.dumps({"user_api_key_alias": "key"}),
        "model": "m",
        "prompt_tokens": 3,
        "response": "{}",
        "status": "failure",
    }
    (row,) = rows_of(record)
    assert (row["account_id"], row["api_key_id"], row["operation"]) == ("org", "key", "embeddings")
    assert (row["finish_reason"], row["status"]) == ("error", None)


def test_a_responses_request_is_read_like_a_chat_completion(rows_of: Reader) -> None:
    record = {
        "account_id": "a",
        "request": {
            "path": "/v1/responses",
            "body": {
                "model": "m",
                "instructions": "Be brief.",
                "input": [{"role": "user", "content": [{"type": "input_text", "text": "Which bulb?"}]}],
                "max_output_tokens": 90,
                "reasoning": {"effort": "high"},
                "text": {"format": {"type": "json_schema"}},
                "conversation": "c1",
            },
        },
        "response": {
            "status": 200,
            "body": {
                "id": "resp_1",
                "created_at": 1772445600,
                "status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"},
                "usage": {
                    "input_tokens": 3,
                    "output_tokens": 90,
                    "output_tokens_details": {"reasoning_tokens": 7},
                },
            },
        },
    }
    (row,) = rows_of(record)
    expected = {
        "request_id": "resp_1",
        "system_instructions": "Be brief.",
        "prompt": "Which bulb?",
        "max_tokens": 90,
        "reasoning_effort": "high",
        "response_format": "json_schema",
        "conversation_id": "c1",
        "finish_reason": "length",
        "reasoning_tokens": 7,
        "status": 200,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("as_text", [False, True])
def test_bodies_may_stand_without_an_envelope_or_as_text(as_text: bool, rows_of: Reader) -> None:  # noqa: FBT001
    body = {"model": "m", "messages": [{"role": "user", "content": "Which bulb?"}]}
    answer = {"id": "c1", "created": 1772445600, "choices": [{"finish_reason": "stop"}]}
    if as_text:
        record = {
            "request": {"body": json.dumps(body)},
            "response": {"body": json.dumps(answer), "status": 200},
        }
    else:
        record = {"request": body, "response": answer}
    (row,) = rows_of({**record, "account_id": "a"})
    assert (row["request_id"], row["prompt"], row["status"], row["finish_reason"]) == (
        "c1",
        "Which bulb?",
        200,
        "stop",
    )


def test_the_prompt_is_the_last_user_message_that_has_text(rows_of: Reader) -> None:
    messages = [
        {"role": "system", "content": "One."},
        {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "answer"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "last"}, {"type": "image_url", "image_url": {}}],
        },
        {"role": "tool", "content": "result"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
    ]
    record = {"request": {"model": "m", "messages": messages}, "response": {"id": "r", "created": 1772445600}}
    (row,) = rows_of({**record, "account_id": "a"})
    assert (row["system_instructions"], row["prompt"], row["message_count"]) == ("One.\nTwo.", "last", 5)


def test_a_credential_in_the_headers_is_never_read(rows_of: Reader) -> None:
    headers = {
        "Authorization": "Bearer made-up",
        "x-api-key": "made-up",
        "X-Request-Id": "r",
        "X-Account-Id": "a",
    }
    record = {
        "request": {"headers": headers, "received_at": 1772445600, "body": {"model": "m"}},
        "response": None,
    }
    assert "made-up" not in json.dumps(rows_of(record), default=str)


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("example.large-1-v1:0", "large-1"),
        ("us.example.large-1-20250219-v1:0", "large-1-20250219"),
        ("arn:aws:bedrock:us-east-1:000000000000:inference-profile/eu.example.large-v2:0", "large"),
        ("example.large-2.5-v1:0", "large-2.5"),
        ("large", "large"),
        (None, None),
    ],
)
def test_a_model_has_one_name_in_every_cloud(model_id: str | None, name: str | None) -> None:
    assert bedrock.model_name(model_id) == name


def test_a_streamed_bedrock_answer_says_at_its_end_how_it_ended(rows_of: Reader) -> None:
    record = {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2026-03-02T10:00:00Z",
        "accountId": "000000000000",
        "requestId": "r1",
        "operation": "ConverseStream",
        "modelId": "example.large-v1:0",
        "input": {
            "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]},
            "inputTokenCount": 3,
        },
        "output": {
            "outputBodyJson": [
                {"contentBlockDelta": {"delta": {"text": "x"}}},
                {"messageStop": {"stopReason": "max_tokens"}},
                {"metadata": {"metrics": {"latencyMs": 250}}},
            ],
            "outputTokenCount": 4,
        },
    }
    (row,) = rows_of(record)
    assert (row["finish_reason"], row["latency_ms"], row["stream"]) == ("length", 250, True)


def test_bedrock_bodies_in_the_words_of_a_model_are_read(rows_of: Reader) -> None:
    base = {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2026-03-02T10:00:00Z",
        "accountId": "000000000000",
        "operation": "InvokeModel",
        "modelId": "example.large-v1:0",
    }
    own = {
        "messages": [{"role": "user", "content": "hi"}],
        "system": "Be brief.",
        "max_tokens": 5,
        "temperature": 0.5,
    }
    stored = {"inputBodyS3Path": "s3://example/x", "inputTokenCount": 3}
    rows = rows_of(
        {**base, "requestId": "r1", "input": {"inputBodyJson": own}},
        {**base, "requestId": "r2", "input": {"inputBodyJson": {"prompt": "hi"}}},
        {**base, "requestId": "r3", "input": stored},
        {**base, "requestId": "r4", "errorCode": "ThrottlingException"},
    )
    assert [row["prompt"] for row in rows] == ["hi", "hi", None, None]
    assert (rows[0]["system_instructions"], rows[0]["max_tokens"], rows[0]["temperature"]) == (
        "Be brief.",
        5,
        0.5,
    )
    assert (rows[3]["status"], rows[3]["finish_reason"], rows[3]["output_tokens"]) == (429, "error", 0)


def test_envoy_writes_a_dash_for_what_it_does_not_know(rows_of: Reader) -> None:
    entry = {
        "start_time": "2026-03-02T10:00:00.123Z",
        "response_code": 200,
        "duration": 12,
        "x-request-id": "r1",
        "x-organization-id": "a",
        "user-agent": "-",
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 5,
        "downstream_remote_address": "192.0.2.4:1234",
    }
    health = {**entry, "gen_ai.request.model": "-", "gen_ai.usage.input_tokens": "-"}
    (row,) = rows_of(entry, health)
    assert (row["user_agent"], row["client_address"], row["prompt"]) == (None, "192.0.2.4", None)


def test_an_anthropic_failure_is_an_error_without_output(rows_of: Reader) -> None:
    record = {
        "account_id": "a",
        "request_id": "r",
        "time": 1772445600,
        "request": {"path": "/v1/messages", "body": {"model": "m", "messages": []}},
        "response": {"body": {"type": "error", "error": {"type": "rate_limit_error"}}},
    }
    (row,) = rows_of(record)
    assert (row["status"], row["finish_reason"], row["output_tokens"]) == (429, "error", 0)


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_csv_takes_comma_semicolon_and_tab_quotes_and_line_breaks(sign: str, rows_of: Reader) -> None:
    header = sign.join(("request_id", "time", "account_id", "prompt", "stream"))
    row = sign.join(("r1", "2026-03-02", "a", '"Which\n""bulb""' + sign + '?"', "TRUE"))
    (found,) = rows_of("\ufeff" + header + "\r", row + "\r")
    assert (found["prompt"], found["stream"]) == (f'Which\n"bulb"{sign}?', True)


def test_broken_csv_rows_are_refused_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(
        b"request_id,time,account_id,prompt\n"
        b"r1,2026-03-02,a,hi\n"
        b"r2,2026-03-02,a\n"
        b'r3,2026-03-02,a,"x"y\n'
        b"r4,2026-03-02,a,\xff\n"
        b"r5,2026-03-02,,hi\n"
        b"\n"
        b"r6,2026-03-02,a,hi\n"
        b'r7,2026-03-02,a,"never closed\n'
    )
    out = tmp_path / "rejected"
    with RejectedLog(out) as rejected:
        batches = read_requests([path], rejected=rejected, now=NOW)
        ids = [row["request_id"] for batch in batches for row in batch.to_pylist()]
    assert ids == ["r1", "r6"]
    entries = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted((entry["line"], entry["reason"]) for entry in entries) == [
        (3, "wrong_field_count"),
        (4, "broken_csv"),
        (5, "invalid_utf8"),
        (6, "missing_field"),
        (9, "broken_csv"),
    ]
    assert batches.summary.ignored == 1
