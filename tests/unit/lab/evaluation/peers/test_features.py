"""Hashed n-grams are deterministic, of length 1, and close for texts that share wording."""

import numpy as np
from hypothesis import given, strategies as st

from stillwatch.lab.evaluation.peers.features import hashed_ngrams


@given(st.lists(st.text(max_size=60), max_size=12))
def test_rows_have_length_one_or_zero(texts: list[str]) -> None:
    vectors = hashed_ngrams(texts)
    lengths = np.linalg.norm(vectors, axis=1)
    assert vectors.shape == (len(texts), 256)
    assert np.all(np.isclose(lengths, 1, atol=1e-5) | (lengths == 0))


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_a_text_has_the_same_vector_alone_and_among_others(texts: list[str]) -> None:
    together = hashed_ngrams(texts)
    alone = np.concatenate([hashed_ngrams([text]) for text in texts])
    assert np.array_equal(together, alone)


def test_one_gram_fills_one_bucket_and_three_bytes_fill_none() -> None:
    vectors = hashed_ngrams(["abcd", "abc", ""])
    assert np.count_nonzero(vectors[0]) == 1
    assert not vectors[1:].any()


def test_texts_that_share_wording_are_closer_than_texts_that_do_not() -> None:
    first, alike, other = hashed_ngrams(
        [
            "Explain step by step how to sort the list of numbers",
            "Explain step by step how to sort the list of names",
            "Quel temps fera-t-il demain matin a Lyon",
        ]
    )
    assert first @ alike > 0.7
    assert abs(first @ other) < 0.4
