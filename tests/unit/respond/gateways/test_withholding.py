"""What is withheld is taken out of every interface, and nothing else changes."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.contract.gateways.stub_model import answer, pieces

from stillwatch.domain.actions import Withheld
from stillwatch.respond.gateways.withholding import EventFilter, strip_answer, strip_request, stripped_json

ALL = frozenset(Withheld)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"model": "m", "logprobs": True, "top_logprobs": 5}, {"model": "m"}),
        ({"model": "m", "n": 4, "best_of": 8}, {"model": "m"}),
        ({"include": ["message.output_text.logprobs", "x"]}, {"include": ["x"]}),
        ({"reasoning": {"effort": "high", "summary": "auto"}}, {"reasoning": {"effort": "high"}}),
        ({"include": ["reasoning.encrypted_content"]}, {"include": []}),
        ({"include_reasoning": True}, {"include_reasoning": False}),
    ],
)
def test_parameters_that_ask_for_it_are_taken_out(body: dict[str, Any], left: dict[str, Any]) -> None:
    assert strip_request(body, ALL)
    assert body == left


def test_a_request_that_asks_for_nothing_withheld_is_not_changed() -> None:
    body: dict[str, Any] = {"model": "m", "messages": [], "reasoning_effort": "high", "include": ["x"]}
    assert not strip_request(body, ALL)
    assert body == {"model": "m", "messages": [], "reasoning_effort": "high", "include": ["x"]}


def test_only_what_is_withheld_is_taken_out() -> None:
    body: dict[str, Any] = {"logprobs": True, "n": 2}
    assert strip_request(body, (Withheld.CHOICES,))
    assert body == {"logprobs": True}


def test_a_chat_answer_keeps_its_text_and_one_choice() -> None:
    found = strip_answer(answer({"n": 3, "logprobs": True}), ALL)
    (choice,) = found["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Hi there"}
    assert choice["logprobs"] is None
    assert found["usage"]["completion_tokens"] == 5


def test_an_answer_with_nothing_withheld_is_as_it_was() -> None:
    assert strip_answer(answer({"n": 2, "logprobs": True}), frozenset()) == answer({"n": 2, "logprobs": True})


def test_an_anthropic_answer_keeps_its_blocks_and_loses_its_thinking() -> None:
    found = strip_answer(
        {
            "type": "message",
            "content": [
                {"type": "thinking", "thinking": "secret", "signature": "s"},
                {"type": "redacted_thinking", "data": "secret"},
                {"type": "text", "text": "Hi"},
            ],
        },
        ALL,
    )
    assert "secret" not in json.dumps(found)
    assert [block["type"] for block in found["content"]] == ["thinking", "redacted_thinking", "text"]
    assert found["content"][2]["text"] == "Hi"


def test_a_responses_answer_keeps_its_items_and_loses_its_reasoning() -> None:
    found = strip_answer(
        {
            "reasoning": {"effort": "high"},
            "output": [
                {
                    "type": "reasoning",
                    "summary": [{"type": "summary_text", "text": "secret"}],
                    "encrypted_content": "secret",
                },
                {
                    "type": "message",
                    "content": [{"type": "output_text", "text": "Hi", "logprobs": [{"logprob": 1}]}],
                },
            ],
        },
        ALL,
    )
    assert "secret" not in json.dumps(found)
    assert found["output"][1]["content"] == [{"type": "output_text", "text": "Hi", "logprobs": []}]
    assert found["reasoning"] == {"effort": "high"}


@pytest.mark.parametrize(
    "event",
    [
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "secret"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": "secret"},
        },
        {"type": "response.reasoning_summary_text.delta", "delta": "secret"},
        {"type": "response.reasoning_text.done", "text": "secret"},
        {"choices": [{"index": 0, "delta": {"reasoning": "secret"}}]},
    ],
)
def test_events_that_reason_are_emptied(event: dict[str, Any]) -> None:
    assert "secret" not in json.dumps(strip_answer(event, ALL))


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_what_is_no_json_passes_as_it_is_however_it_is_cut(raw: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    events = EventFilter(frozenset())
    parts = [events.feed(raw[start:end]) for start, end in itertools.pairwise(places)]
    whole = EventFilter(frozenset())
    assert b"".join([*parts, events.end()]) == whole.feed(raw) + whole.end()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_a_stream_is_filtered_the_same_however_it_is_cut(sizes: list[int]) -> None:
    raw = b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces({"model": "m"}))
    raw += b"data: [DONE]\n\n"
    events, out, place = EventFilter(ALL), b"", 0
    for size in sizes:
        out += events.feed(raw[place : place + size])
        place += size
    out += events.feed(raw[place:]) + events.end()
    whole = EventFilter(ALL)
    assert out == whole.feed(raw) + whole.end()
    assert b"secret" not in out
    assert out.endswith(b"data: [DONE]\n\n")
    texts = [json.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: {")]
    assert "".join(t["choices"][0]["delta"].get("content", "") for t in texts if t["choices"]) == "Hi there"


def test_an_answer_that_is_no_json_is_left_alone() -> None:
    assert stripped_json(b"<html>", ALL) == b"<html>"
