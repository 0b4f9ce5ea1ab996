"""Both ways into LiteLLM, before a running proxy and a stub model: from inside, and over HTTP through the node."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract.gateways.conftest import config_for, model, proxy
from tests.unit.respond.decisions.serving import Client, served

from stillwatch.domain.decisions import Decision
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.taking import take
from stillwatch.respond.gateways.http import routes
from stillwatch.respond.node.app import build_app
from stillwatch.respond.node.gate import Gate
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.store import open_store
from stillwatch.respond.web.interface import Scope

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("litellm")]

CHAT = "/v1/chat/completions"
AUTHENTICATION = '''
from litellm.proxy._types import UserAPIKeyAuth

async def authenticate(request, api_key):
    """Take the organization from the key, as a provider's own authentication would."""
    return UserAPIKeyAuth(api_key=api_key, org_id=api_key.removeprefix("sk-"))
'''
_PATIENCE_S = 30.0


class Front:
    """A proxy, the model behind it, and the database of decisions."""

    def __init__(self, client: Client, stub: Client, database: str, logs: Path) -> None:
        self.client, self.stub, self.logs = client, stub, logs
        self.store = open_store(database)
        self._number = 0

    def ask(self, account: str, **body: Any) -> Any:
        asked = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], **body}
        return self.client.post(CHAT, asked, {"Authorization": f"Bearer sk-{account}"})

    def decide(self, account: str, action: str, *, mode: str = "live", **parts: Any) -> None:
        self._number += 1
        now = datetime.now(UTC)
        decision = Decision.model_validate(
            {
                "decision_id": f"decision--{self._number}",
                "accounts": (account,),
                "action": action,
                "mode": mode,
                "label": "distillation",
                "reason": "the trigger",
                "rationale": "our terms",
                "evidence": ("finding-1",),
                "author": "person:alice",
                "decided_at": now,
                "starts_at": now - timedelta(minutes=1),
                "ends_at": now + timedelta(hours=1),
                **parts,
            }
        )
        with AuditTrail(self.store, lambda: now).writing("person:alice") as write:
            take(write, decision)

    def until(self, account: str, check: Callable[[Any], bool], **body: Any) -> Any:
        """Ask until the guard has learned of what was decided."""
        end = time.monotonic() + _PATIENCE_S
        while not check(answer := self.ask(account, **body)):
            assert time.monotonic() < end, answer.body
            time.sleep(0.05)
        return answer

    def last_asked(self) -> dict[str, Any]:
        found: dict[str, Any] = self.stub.get("/asked").json()["bodies"][-1]
        return found

    def logged(self, account: str, count: int) -> list[dict[str, Any]]:
        end = time.monotonic() + _PATIENCE_S
        while True:
            lines = [line for file in self.logs.glob("*.jsonl") for line in file.read_text().splitlines()]
            found = [row for row in map(json.loads, lines) if row["account_id"] == account]
            if len(found) >= count:
                return found
            assert time.monotonic() < end, lines
            time.sleep(0.05)


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A proxy with our callback in its process."""
    folder = tmp_path_factory.mktemp("inside")
    database, logs = f"sqlite:///{folder / 'node.db'}", folder / "logs"
    (folder / "by_key.py").write_text(AUTHENTICATION)
    with ExitStack() as stack:
        stub = stack.enter_context(model(folder))
        config = config_for(stub.url)
        config["litellm_settings"]["callbacks"] = "stillwatch.respond.gateways.litellm.logger"
        config["general_settings"]["custom_auth"] = "by_key.authenticate"
        open_store(database).close()
        settings = {"STILLWATCH_GUARD__SOURCE": database, "STILLWATCH_GUARD__LOG": str(logs)}
        client = stack.enter_context(proxy(folder, config, **settings))
        front = Front(client, stub, database, logs)
        yield front
        front.store.close()


def test_inside_a_call_that_nothing_is_decided_about_passes(inside: Front) -> None:
    answer = inside.ask("quiet", n=2, logprobs=True)
    assert answer.status == 200
    assert len(answer.json()["choices"]) == 2
    assert (inside.last_asked()["n"], inside.last_asked()["logprobs"]) == (2, True)


def test_inside_a_block_is_answered_without_the_reason(inside: Front) -> None:
    inside.decide("blocked", "block")
    answer = inside.until("blocked", lambda a: a.status != 200)
    assert answer.status == 403
    assert b"trigger" not in answer.body
    assert b"decision--" not in answer.body


def test_inside_shadow_lets_everything_pass(inside: Front) -> None:
    inside.decide("shadowed", "block", mode="shadow")
    inside.decide("watched", "block")
    inside.until("watched", lambda a: a.status == 403)
    assert inside.ask("shadowed").status == 200


def test_inside_a_throttle_says_when_to_come_back(inside: Front) -> None:
    inside.decide("slowed", "throttle", throttle={"requests_per_min": 1, "burst": 2})
    answer = inside.until("slowed", lambda a: a.status != 200)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) > 0


def test_inside_what_is_withheld_is_neither_asked_for_nor_answered(inside: Front) -> None:
    inside.decide("withheld", "withhold", withheld=("reasoning", "logprobs", "choices"))
    answer = inside.until("withheld", lambda a: len(a.json()["choices"]) == 1, n=3, logprobs=True)
    assert b"secret" not in answer.body
    assert answer.json()["choices"][0]["message"]["content"] == "Hi there"
    assert "logprobs" not in inside.last_asked()
    assert "n" not in inside.last_asked()


def test_inside_a_stream_is_filtered_and_stays_a_stream(inside: Front) -> None:
    plain = inside.ask("streaming", stream=True)
    assert plain.headers["content-type"].startswith("text/event-stream")
    assert b"secret" in plain.body
    inside.decide("streaming", "withhold", withheld=("reasoning",))
    answer = inside.until("streaming", lambda a: b"secret" not in a.body, stream=True)
    events = [json.loads(line[6:]) for line in answer.body.split(b"\n") if line.startswith(b"data: {")]
    deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hi there"
    assert b"[DONE]" in answer.body


@pytest.mark.parametrize("stream", [False, True])
def test_inside_anthropic_messages_are_filtered_too(inside: Front, *, stream: bool) -> None:
    def ask(account: str) -> Any:
        asked = {
            "model": "m",
            "max_tokens": 99,
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": stream,
        }
        return inside.client.post("/v1/messages", asked, {"Authorization": f"Bearer sk-{account}"})

    account = f"anthropic-{stream}"
    assert b"secret" in ask(account).body
    inside.decide(account, "withhold", withheld=("reasoning",))
    end = time.monotonic() + _PATIENCE_S
    while b"secret" in (answer := ask(account)).body:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert answer.status == 200
    assert b"there" in answer.body


@pytest.mark.parametrize("stream", [False, True])
def test_inside_each_call_is_recorded_for_detection(inside: Front, *, stream: bool) -> None:
    account = f"recorded-{stream}"
    assert inside.ask(account, stream=stream, temperature=0.5).status == 200
    (row,) = inside.logged(account, 1)
    assert (row["prompt"], row["model"], row["status"]) == ("Hello", "m", 200)
    assert (row["input_tokens"], row["output_tokens"]) == (3, 5)
    assert row["client_address"] == "127.0.0.1"


@pytest.fixture(scope="module")
def over_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A proxy that asks the node, behind its gate, and knows nothing of us but an address and a token."""
    folder = tmp_path_factory.mktemp("over_http")
    database = f"sqlite:///{folder / 'node.db'}"
    (folder / "by_key.py").write_text(AUTHENTICATION)
    open_store(database).close()
    book = TokenBook(folder, lambda: datetime.now(UTC))
    _, text = book.add("proxy", [Scope.DECIDE])
    with ExitStack() as stack:
        stub = stack.enter_context(model(folder))
        guard = stack.enter_context(Guard(database))
        node = stack.enter_context(served(build_app(routes(guard), Gate(book))))
        guardrail = {
            "guardrail": "generic_guardrail_api",
            "mode": "pre_call",
            "api_base": node.url,
            "headers": {"Authorization": f"Bearer {text}"},
            "default_on": True,
            "unreachable_fallback": "fail_open",
        }
        more = {"guardrails": [{"guardrail_name": "stillwatch", "litellm_params": guardrail}]}
        config = config_for(stub.url, **more)
        config["general_settings"]["custom_auth"] = "by_key.authenticate"
        client = stack.enter_context(proxy(folder, config))
        front = Front(client, stub, database, folder / "logs")
        yield front
        front.store.close()


def test_over_http_calls_pass_until_a_decision_refuses_them(over_http: Front) -> None:
    assert over_http.ask("blocked").status == 200
    over_http.decide("blocked", "block")
    answer = over_http.until("blocked", lambda a: a.status != 200)
    assert 400 <= answer.status < 500
    assert b"trigger" not in answer.body
    assert over_http.ask("other").status == 200


def test_over_http_shadow_lets_everything_pass(over_http: Front) -> None:
    over_http.decide("shadowed", "block", mode="shadow")
    over_http.decide("watched", "block")
    over_http.until("watched", lambda a: a.status != 200)
    assert over_http.ask("shadowed").status == 200
