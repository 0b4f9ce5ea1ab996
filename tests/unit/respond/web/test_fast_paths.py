"""Bare endpoints are reached without the router, through the same gate, and everything else as before."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.respond.decisions.serving import Client, served

from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.http import routes
from stillwatch.respond.decisions.index import DecisionIndex
from stillwatch.respond.node.app import build_app
from stillwatch.respond.node.gate import Gate
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.store import open_store
from stillwatch.respond.web.interface import Scope


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def tokens(tmp_path: Path) -> dict[Scope, str]:
    book = TokenBook(tmp_path, now)
    return {scope: book.add(scope.value, [scope])[1] for scope in Scope}


@pytest.fixture
def client(tmp_path: Path, tokens: dict[Scope, str]) -> Iterator[Client]:
    with ExitStack() as stack:
        store = stack.enter_context(open_store(f"sqlite:///{tmp_path / 'node.db'}"))
        guard = stack.enter_context(Guard(DecisionIndex()))
        made = routes(guard, AuditTrail(store, now), now)
        yield stack.enter_context(served(build_app(made, Gate(TokenBook(tmp_path, now)))))


@pytest.mark.parametrize(
    ("method", "path", "scope", "status"),
    [
        ("POST", "/v1/decide", Scope.DECIDE, 200),
        ("POST", "/v1/decide", Scope.ADMIN, 200),
        ("POST", "/v1/decide", Scope.INGEST, 403),
        ("POST", "/v1/decide", None, 401),
        ("GET", "/v1/decide", Scope.DECIDE, 405),
        ("POST", "/v1/decide/", Scope.DECIDE, 307),
        ("POST", "/v1/nothing", Scope.DECIDE, 404),
        ("GET", "/v1/decisions", Scope.ANALYST, 200),
        ("GET", "/v1/decisions", Scope.DECIDE, 403),
        ("POST", "/v1/decisions/none/undo", Scope.ANALYST, 422),
    ],
)
def test_every_path_answers_as_its_scope_says(
    client: Client, tokens: dict[Scope, str], method: str, path: str, scope: Scope | None, status: int
) -> None:
    headers = {"Authorization": f"Bearer {tokens[scope]}"} if scope is not None else {}
    answer = client.ask(method, path, b'{"account_id": "a"}', {**headers, "Content-Type": "application/json"})
    assert answer.status == status
