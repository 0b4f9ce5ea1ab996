"""Exemplars show the words that prompts have in common, and nothing that only some of them say."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from stillwatch.detect.fingerprints.columns import Coded, hash_column, network_of
from stillwatch.detect.fingerprints.exemplars import GAP, MAX_CHARACTERS, template_names, value_names

FORM = "Please grade the following answer of {name} on a scale of 1 to 10, born 1987 in {place}: {answer}"
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=12, max_size=14)


def shown(prompts: list[str], accounts: list[str], *, keys: list[list[int]] | None = None) -> list[str]:
    """Return the texts shown for prompts that all carry one key."""
    table = template_names(
        pa.array(prompts),
        pa.array(accounts),
        np.array([hash(prompt) for prompt in prompts]),
        pa.array(keys or [[8]] * len(prompts), pa.list_(pa.int64())),
    )
    return [str(text) for text in table["text"].to_pylist()]


def filled(count: int, secrets: list[str] | None = None) -> list[str]:
    secrets = secrets or [f"Quillon{chr(97 + one)}berg" for one in range(count)]
    return [
        FORM.format(name=one, place=f"{one}ville", answer=f"{one}ity 555-01{number}")
        for number, one in enumerate(secrets)
    ]


@settings(max_examples=40)
@given(st.lists(WORDS, min_size=12, max_size=30, unique=True), st.integers(3, 8))
def test_what_fills_the_slots_is_never_shown(secrets: list[str], accounts: int) -> None:
    [text] = shown(
        filled(len(secrets), secrets), [f"org-{number % accounts}" for number in range(len(secrets))]
    )
    assert "Please grade the following answer of" in text
    assert not any(secret in text for secret in secrets)


def test_no_number_is_shown_however_common() -> None:
    prompts = [f"{prompt} call +49 30 1234567 about x² and H₂O or ٣ today please" for prompt in filled(20)]
    [text] = shown(prompts, [f"org-{number}" for number in range(20)])
    assert not any(character.isnumeric() for character in text)
    assert GAP in text


@pytest.mark.parametrize(
    ("prompts", "accounts", "allowed"),
    [
        (20, 3, True),
        (20, 2, False),  # what two share is between the two of them
        (12, 1, True),
        (11, 1, False),
        (11, 11, False),
    ],
)
def test_a_template_is_shown_from_three_accounts_or_many_prompts_of_one(
    prompts: int,
    accounts: int,
    allowed: bool,  # noqa: FBT001
) -> None:
    texts = shown(filled(prompts), [f"org-{number % accounts}" for number in range(prompts)])
    assert bool(texts) == allowed


def test_one_accounts_prompt_sent_again_and_again_is_not_shown() -> None:
    assert shown(filled(1) * 50, ["org-a"] * 50) == []
    assert shown((filled(11) * 5)[:50], ["org-a"] * 50) == []


def test_a_prompt_that_everybody_sends_word_for_word_is_not_shown() -> None:
    assert shown(filled(1) * 50, [f"org-{number}" for number in range(50)]) == []


def test_the_keys_of_system_instructions_are_not_shown() -> None:
    assert shown(filled(20), [f"org-{number}" for number in range(20)], keys=[[9]] * 20) == []


def test_an_exemplar_is_short() -> None:
    prompts = [f"{prompt} {'and further on it goes ' * 200}" for prompt in filled(20)]
    [text] = shown(prompts, [f"org-{number}" for number in range(20)])
    assert len(text) <= MAX_CHARACTERS


def test_text_without_spaces_is_shown_character_by_character() -> None:
    prompts = [f"请仔细批改下面的答案\uff1a{chr(0x4E00 + 77 * number)}" for number in range(20)]
    [text] = shown(prompts, [f"org-{number}" for number in range(20)])
    assert text.replace(" ", "").startswith("请仔细批改下面的答案")


def test_a_batch_without_prompts_shows_nothing() -> None:
    assert shown([], []) == []
    assert shown(["x"] * 20, ["org-a"] * 20, keys=[[]] * 20) == []


def test_rows_of_a_slice_are_those_of_the_slice() -> None:
    prompts, accounts = ["something else"] * 5 + filled(20), [f"org-{number}" for number in range(25)]
    keys = pa.array([[16, 18]] * 5 + [[8]] * 20, pa.list_(pa.int64()))
    content = np.arange(25)
    table = template_names(pa.array(prompts)[5:], pa.array(accounts)[5:], content[5:], keys[5:])
    assert [str(text)[:12] for text in table["text"].to_pylist()] == ["Please grade"]


def test_values_are_named_with_how_often_they_were_seen() -> None:
    texts = pa.array(["192.0.2.1", None, "192.0.2.9", "192.0.2.1", "198.51.100.1"])
    networks = pa.array([network_of(address) for address in ("192.0.2.1", "192.0.2.9", "198.51.100.1")])
    named = value_names("network", Coded.of(texts), networks).to_pylist()
    first, second = sorted(set(hash_column(networks).tolist()), key=hash_column(networks).tolist().index)
    assert [(row["value"], row["text"], row["weight"]) for row in named] == [
        (first, "192.0.2.0/24", 3),
        (second, "198.51.100.0/24", 1),
    ]
