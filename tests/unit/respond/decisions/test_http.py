"""Decisions over HTTP: fast verdicts for gateways, changes for guards, and acts of people."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from tests.unit.respond.decisions.serving import Client, served

from stillwatch.domain.decisions import Decision
from stillwatch.errors import StillwatchError
from stillwatch.respond.audit import AuditTrail, verify
from stillwatch.respond.decisions.changes import ChangePage
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.http import CALLER, routes
from stillwatch.respond.node.openapi import openapi_document
from stillwatch.respond.store import Store
from stillwatch.respond.web.interface import Scope as Need, interface_of
from stillwatch.respond.web.problems import on_stillwatch_error

Make = Callable[..., Decision]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def client(store: Store, database: Path) -> Iterator[Client]:
    """Return a client of an application without a gate; the caller's token is called alice, or as a header says."""
    with Guard(database, poll_s=0.02) as guard:
        made = routes(guard, AuditTrail(store, now), now, random.Random(5))
        inner = Starlette(routes=made, exception_handlers={StillwatchError: on_stillwatch_error})

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            name = dict(scope.get("headers", ())).get(b"x-name", b"alice").decode()
            scope[CALLER] = SimpleNamespace(name=name)
            await inner(scope, receive, send)

        with served(app) as found:
            yield found


def taken(client: Client, **changes: object) -> dict[str, Any]:
    body = {
        "accounts": ["a", "b"],
        "action": "block",
        "mode": "live",
        "label": "distillation",
        "reason": "one operator",
        "rationale": "our terms",
        "evidence": ["finding-1"],
        "ends_at": (now() + timedelta(days=3)).isoformat(),
    }
    answer = client.post("/v1/decisions", body={**body, **changes})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def verdict(client: Client, **call: object) -> dict[str, Any]:
    answer = client.post("/v1/decide", body={"account_id": "a", **call})
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def eventually(client: Client, *, refused: bool) -> None:
    for _ in range(2_000):
        if verdict(client)["refused"] is refused:
            return
    pytest.fail("the guard did not learn of it")


def test_a_decision_is_taken_enforced_and_undone(client: Client, store: Store) -> None:
    decision = taken(client)
    assert decision["author"] == "person:alice"
    eventually(client, refused=True)
    listed = client.get("/v1/decisions").json()
    assert [one["decision_id"] for one in listed] == [decision["decision_id"]]
    assert client.get("/v1/decisions?account=a").json() == listed
    assert client.get("/v1/decisions?account=z").json() == []
    undone = client.post(f"/v1/decisions/{decision['decision_id']}/undo", body={"why": "a mistake"})
    assert undone.json()["undone_by"] == "person:alice"
    eventually(client, refused=False)
    assert client.get("/v1/decisions").json() == []
    assert len(client.get("/v1/decisions?all=1").json()) == 1
    assert verify(store).holds


def test_every_change_of_a_decision_can_be_made(client: Client) -> None:
    path = f"/v1/decisions/{taken(client, mode='shadow')['decision_id']}"
    assert client.post(f"{path}/on", body={"rationale": "our own logs"}).json()["mode"] == "live"
    assert client.post(f"{path}/off", body={"why": "too early"}).json()["mode"] == "shadow"
    end = (now() + timedelta(days=9)).isoformat()
    assert client.post(f"{path}/extend", body={"ends_at": end, "why": "goes on"}).status == 200
    assert client.post(f"{path}/release", body={"account_id": "a", "why": "partner"}).json()["released"] == [
        "a"
    ]


def test_an_appeal_is_opened_and_answered_by_somebody_else(client: Client) -> None:
    decision = taken(client)
    body = {"decision_id": decision["decision_id"], "account_id": "a", "statement": "a benchmark"}
    appeal = client.post("/v1/appeals", body=body).json()
    assert len(client.get("/v1/appeals").json()) == 1
    path, answer = f"/v1/appeals/{appeal['appeal_id']}/answer", {"outcome": "reinstated", "answer": "sorry"}
    assert client.post(path, body=answer).status == 422
    assert client.post(path, body=answer, headers={"x-name": "bob"}).json()["outcome"] == "reinstated"
    eventually(client, refused=False)


def test_an_indicator_is_recorded_turned_on_and_withdrawn(client: Client) -> None:
    body = {
        "kind": "network",
        "value": "192.0.2.9/24",
        "reason": "a relay",
        "evidence": ["case-1"],
        "valid_until": (now() + timedelta(days=3)).isoformat(),
    }
    mark = client.post("/v1/indicators", body=body).json()
    path = f"/v1/indicators/{mark['indicator_id']}"
    on = {
        "action": "throttle",
        "rationale": "ours",
        "throttle": {"requests_per_min": 1, "burst": 1},
        "mode": "live",
    }
    assert client.post(f"{path}/on", body=on).json()["throttle"]["pooled"] is False
    assert len(client.get("/v1/indicators").json()) == 1
    assert client.post(f"{path}/withdraw", body={"why": "a school"}).status == 200
    assert client.get("/v1/indicators").json() == []


