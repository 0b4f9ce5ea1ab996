"""Metrics, the OpenAPI document and the application are put together from what each part says."""

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stillwatch.errors import (
    CaseConflictError,
    RateLimitError,
    SpoolFullError,
    StillwatchError,
    UnknownCaseError,
)
from stillwatch.respond.node.app import build_app
from stillwatch.respond.node.clock import wall_clock
from stillwatch.respond.node.gate import Gate
from stillwatch.respond.node.metrics import Metric, exposition, single
from stillwatch.respond.node.openapi import openapi_document
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.web.interface import Scope, interface
from stillwatch.respond.web.problems import problem_of


@interface(
    Scope.ANALYST,
    "Show one thing.",
    responses={"200": {"description": "It."}, "404": {"description": "None."}},
)
async def show(_request: Request) -> Response:
    return Response()


@interface(None, "Change one thing.", request={"required": True}, schemas={"Thing": {"type": "object"}})
async def change(_request: Request) -> Response:
    return Response()


async def forgotten(_request: Request) -> Response:
    return Response()


ROUTES = [
    Route("/things/{thing_id:int}", show, methods=["GET"]),
    Route("/things/{thing_id:int}", change, methods=["PUT"]),
]


def test_metrics_are_written_as_prometheus_reads_them() -> None:
    page = exposition(
        [
            Metric("calls_total", "counter", "Calls.", {(("way", 'a"b\\c\n'),): 1_234_567}),
            single("load", "gauge", "Load.", 0.25),
        ]
    )
    assert page == (
        "# HELP stillwatch_calls_total Calls.\n# TYPE stillwatch_calls_total counter\n"
        'stillwatch_calls_total{way="a\\"b\\\\c\\n"} 1234567\n'
        "# HELP stillwatch_load Load.\n# TYPE stillwatch_load gauge\nstillwatch_load 0.25\n"
    )


def test_the_document_names_paths_scopes_parameters_and_refusals() -> None:
    document = openapi_document(ROUTES)
    got = document["paths"]["/things/{thing_id}"]
    assert set(got) == {"get", "put"}
    assert got["get"]["security"] == [{"token": ["analyst"]}]
    assert got["get"]["parameters"][0]["name"] == "thing_id"
    assert set(got["get"]["responses"]) == {"200", "401", "403", "404", "429"}
    assert "application/problem+json" in got["get"]["responses"]["404"]["content"]
    assert got["put"]["security"] == []
    assert got["put"]["requestBody"] == {"required": True}
    assert set(document["components"]["schemas"]) == {"Problem", "Thing"}
    assert got["get"]["operationId"] != got["put"]["operationId"]


def test_an_endpoint_that_does_not_say_who_may_call_it_is_found_at_start(tmp_path: Path) -> None:
    gate = Gate(TokenBook(tmp_path, wall_clock))
    with pytest.raises(RuntimeError, match="has no interface"):
        build_app([Route("/x", forgotten)], gate)


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (UnknownCaseError("x"), 404, None),
        (CaseConflictError("x"), 409, None),
        (SpoolFullError("x"), 507, None),
        (RateLimitError("x", retry_after_s=7), 429, ("retry-after", "7")),
        (StillwatchError("x"), 500, None),
    ],
)
def test_each_error_has_its_status(
    error: StillwatchError, status: int, header: tuple[str, str] | None
) -> None:
    answer = problem_of(error)
    assert answer.status_code == status
    assert header is None or answer.headers[header[0]] == header[1]
    assert error.hint.encode() in answer.body


def test_a_bug_is_answered_without_its_text(tmp_path: Path) -> None:
    @interface(None, "Break.")
    async def broken(_request: Request) -> Response:
        raise KeyError("the prompt of somebody")

    app = build_app([Route("/x", broken)], Gate(TokenBook(tmp_path, wall_clock)))
    sent: list[dict[str, object]] = []

    async def run() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.request"}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/x",
            "headers": [],
            "query_string": b"",
            "root_path": "",
        }
        with pytest.raises(KeyError):  # the server logs what is raised again
            await app(scope, receive, send)  # type: ignore[arg-type]

    asyncio.run(run())
    assert sent[0]["status"] == 500
    assert b"somebody" not in sent[1]["body"]  # type: ignore[operator]
