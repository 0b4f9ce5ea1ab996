"""What people may write, and how names are counted."""

import pytest
from hypothesis import given, strategies as st

from stillwatch.errors import CaseError
from stillwatch.respond.cases.wording import digest_of_names, linted


def test_space_around_a_text_is_dropped_and_lines_stay() -> None:
    assert linted("  one\n\ttwo \n", "a note", 20) == "one\n\ttwo"


@pytest.mark.parametrize("text", ["", " \n", "x" * 21, "\x00", "\x1b[31m", "\ud800", "AKIAABCDEFGHIJKLMNOP"])
def test_other_texts_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(CaseError) as refused:
        linted(text, "a note", 20)
    assert text.strip() == "" or text not in refused.value.message


@given(st.lists(st.text(st.characters(codec=None))), st.randoms())
def test_the_digest_of_names_knows_no_order_and_no_repetition(names: list[str], chance: object) -> None:
    shuffled = [*names, *names[:2]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest_of_names(names) == digest_of_names(shuffled)


@given(st.sets(st.text()), st.sets(st.text()))
def test_different_names_have_different_digests(one: set[str], other: set[str]) -> None:
    assert (digest_of_names(one) == digest_of_names(other)) == (one == other)


def test_names_are_not_run_together() -> None:
    assert digest_of_names(["ab", "c"]) != digest_of_names(["a", "bc"])
