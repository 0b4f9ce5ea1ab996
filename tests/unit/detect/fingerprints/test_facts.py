"""A request becomes one row of small values, in which no text is left."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from stillwatch.detect.fingerprints.facts import FACTS, fingerprint
from stillwatch.domain.requests import REQUESTS

SECRET = "the secret recipe of grandmother Quillonberg"
MOMENT = datetime(2026, 3, 2, 12, tzinfo=UTC)


class NoRules:
    """Matches nothing."""

    def match(
        self,
        prompt: pa.Array,
        system: pa.Array,
        choice_count: pa.Array | None = None,
        logprobs: pa.Array | None = None,
        top_logprobs: pa.Array | None = None,
    ) -> NDArray[np.uint32]:
        return np.zeros(len(prompt), np.uint32)


def batch(*rows: dict[str, object]) -> pa.RecordBatch:
    required = {"request_id": "r", "time": MOMENT, "account_id": "org-a"}
    full = [{field.name: None for field in REQUESTS} | required | row for row in rows]
    return pa.RecordBatch.from_pylist(full, schema=REQUESTS)


def facts_of(*rows: dict[str, object]) -> list[dict[str, object]]:
    return list(fingerprint(batch(*rows), NoRules()).to_pylist())


def test_no_text_of_a_customer_is_left() -> None:
    texts: dict[str, object] = {
        field.name: f"{SECRET} {field.name}" for field in REQUESTS if pa.types.is_string(field.type)
    }
    kept = {"account_id": "org-a", "model": "tern-2", "surface": "api", "client_country": "DE"}
    [fact] = facts_of({**texts, **kept})
    assert {value for value in fact.values() if isinstance(value, str)} == set(kept.values())


def test_a_request_with_the_required_columns_only_is_a_row() -> None:
    [fact] = facts_of({})
    assert fact["time_us"] == int(MOMENT.timestamp()) * 1_000_000
    for name in (
        "content",
        "system",
        "client",
        "address",
        "network",
        "conversation",
        "user",
        "sampling",
        "input_tokens",
        "text_tokens",
    ):
        assert fact[name] == 0, name
    assert fact["keys"] == []
    assert [fact[name] for name in ("tools", "harvest", "saturated", "failed", "limited")] == [False] * 5


@pytest.mark.parametrize(
    ("row", "name", "value"),
    [
        ({"finish_reason": "length"}, "saturated", True),
        ({"finish_reason": "max_tokens"}, "saturated", True),
        ({"finish_reason": "stop"}, "saturated", False),
        ({"status": 429}, "limited", True),
        ({"status": 429}, "failed", True),
        ({"status": 200}, "failed", False),
        ({"choice_count": 4}, "harvest", True),
        ({"choice_count": 1}, "harvest", False),
        ({"logprobs": True}, "harvest", True),
        ({"tool_count": 3}, "tools", True),
        ({"tool_count": 0}, "tools", False),
        ({"message_count": 2}, "single_turn", True),
        ({"message_count": 3}, "single_turn", False),
        ({"message_count": None}, "single_turn", None),
    ],
)
def test_what_a_request_asked_for_is_marked(row: dict[str, object], name: str, value: bool | None) -> None:  # noqa: FBT001
    assert facts_of(row)[0][name] is value


def test_system_instructions_and_prompt_are_told_apart() -> None:
    text = "summarize the following letter for a busy reader in two sentences"
    as_prompt, as_system = facts_of({"prompt": text}, {"system_instructions": text})
    prompt_keys, system_keys = as_prompt["keys"], as_system["keys"]
    assert isinstance(prompt_keys, list)
    assert isinstance(system_keys, list)
    assert {key & 1 for key in prompt_keys} == {0}
    assert {key & 1 for key in system_keys} == {1}
    assert {key >> 1 for key in prompt_keys} == {key >> 1 for key in system_keys}
    assert (as_prompt["content"], as_prompt["system"]) == (as_system["system"], as_system["content"])


def test_hashes_do_not_depend_on_the_batch() -> None:
    rows: list[dict[str, object]] = [
        {
            "prompt": f"question {chr(97 + one)} of the day",
            "client_address": f"192.0.2.{one % 3}",
            "temperature": 0.1 * (one % 4),
        }
        for one in range(20)
    ]
    assert facts_of(*rows) == [facts_of(row)[0] for row in rows]


def test_neighbors_in_a_network_share_it_and_not_their_address() -> None:
    one, other = facts_of({"client_address": "192.0.2.1"}, {"client_address": "192.0.2.2"})
    assert one["network"] == other["network"] != 0
    assert one["address"] != other["address"]


def test_an_empty_batch_makes_no_facts() -> None:
    assert fingerprint(batch(), NoRules()).schema == FACTS
