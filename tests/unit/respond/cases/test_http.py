"""Cases over HTTP: what analysts' tools ask and do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from tests.unit.respond.decisions.serving import Client, served

from stillwatch.detect.findings.report.example import example_report
from stillwatch.domain.cases import CaseLabel
from stillwatch.errors import StillwatchError
from stillwatch.respond.audit import AuditTrail, Head, verify
from stillwatch.respond.cases import label_accounts, record_finding
from stillwatch.respond.cases.http import CALLER, routes
from stillwatch.respond.cases.verifying import differences
from stillwatch.respond.node.openapi import openapi_document
from stillwatch.respond.store import Store, open_store
from stillwatch.respond.web.interface import Scope as Need, interface_of
from stillwatch.respond.web.problems import on_stillwatch_error


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with two cases."""
    with open_store(f"sqlite:///{tmp_path}/stillwatch.db") as store:
        with AuditTrail(store, now).writing("system:node") as write:
            for finding in example_report().findings[:2]:
                record_finding(write, finding)
        yield store


@pytest.fixture
def client(store: Store) -> Iterator[Client]:
    """Return a client of an application without a gate; the caller's token is called alice."""
    inner = Starlette(
        routes=routes(AuditTrail(store, now), now), exception_handlers={StillwatchError: on_stillwatch_error}
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[CALLER] = SimpleNamespace(name="alice")
        await inner(scope, receive, send)

    with served(app) as found:
        yield found


def test_every_endpoint_is_for_analysts_and_described(store: Store) -> None:
    made = routes(AuditTrail(store, now), now)
    assert {interface_of(route.endpoint).scope for route in made} == {Need.ANALYST}
    document = openapi_document(made)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == len(made)
    assert len({operation["operationId"] for operation in operations}) == len(made)


def test_a_case_is_worked_on_by_the_person_whose_token_it_is(client: Client, store: Store) -> None:
    acts = [
        ("assign", {"assignee": "bob", "version": 1}),
        ("status", {"status": "investigating"}),
        ("notes", {"text": "seen"}),
        ("notes/1/erase", {"reason": "names a person"}),
        ("labels", {"label": "resale", "reason": "a relay"}),
        ("labels/1/withdraw", {"reason": "no relay"}),
        ("triage", {"verdict": "false_positive", "because": "agent_fleet"}),
        ("snooze", {"until": (now() + timedelta(days=3)).isoformat(), "reason": "later"}),
        ("wake", {"reason": "now"}),
        ("close", {"reason": "done"}),
        ("reopen", {"reason": "not done"}),
    ]
    for version, (path, body) in enumerate(acts, start=2):
        answer = client.post(f"/v1/cases/case-1/{path}", body)
        assert answer.status == 200, (path, answer.body)
        assert answer.json()["version"] == version
    whole = client.get("/v1/cases/case-1").json()
    assert whole["case"]["assignee"] == "person:bob"
    assert {entry["actor"] for entry in whole["history"][1:]} == {"person:alice"}
    assert verify(store).holds
    assert differences(store) == ()


def test_cases_are_listed_worst_first(client: Client) -> None:
    assert [case["case_id"] for case in client.get("/v1/cases").json()] == ["case-1", "case-2"]
    client.post("/v1/cases/case-1/close", {"reason": "done"})
    client.post("/v1/cases/case-2/assign", {"assignee": "bob"})
    assert [case["case_id"] for case in client.get("/v1/cases?status=closed").json()] == ["case-1"]
    assert [case["case_id"] for case in client.get("/v1/cases?assignee=bob").json()] == ["case-2"]
    assert len(client.get("/v1/cases?all=1").json()) == 2


def test_labels_reviews_snapshots_and_the_trail_can_be_read(client: Client, store: Store) -> None:
    client.post("/v1/cases/case-1/labels", {"label": "benign", "reason": "a school", "accounts": []})
    client.post("/v1/cases/case-1/triage", {"verdict": "true_positive"})
    (label,) = client.get("/v1/labels").json()
    assert set(label["accounts"]) == set(example_report().findings[0].accounts)
    assert client.get("/v1/reviews").json()["true_positives"] == 1
    digest = client.get("/v1/cases/case-1").json()["case"]["snapshot"]["digest"]
    kept = client.get(f"/v1/cases/case-1/snapshots/{digest}").json()
    assert kept["finding_id"] == example_report().findings[0].finding_id
    entries = client.get("/v1/audit?since=2&kind=case").json()
    assert [entry["action"] for entry in entries] == ["case.labeled", "case.triaged"]
    assert verify(store, [Head.parse(client.get("/v1/audit/head").json()["head"])]).holds


def test_a_label_without_a_case_is_withdrawn_by_its_number(client: Client, store: Store) -> None:
    with AuditTrail(store, now).writing("person:bob") as write:
        number = label_accounts(write, CaseLabel.BENIGN, ("a",), "an appeal")
    withdrawn = client.post(f"/v1/labels/{number}/withdraw", {"reason": "a mistake"}).json()
    assert withdrawn["until"] is not None
    assert client.post(f"/v1/labels/{number}/withdraw", {"reason": "again"}).status == 404
    assert client.get("/v1/labels").json() == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/cases/case-9/close", {"reason": "done"}, 404),
        ("/v1/cases/case-1/close", {"reason": "done", "version": 7}, 409),
        ("/v1/cases/case-1/close", {"reason": ""}, 422),
        ("/v1/cases/case-1/close", {"reason": "done", "why": "x"}, 422),
        ("/v1/cases/case-1/close", b"not json", 422),
        ("/v1/cases/case-1/close", b"\xff", 422),
        ("/v1/cases/case-1/close", b"[" * 200_000, 422),
        ("/v1/cases/case-1/close", b"x" * (2 << 20), 413),
        ("/v1/cases/case-1/status", {"status": "closed"}, 422),
        ("/v1/cases/case-1/reopen", {"reason": "why not"}, 409),
        ("/v1/cases/case-1/wake", {"reason": "why not"}, 409),
        ("/v1/cases/case-1/triage", {"verdict": "true_positive", "because": "other"}, 422),
        ("/v1/cases/case-1/triage", {"verdict": "false_positive"}, 422),
        ("/v1/cases/case-1/snooze", {"until": "2026-12-01T00:00:00", "reason": "x"}, 422),
        ("/v1/cases/case-1/snooze", {"until": "0001-01-01T00:00:00Z", "reason": "x"}, 422),
        ("/v1/cases/case-1/labels", {"label": "benign", "reason": "x", "accounts": ["stranger"]}, 404),
        ("/v1/cases/case-1/labels/99999999999999999999/withdraw", {"reason": "x"}, 404),
        ("/v1/cases/case-1/notes/0/erase", {"reason": "x"}, 404),
        ("/v1/cases/case-1/assign", {"assignee": "x" * 201}, 422),
        ("/v1/cases/case-1/assign", {"assignee": "\u0000"}, 422),
        ("/v1/labels/99999999999999999999/withdraw", {"reason": "x"}, 404),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    client: Client, store: Store, path: str, body: object, status: int
) -> None:
    before = AuditTrail(store, now).head()
    answer = client.post(path, body)
    assert answer.status == status, answer.body
    assert answer.json()["detail"]
    assert AuditTrail(store, now).head() == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/cases/nobody", 404),
        ("/v1/cases/case-1%00", 404),
        ("/v1/cases/%F0%9F%98%80", 404),
        ("/v1/cases/case-1/snapshots/" + "0" * 64, 404),
        ("/v1/cases/case-1/snapshots/%00", 404),
        ("/v1/cases?status=gone", 422),
        ("/v1/cases?all=2", 422),
        ("/v1/labels?all=yes", 422),
        ("/v1/audit?since=-1", 422),
        ("/v1/audit?since=9999999999999999999", 422),
        ("/v1/audit?kind=%00", 422),
        ("/v1/audit?kind=", 422),
    ],
)
def test_what_is_not_there_is_said(client: Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
