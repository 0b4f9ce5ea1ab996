"""What a node answers over HTTP, to friends and to others."""

import gzip
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from tests.e2e.node.running import RunningNode

from stillwatch.detect.logs import log_formats
from stillwatch.respond.web.interface import Scope

NDJSON = {"Content-Type": "application/x-ndjson"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"request_id": name, "time": datetime.now(UTC).isoformat(), "account_id": "acct-1", **more}


def test_lines_are_accepted_and_counted(shared_node: RunningNode) -> None:
    before = shared_node.metric("ingest_accepted_total")
    answer = shared_node.send([row("a"), row("b")])
    assert answer.status == 200
    assert answer.json() == {"accepted": 2, "rejected": 0, "ignored": 0, "errors": [], "errors_omitted": 0}
    assert shared_node.metric("ingest_accepted_total") == before + 2


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)]
)
def test_compressed_bodies_are_as_good(shared_node: RunningNode, coding: str, compress: Any) -> None:
    body = compress(json.dumps(row("a")).encode())
    answer = shared_node.ask("POST", "/v1/requests", body, {**NDJSON, "Content-Encoding": coding})
    assert (answer.status, answer.json()["accepted"]) == (200, 1)


def test_rejected_lines_are_named_and_the_others_accepted(shared_node: RunningNode) -> None:
    future = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    lines = [
        json.dumps(row("a")), "{", json.dumps({"time": 1}), json.dumps({**row("c"), "time": future}),
        json.dumps(row("d", input_tokens=-1)), json.dumps(row("e", output_tokens="many")),
    ]  # fmt: skip
    answer = shared_node.ask("POST", "/v1/requests", "\n".join(lines).encode(), NDJSON)
    found = answer.json()
    assert (answer.status, found["accepted"], found["rejected"]) == (200, 1, 5)
    assert [(one["line"], one["reason"], one.get("column")) for one in found["errors"]] == [
        (2, "broken_json", None),
        (3, "missing_field", "request_id"),
        (4, "time_in_future", "time"),
        (5, "out_of_range", "input_tokens"),
        (6, "wrong_type", "output_tokens"),
    ]


def test_a_body_without_any_usable_line_is_refused(shared_node: RunningNode) -> None:
    answer = shared_node.ask("POST", "/v1/requests", b"{}\n{}\n", NDJSON)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["line"] for one in answer.json()["errors"]] == [1, 2]


DEEP = b'{"request_id":"a","account_id":"b","time":1,"prompt":' + b"[" * 500_000 + b"]" * 500_000 + b"}"
HOSTILE = [
    pytest.param(b"", NDJSON, 400, id="nothing"),
    pytest.param(b"\n\n", NDJSON, 400, id="blank lines"),
    pytest.param(b"{}", {"Content-Type": "text/html"}, 415, id="another content type"),
    pytest.param(b"{}", {"Content-Type": "application/json; charset=utf-16"}, 415, id="another charset"),
    pytest.param(b"{}", {**NDJSON, "Content-Encoding": "br"}, 415, id="another coding"),
    pytest.param(b"{}", {**NDJSON, "Content-Encoding": "gzip"}, 400, id="no gzip"),
    pytest.param(
        gzip.compress(bytes(1 << 30)), {**NDJSON, "Content-Encoding": "gzip"}, 413, id="a gzip bomb"
    ),
    pytest.param(
        zstandard.ZstdCompressor().compress(bytes(1 << 30)),
        {**NDJSON, "Content-Encoding": "zstd"},
        413,
        id="a zstd bomb",
    ),
    pytest.param(bytes(40 << 20), NDJSON, 413, id="a long body"),
    pytest.param(DEEP, NDJSON, 422, id="deep JSON"),
    pytest.param(b'{"request_id":"\xff"}', NDJSON, 422, id="no UTF-8"),
    pytest.param(b'{"request_id":"a","prompt":"' + b"x" * (8 << 20) + b'"}', NDJSON, 422, id="a huge line"),
    pytest.param(bytes(range(256)) * 100, NDJSON, 422, id="noise"),
    pytest.param(b"[" * 1_000_000, JSON, 422, id="an array without end"),
]


