"""Volume, PRADA and MinHash do what their descriptions say."""

from datetime import date

import numpy as np
import pytest

from stillwatch.lab.evaluation.peers.features import hashed_ngrams
from stillwatch.lab.evaluation.peers.minhash import MinHashIndex, shingles
from stillwatch.lab.evaluation.peers.prada import prada_score
from stillwatch.lab.evaluation.peers.volume import busiest_day

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def test_volume_is_the_count_on_the_busiest_day() -> None:
    requests = [("a", MONDAY), ("a", TUESDAY), ("a", TUESDAY), ("b", MONDAY)]
    assert busiest_day(requests) == {"a": 2, "b": 1}


def test_prada_says_nothing_about_a_hundred_queries() -> None:
    assert prada_score(np.eye(100, dtype=np.float32)) is None


def test_prada_finds_queries_at_constant_distance_less_normal_than_scattered_ones() -> None:
    rng = np.random.default_rng(1)
    scattered = rng.normal(size=(300, 16)).astype(np.float32)
    scattered /= np.linalg.norm(scattered, axis=1, keepdims=True)
    constant = np.eye(300, dtype=np.float32)
    usual, chosen = prada_score(scattered), prada_score(constant)
    assert usual is not None
    assert usual < 0.1
    assert chosen == 1.0


def test_prada_finds_one_template_with_a_bimodal_gap_less_normal_than_free_text() -> None:
    rng = np.random.default_rng(2)
    words = [f"word{index}" for index in range(400)]
    free = [" ".join(rng.choice(words, 20)) for _ in range(200)]
    template = [f"Grade the answer {index % 7} by the rubric below" for index in range(100)]
    usual, mixed = prada_score(hashed_ngrams(free)), prada_score(hashed_ngrams(template + free[:100]))
    assert usual is not None
    assert mixed is not None
    assert mixed > usual


def test_shingles_are_runs_of_three_words() -> None:
    assert shingles("One two, three FOUR") == {"one two three", "two three four"}
    assert shingles("hi") == {"hi"}


def test_minhash_counts_the_accounts_that_sent_something_alike() -> None:
    pytest.importorskip("datasketch", reason="only benchmarks need the datasketch library")
    template = "Rate the following answer on a scale of one to ten and justify each point in full detail: "
    index = MinHashIndex()
    index.add((f"bot{number}", template + f"answer{number}") for number in range(4))
    index.add([("person", "what is a good name for a gray cat that likes rain")])
    assert index.accounts_alike() == {"bot0": 0, "bot1": 1, "bot2": 2, "bot3": 3, "person": 0}
