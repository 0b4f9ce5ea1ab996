"""The middleware before a model server: enforces, filters, records, and otherwise stays out of the way."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.contract.gateways.stub_model import StubModel, pieces
from tests.unit.respond.decisions.serving import Client, served

from stillwatch.domain.actions import Action, IndicatorKind, Withheld
from stillwatch.respond.decisions.changes import Change, Entry, Policy
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.index import DecisionIndex
from stillwatch.respond.gateways.asgi import StillwatchMiddleware

CHAT = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


class Front:
    """A stub model behind the middleware, and what is in force."""

    def __init__(
        self, client: Client, model: StubModel, guard: Guard, index: DecisionIndex, logs: Path
    ) -> None:
        self.client, self.model, self.guard, self.index, self.logs = client, model, guard, index, logs

    def decide(
        self, action: Action, *, live: bool = True, kind: str = "account", value: str = "org-1", **parts: Any
    ) -> None:
        policy = Policy(action, live=live, reason="the trigger", **parts)
        entry = Entry("d1", IndicatorKind(kind), (value,), 0, 2**60, policy)
        self.index.apply([Change(1, "d1", entry)])

    def ask(self, body: dict[str, Any] | None = None, path: str = CHAT, **headers: str) -> Any:
        named = {
            "x-account-id": "org-1",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.client.post(path, {**BODY, **(body or {})}, named)

    def logged(self, count: int = 1) -> list[dict[str, Any]]:
        end = time.monotonic() + 20.0
        while self.guard.counters.logged < count:  # the record follows the last byte of the answer
            assert time.monotonic() < end
            time.sleep(0.01)
        self.guard.close()
        return [
            json.loads(line) for file in self.logs.glob("*.jsonl") for line in file.read_text().splitlines()
        ]


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    index, model, logs = DecisionIndex(), StubModel(), tmp_path / "logs"
    with ExitStack() as stack:
        guard = stack.enter_context(Guard(index, log=logs))
        client = stack.enter_context(served(StillwatchMiddleware(model, guard)))
        yield Front(client, model, guard, index, logs)


def test_a_call_that_nothing_is_decided_about_passes_untouched(front: Front) -> None:
    answer = front.ask({"n": 2, "logprobs": True})
    assert answer.status == 200
    assert len(answer.json()["choices"]) == 2
    assert front.model.asked == [{**BODY, "n": 2, "logprobs": True}]


def test_a_block_is_answered_without_the_reason_and_does_not_reach_the_model(front: Front) -> None:
    front.decide(Action.BLOCK)
    answer = front.ask()
    assert (answer.status, answer.json()["error"]["code"]) == (403, "account_refused")
    assert b"trigger" not in answer.body
    assert b"d1" not in answer.body
    assert front.model.asked == []


def test_a_throttle_looks_like_any_rate_limit(front: Front) -> None:
    front.decide(Action.THROTTLE, requests_per_min=1.0, burst=1)
    assert front.ask().status == 200
    answer = front.ask()
    assert (answer.status, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(answer.headers["retry-after"]) in range(50, 61)


def test_an_anthropic_client_is_refused_in_its_own_words(front: Front) -> None:
    front.decide(Action.BLOCK)
    assert front.ask(path="/v1/messages").json()["error"]["type"] == "permission_error"


def test_what_is_withheld_is_neither_asked_for_nor_answered(front: Front) -> None:
    front.decide(Action.WITHHOLD, withheld=tuple(Withheld))
    answer = front.ask({"n": 3, "logprobs": True})
    assert front.model.asked == [BODY]
    (choice,) = answer.json()["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Hi there"}
    assert int(answer.headers["content-length"]) == len(answer.body)


def events_of(body: bytes) -> list[dict[str, Any]]:
    lines = body.split(b"\n")
    assert b"data: [DONE]" in lines
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]


def test_a_stream_passes_byte_for_byte(front: Front) -> None:
    answer = front.ask({"stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert events_of(answer.body) == pieces({"model": "m"})


def test_a_stream_is_filtered_event_by_event(front: Front) -> None:
    front.decide(Action.WITHHOLD, withheld=(Withheld.REASONING,))
    events = events_of(front.ask({"stream": True}).body)
    assert "secret" not in json.dumps(events)
    assert len(events) == len(pieces({"model": "m"}))


def test_tags_reach_the_server_and_nobody_else_can_set_them(front: Front) -> None:
    front.ask(x_stillwatch_tags="forged")
    assert "x-stillwatch-tags" not in front.model.headers[0]
    front.decide(Action.TAG, tags=("watch", "team"))
    front.ask(x_stillwatch_tags="forged")
    assert front.model.headers[1]["x-stillwatch-tags"] == "watch,team"
    front.decide(Action.VERIFY)
    front.ask()
    assert front.model.headers[2]["x-stillwatch-verify"] == "1"


def test_shadow_changes_nothing_and_is_counted(front: Front) -> None:
    front.decide(Action.BLOCK, live=False)
    assert front.ask().status == 200
    assert front.guard.counters.would_refuse == 1


def test_a_client_is_recognized_by_tuple_and_network(front: Front) -> None:
    front.decide(Action.BLOCK, kind="client", value="j4 bot/1")
    assert front.ask(x_ja4="j4", user_agent="bot/1").status == 403
    front.decide(Action.BLOCK, kind="network", value="192.0.2.0/24")
    assert front.ask(x_forwarded_for="192.0.2.7, 10.0.0.1").status == 403
    assert front.ask(x_forwarded_for="198.51.100.7").status == 200


def test_without_an_account_header_the_digest_of_the_key_stands_for_it(front: Front) -> None:
    front.client.post(CHAT, BODY, {"Authorization": "Bearer made-up-key"})
    front.client.post(CHAT, BODY, {"x-api-key": "made-up-key"})
    accounts = {row["account_id"] for row in front.logged(2)}
    assert len(accounts) == 1
    assert accounts.pop().startswith("key-")


@pytest.mark.parametrize("stream", [False, True])
def test_each_call_is_recorded_as_a_canonical_request(front: Front, *, stream: bool) -> None:
    front.ask({"stream": stream, "n": 2, "temperature": 0.5})
    (row,) = front.logged()
    assert (row["account_id"], row["prompt"], row["model"], row["choice_count"]) == ("org-1", "Hello", "m", 2)
    assert (row["status"], row["input_tokens"], row["output_tokens"], row["stream"]) == (200, 3, 5, stream)
    assert row["latency_ms"] >= 0


def test_a_refused_call_is_recorded_with_its_status(front: Front) -> None:
    front.decide(Action.BLOCK)
    front.ask()
    assert [row["status"] for row in front.logged()] == [403]


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"\xff\xfe", b'{"model": 3}', b"[" * 100_000])
def test_a_body_that_is_no_request_is_the_servers_business(front: Front, raw: bytes) -> None:
    front.decide(Action.BLOCK)
    assert front.client.post(CHAT, raw, {"x-account-id": "org-1"}).status == 403
    front.client.post(CHAT, raw, {"x-account-id": "other"})
    assert front.guard.counters.failures == 0


def test_other_paths_are_not_looked_at(front: Front) -> None:
    front.decide(Action.BLOCK)
    assert front.client.get("/asked", {"x-account-id": "org-1"}).status == 200
    assert front.guard.counters.checked == 0


@pytest.mark.parametrize("size", [100, 2_000_000, 40_000_000])
def test_a_long_body_reaches_the_server_whole(front: Front, size: int) -> None:
    front.decide(Action.WITHHOLD, withheld=(Withheld.LOGPROBS,))
    body = {**BODY, "messages": [{"role": "user", "content": "a" * size}]}
    assert front.client.post(CHAT, body, {"x-account-id": "org-1"}).status == 200
    assert len(front.model.asked[0]["messages"][0]["content"]) == size


def test_the_server_may_name_the_account_itself(tmp_path: Path) -> None:
    index, model = DecisionIndex(), StubModel()
    entry = Entry("d", IndicatorKind.ACCOUNT, ("from-scope",), 0, 2**60, Policy(Action.BLOCK, live=True))
    index.apply([Change(1, "d", entry)])
    named: Callable[[Any], str] = lambda _scope: "from-scope"  # noqa: E731 - one word of a test
    with Guard(index) as guard, served(StillwatchMiddleware(model, guard, account=named)) as client:
        assert client.post(CHAT, BODY).status == 403
