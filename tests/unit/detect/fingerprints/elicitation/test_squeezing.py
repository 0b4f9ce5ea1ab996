"""Texts are squeezed to the same bytes, whichever way they take."""

from itertools import pairwise

import pyarrow as pa
from hypothesis import example, given, strategies as st

from stillwatch.detect.fingerprints.elicitation.normalizing import BYTE_TABLE, prepare_text, squeeze_text
from stillwatch.detect.fingerprints.elicitation.squeezing import squeezed_texts

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
SPACED = st.text(
    st.sampled_from("aB \t\n*Éж漢İẞȺK\u212a\u00a0\uff21\U0001f600\U00010400\U0001d400"), max_size=40
)


def squeezed(texts: list[str | None]) -> list[str]:
    found = squeezed_texts(pa.array(texts, pa.string()))
    ends = found.starts.tolist()
    return [bytes(found.text[first:last]).decode() for first, last in pairwise(ends)]


@given(st.lists(st.none() | TEXTS | SPACED, max_size=5))
@example(["é" * 3_000, "E" * 3_000, "\u212a", "Ⱥ" * 50])
def test_many_texts_are_squeezed_as_one_is(texts: list[str | None]) -> None:
    assert squeezed(texts) == [squeeze_text(prepare_text(text or "")) for text in texts]


@given(TEXTS)
def test_a_text_says_whether_it_has_other_characters(text: str) -> None:
    assert squeezed_texts(pa.array([text])).foreign.tolist() == [not text.isascii()]


@given(st.lists(TEXTS, min_size=3, max_size=6))
def test_a_slice_is_squeezed_as_its_texts(texts: list[str]) -> None:
    column = pa.array(["before", *texts], pa.string()).slice(1)
    found = squeezed_texts(column)
    assert bytes(found.text[: found.starts[-1]]).decode() == "".join(squeezed(list(texts)))


def test_every_byte_is_mapped_as_the_table_says() -> None:
    for byte in range(128):
        found = squeezed_texts(pa.array([chr(byte)]))
        assert bytes(found.text[: found.starts[1]]) == bytes([BYTE_TABLE[byte]])