@pytest.mark.parametrize(("body", "headers", "status"), HOSTILE)
def test_what_cannot_be_used_is_refused_clearly(
    shared_node: RunningNode, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = shared_node.ask("POST", "/v1/requests", body, headers)
    assert answer.status == status, answer.body[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert shared_node.send([row("still-there")]).status == 200


def test_a_body_that_never_says_its_length_is_cut_off(shared_node: RunningNode) -> None:
    chunks = (bytes(1 << 20) for _ in range(64))
    try:
        status = shared_node.ask("POST", "/v1/requests", chunks, NDJSON).status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # it hung up while we were still sending
    assert status == 413


def test_noise_instead_of_http_is_refused(shared_node: RunningNode) -> None:
    with socket.create_connection(("127.0.0.1", shared_node.port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01" + bytes(range(200)) + b"\r\n\r\n")
        assert connection.recv(100).startswith((b"HTTP/1.1 400", b""))
    assert shared_node.get("/healthz", token="").status == 200


def otlp_example() -> bytes:
    [example] = log_formats()["otel"].get_examples()
    return example.content


def test_spans_in_json_are_accepted(shared_node: RunningNode) -> None:
    answer = shared_node.ask("POST", "/v1/traces", otlp_example(), JSON)
    assert (answer.status, answer.json()) == (200, {})


def protobuf_of(document: dict[str, Any]) -> ExportTraceServiceRequest:
    """Encode OTLP/JSON as protobuf; ids are hexadecimal in one and bytes in the other."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for span in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        made = scope.spans.add(
            name=span["name"],
            trace_id=bytes.fromhex(span["traceId"]),
            span_id=bytes.fromhex(span["spanId"]),
            start_time_unix_nano=int(span["startTimeUnixNano"]),
            end_time_unix_nano=int(span["endTimeUnixNano"]),
        )
        for attribute in span["attributes"]:
            value = made.attributes.add(key=attribute["key"]).value
            for kind, held in attribute["value"].items():
                if kind == "arrayValue":
                    for each in held["values"]:
                        value.array_value.values.add(string_value=each["stringValue"])
                elif kind == "intValue":
                    value.int_value = int(held)
                else:
                    setattr(
                        value,
                        {"stringValue": "string_value", "doubleValue": "double_value"}.get(
                            kind, "bool_value"
                        ),
                        held,
                    )
    return request


def test_spans_in_protobuf_are_accepted(shared_node: RunningNode) -> None:
    before = shared_node.metric("ingest_accepted_total")
    body = protobuf_of(json.loads(otlp_example())).SerializeToString()
    answer = shared_node.ask("POST", "/v1/traces", body, PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportTraceServiceResponse.FromString(answer.body).HasField("partial_success")
    assert shared_node.metric("ingest_accepted_total") == before + 2


def test_a_span_without_an_account_is_a_partial_success(shared_node: RunningNode) -> None:
    document = json.loads(otlp_example())
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans[0]["attributes"] = [one for one in spans[0]["attributes"] if "account" not in one["key"]]
    answer = shared_node.ask("POST", "/v1/traces", json.dumps(document).encode(), JSON)
    assert answer.status == 200
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
    again = shared_node.ask("POST", "/v1/traces", protobuf_of(document).SerializeToString(), PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(again.body).partial_success
    assert partial.rejected_spans == 1
    assert "a required field is missing" in partial.error_message


@pytest.mark.parametrize("headers", [JSON, PROTOBUF], ids=["json", "protobuf"])
def test_an_export_request_that_is_none_is_refused_in_its_own_encoding(
    shared_node: RunningNode, headers: dict[str, str]
) -> None:
    answer = shared_node.ask("POST", "/v1/traces", b"\xff\xff\xff", headers)
    assert (answer.status, answer.headers["content-type"]) == (400, headers["Content-Type"])


def test_nobody_comes_in_without_a_token(shared_node: RunningNode) -> None:
    answer = shared_node.ask("POST", "/v1/requests", b"{}", NDJSON, token="")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_token_opens_only_what_it_is_for(shared_node: RunningNode) -> None:
    token = shared_node.new_token(Scope.DECIDE)
    time.sleep(0.6)
    assert shared_node.ask("POST", "/v1/requests", b"{}", NDJSON, token=token).status == 403
    assert shared_node.get("/metrics", token=token).status == 403


def test_a_token_that_is_used_too_often_is_slowed_down(shared_node: RunningNode) -> None:
    token = shared_node.new_token(Scope.ANALYST, rate_per_s=1.0)
    time.sleep(0.6)
    answers = [shared_node.get("/metrics", token=token) for _ in range(5)]
    assert {answer.status for answer in answers} == {200, 429}
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_the_openapi_document_describes_every_endpoint(shared_node: RunningNode) -> None:
    document = shared_node.get("/openapi.json", token="").json()
    assert {"/v1/requests", "/v1/traces", "/healthz", "/metrics", "/openapi.json"} <= set(document["paths"])
    assert document["paths"]["/v1/requests"]["post"]["security"] == [{"token": ["ingest"]}]


def test_unknown_paths_and_methods_are_refused_in_the_same_form(shared_node: RunningNode) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("GET", "/v1/requests", 405)):
        answer = shared_node.ask(method, path)
        assert (answer.status, answer.json()["status"]) == (status, status)


def test_no_prompt_is_in_the_log(shared_node: RunningNode) -> None:
    shared_node.send(
        [row("p", prompt="the secret plan of somebody"), {"prompt": "the secret plan of somebody"}]
    )
    assert "secret plan" not in shared_node.text()


def test_a_node_beyond_this_machine_needs_tls(make_node: Any) -> None:
    node = make_node(start=False)
    node.listen = "0.0.0.0:0"
    with pytest.raises(AssertionError, match="tokens would travel in the clear"):
        node.start()


def test_two_nodes_do_not_share_a_folder(make_node: Any, shared_node: RunningNode) -> None:
    node = make_node(data=shared_node.data, start=False)
    with pytest.raises(AssertionError, match=r"a node runs in .* already"):
        node.start()


def test_a_node_that_is_asked_to_stop_stops_cleanly_and_keeps_what_it_has(
    make_node: Any, tmp_path: Path
) -> None:
    node = make_node(every="1h")
    node.send([row("kept")])
    assert node.stop() == 0
    assert list((node.data / "spool").glob("*.seg"))
