"""Authorizations over HTTP: recorded, listed and revoked by the person whose token is used."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from tests.unit.respond.decisions.serving import Client, served

from stillwatch.errors import StillwatchError
from stillwatch.respond.access.authorizations.verifying import differences
from stillwatch.respond.access.http import routes
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.decisions.http import CALLER
from stillwatch.respond.node.openapi import openapi_document
from stillwatch.respond.store import Store, open_store
from stillwatch.respond.web.interface import Scope as Need, interface_of
from stillwatch.respond.web.problems import on_stillwatch_error

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BODY = {
    "authorization_id": "EV-1",
    "purpose": "evaluation",
    "account_ids": ["a1"],
    "models": ["model-1"],
    "max_requests": 1000,
    "starts_on": "2026-11-01",
    "ends_on": "2026-12-31",
    "approved_by": "Head of evaluations",
    "approved_on": "2026-10-30",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open an empty store."""
    with open_store(f"sqlite:///{tmp_path / 'node.db'}") as opened:
        yield opened


@pytest.fixture
def client(store: Store) -> Iterator[Client]:
    """Return a client of an application without a gate; the caller's token is called alice."""
    made = routes(AuditTrail(store, lambda: NOW), lambda: NOW)
    inner = Starlette(routes=made, exception_handlers={StillwatchError: on_stillwatch_error})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[CALLER] = SimpleNamespace(name="alice")
        await inner(scope, receive, send)

    with served(app) as found:
        yield found


def test_a_permission_is_recorded_listed_and_revoked(client: Client, store: Store) -> None:
    granted = client.post("/v1/authorizations", BODY)
    assert granted.status == 200, granted.body
    assert granted.json()["granted_by"] == "person:alice"
    (found,) = client.get("/v1/authorizations").json()
    assert (found["state"], found["authorization"]["max_requests"]) == ("in_force", 1000)
    assert len(client.get("/v1/authorizations?account=a1").json()) == 1
    assert client.get("/v1/authorizations?account=a2&email_domain=example.com").json() == []
    revoked = client.post("/v1/authorizations/revoke", {"authorization_id": "EV-1", "why": "It is over."})
    assert (revoked.status, revoked.json()["state"]) == (200, "revoked")
    assert client.get("/v1/authorizations").json() == []
    assert len(client.get("/v1/authorizations?all=1").json()) == 1
    assert differences(store) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "anything"},
        {"account_ids": []},
        {"approved_on": None},
        {"approved_on": "2027-01-01"},
        {"ends_on": "2026-01-01"},
        {"max_requests": 0},
        {"approved_by": " "},
        {"surprise": 1},
    ],
)
def test_what_is_not_allowed_is_refused_with_the_reason(client: Client, change: dict[str, Any]) -> None:
    answer = client.post("/v1/authorizations", {**BODY, **change})
    assert answer.status == 422
    assert answer.json()["detail"]
    assert client.get("/v1/authorizations?all=1").json() == []


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"\xff", b"{}"])
def test_a_hostile_body_is_refused(client: Client, body: bytes) -> None:
    for path in ("/v1/authorizations", "/v1/authorizations/revoke"):
        assert client.post(path, body).status == 422


def test_a_body_without_end_is_refused(client: Client) -> None:
    assert client.post("/v1/authorizations", b" " * (5 << 20)).status == 413


def test_only_analysts_may_do_it_and_the_document_says_so(store: Store) -> None:
    made = routes(AuditTrail(store, lambda: NOW), lambda: NOW)
    assert {interface_of(route.endpoint).scope for route in made} == {Need.ANALYST}
    assert {"/v1/authorizations", "/v1/authorizations/revoke"} <= set(openapi_document(made)["paths"])