def test_guards_poll_changes_and_deliver_counts(client: Client) -> None:
    decision = taken(client)
    page = msgspec.json.decode(client.get("/v1/changes?since=0").body, type=ChangePage)
    assert [change.entry_id for change in page.changes] == [decision["decision_id"]]
    assert (
        msgspec.json.decode(client.get(f"/v1/changes?since={page.until}").body, type=ChangePage).changes == ()
    )
    count = {"entry_id": decision["decision_id"], "account_id": "a", "hour_us": 0, "matched": 4, "refused": 4}
    assert client.post("/v1/effects", body=[count]).json() == {"kept": 1}
    assert client.get("/v1/effects").json()[0]["refused"] == 4


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"account_id":1}', b"\xff", b"[" * 60_000, b'{"account_id":"\\ud800"}']
)
def test_what_is_no_call_is_refused_as_a_problem(client: Client, body: bytes) -> None:
    answer = client.post("/v1/decide", body=body)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_call_that_is_too_long_is_refused(client: Client) -> None:
    answer = client.post("/v1/decide", body=b'{"account_id":"' + b"a" * 70_000 + b'"}')
    assert answer.status == 413


def test_a_gateway_cannot_set_the_clock(client: Client) -> None:
    decision = taken(client)
    eventually(client, refused=True)
    assert verdict(client, time_us=0)["decision_id"] == decision["decision_id"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/decisions", {}, 422),
        (
            "/v1/decisions",
            {"accounts": ["a"], "action": "verify", "reason": "r", "ends_at": "2020-01-01T00:00:00Z"},
            422,
        ),
        (
            "/v1/decisions",
            {"accounts": ["a"], "action": "verify", "reason": "r", "ends_at": "2099-01-01T00:00:00"},
            422,
        ),
        ("/v1/decisions/none/undo", {"why": "w"}, 404),
        ("/v1/decisions/none/undo", {"why": "w", "x": 1}, 422),
        ("/v1/appeals/none/answer", {"outcome": "kept", "answer": "no"}, 404),
        ("/v1/appeals", {"decision_id": "none", "account_id": "a", "statement": "s"}, 404),
        ("/v1/indicators/none/withdraw", {"why": "w"}, 404),
        (
            "/v1/indicators",
            {"kind": "network", "value": "x", "reason": "r", "valid_until": "2099-01-01T00:00:00Z"},
            422,
        ),
        ("/v1/effects", [{"entry_id": "d", "account_id": "a", "hour_us": 0, "matched": -4}], 422),
        ("/v1/effects", {"a": 1}, 422),
    ],
)
def test_what_is_not_allowed_is_said_and_changes_nothing(
    client: Client, store: Store, path: str, body: object, status: int
) -> None:
    answer = client.post(path, body=body)
    assert answer.status == status, answer.body
    assert json.loads(answer.body)["detail"]
    assert AuditTrail(store, now).head().sequence == 0


@pytest.mark.parametrize("since", ["-1", "x", "9" * 30, "1.5"])
def test_a_sequence_is_a_number(client: Client, since: str) -> None:
    assert client.get(f"/v1/changes?since={since}").status == 422


def test_resale_is_not_blocked_over_http(client: Client) -> None:
    body = {
        "accounts": ["a"],
        "action": "block",
        "label": "resale",
        "reason": "r",
        "evidence": ["f"],
        "ends_at": (now() + timedelta(days=3)).isoformat(),
    }
    answer = client.post("/v1/decisions", body=body)
    assert (answer.status, "resale alone" in answer.json()["detail"]) == (422, True)


def test_every_endpoint_says_who_may_call_it_and_is_documented(store: Store) -> None:
    with Guard(store.place.removeprefix("sqlite:///"), wait_s=0) as guard:
        made = routes(guard, AuditTrail(store, now), now)
    needs = {
        route.path: interface_of(route.endpoint).scope for route in made if "GET" not in (route.methods or ())
    }
    assert {path for path, need in needs.items() if need is Need.DECIDE} == {"/v1/decide", "/v1/effects"}
    document = openapi_document(made)
    assert "Call" in document["components"]["schemas"]
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert text.count(f"#/components/schemas/{name}") >= 1 or name == "Problem"
