"""What Envoy and LiteLLM ask of the node over HTTP."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.respond.decisions.serving import Client, served

from stillwatch.domain.actions import Action, IndicatorKind, Withheld
from stillwatch.respond.decisions.changes import Change, Entry, Policy
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.index import DecisionIndex
from stillwatch.respond.gateways.http import routes
from stillwatch.respond.node.app import build_app
from stillwatch.respond.node.gate import Gate
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.web.interface import Scope

GUARDRAIL = "/beta/litellm_basic_guardrail_api"


class Node:
    """A node that serves gateways, and what is in force there."""

    def __init__(self, client: Client, index: DecisionIndex, guard: Guard, token: str) -> None:
        self.client, self.index, self.guard = client, index, guard
        self.headers = {"Authorization": f"Bearer {token}"}

    def decide(self, action: Action, *, kind: str = "account", value: str = "org-1", **parts: Any) -> None:
        policy = Policy(action, live=True, reason="the trigger", **parts)
        self.index.apply([Change(1, "d1", Entry("d1", IndicatorKind(kind), (value,), 0, 2**60, policy))])

    def envoy(
        self, method: str = "POST", path: str = "/ext_authz/v1/chat/completions", **headers: str
    ) -> Any:
        named = {
            "x-account-id": "org-1",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.client.ask(method, path, b"", {**self.headers, **named})

    def litellm(self, **more: Any) -> Any:
        question = {
            "input_type": "request",
            "texts": ["Hello"],
            "structured_messages": [{"role": "user", "content": "Hello"}],
            "model": "m",
            "request_data": {"user_api_key_org_id": "org-1", "user_api_key_hash": "h"},
            "request_headers": {"user-agent": "bot/1", "x-secret": "[present]"},
            "litellm_version": "1.106.2",
            **more,
        }
        return self.client.post(GUARDRAIL, question, self.headers)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    book = TokenBook(tmp_path, lambda: datetime.now(UTC))
    _, text = book.add("gateway", [Scope.DECIDE])
    index = DecisionIndex()
    with ExitStack() as stack:
        guard = stack.enter_context(Guard(index))
        client = stack.enter_context(served(build_app(routes(guard), Gate(book))))
        yield Node(client, index, guard, text)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_envoy_is_told_to_let_a_request_through_whatever_its_method(node: Node, method: str) -> None:
    answer = node.envoy(method)
    assert (answer.status, answer.body) == (200, b"")


def test_envoy_is_told_to_refuse_and_with_what_words(node: Node) -> None:
    node.decide(Action.BLOCK)
    answer = node.envoy()
    assert (answer.status, answer.json()["error"]["type"]) == (403, "permission_error")
    assert b"trigger" not in answer.body
    node.decide(Action.THROTTLE, requests_per_min=1.0, burst=1)
    node.envoy()
    assert node.envoy().status == 429
    assert node.envoy(path="/ext_authz/v1/messages").json()["type"] == "error"


def test_envoy_is_told_what_to_mark_and_what_is_withheld(node: Node) -> None:
    node.decide(Action.WITHHOLD, withheld=(Withheld.REASONING, Withheld.LOGPROBS))
    assert node.envoy().headers["x-stillwatch-withhold"] == "reasoning,logprobs"
    node.decide(Action.TAG, tags=("a", "b"))
    assert node.envoy().headers["x-stillwatch-tags"] == "a,b"
    node.decide(Action.VERIFY)
    assert node.envoy().headers["x-stillwatch-verify"] == "1"


def test_the_nodes_own_token_is_not_taken_for_the_customers_key(node: Node) -> None:
    node.decide(Action.BLOCK, value="anonymous")
    assert node.client.ask("GET", "/ext_authz/", b"", node.headers).status == 403


def test_envoy_shows_client_and_address(node: Node) -> None:
    node.decide(Action.BLOCK, kind="network", value="192.0.2.0/24")
    assert node.envoy(x_forwarded_for="192.0.2.9").status == 403
    assert node.envoy(x_forwarded_for="198.51.100.9").status == 200


def test_litellm_is_told_to_go_on_or_to_block(node: Node) -> None:
    assert node.litellm().json() == {"action": "NONE"}
    node.decide(Action.BLOCK)
    answer = node.litellm().json()
    assert answer["action"] == "BLOCKED"
    assert "trigger" not in answer["blocked_reason"]
    assert node.litellm(input_type="response").json() == {"action": "NONE"}


@pytest.mark.parametrize(
    ("data", "account"),
    [
        ({"user_api_key_org_id": "o", "user_api_key_team_id": "t"}, "o"),
        ({"user_api_key_team_id": "t", "user_api_key_user_id": "u"}, "t"),
        ({"user_api_key_user_id": "u", "user_api_key_hash": "h"}, "u"),
        ({"user_api_key_hash": "h"}, "h"),
        ({}, "anonymous"),
    ],
)
def test_litellm_names_accounts_as_its_logs_do(node: Node, data: dict[str, str], account: str) -> None:
    node.decide(Action.BLOCK, value=account)
    assert node.litellm(request_data=data).json()["action"] == "BLOCKED"


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"request_data": 3}', b"[" * 100_000])
def test_what_is_no_question_of_litellms_is_refused(node: Node, raw: bytes) -> None:
    assert node.client.post(GUARDRAIL, raw, node.headers).status == 422


@pytest.mark.parametrize("path", [GUARDRAIL, "/ext_authz/v1/chat/completions"])
def test_nobody_asks_without_a_token(node: Node, path: str) -> None:
    assert node.client.post(path, {}).status == 401


def test_without_what_is_in_force_the_gateways_let_pass_or_refuse_by_setting(tmp_path: Path) -> None:
    for closed, status in ((False, 200), (True, 503)):
        book = TokenBook(tmp_path / str(closed), lambda: datetime.now(UTC))
        (tmp_path / str(closed)).mkdir()
        _, text = book.add("gateway", [Scope.DECIDE])
        with (
            Guard(tmp_path / "none.db", wait_s=0, fail_closed=closed) as guard,
            served(build_app(routes(guard), Gate(book))) as client,
        ):
            answer = client.ask("GET", "/ext_authz/x", b"", {"Authorization": f"Bearer {text}"})
            assert answer.status == status
            assert guard.counters.unchecked == 1
