"""Keyed chance is chance."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import kstest

from stillwatch.lab.simulation import chance

KEYS = chance.key_range(0, 20_000, 7)


def test_uniform_values_are_uniform_and_salts_independent() -> None:
    first, second = chance.uniform(KEYS, 1), chance.uniform(KEYS, 2)
    assert kstest(first, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_neighboring_keys_are_unrelated() -> None:
    values = chance.uniform(np.arange(20_000, dtype=np.uint64), 3)
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.03


def test_normal_values_are_normal() -> None:
    assert kstest(chance.normal(KEYS, 5), "norm").pvalue > 0.001


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6))
def test_weights_are_followed(weights: list[float]) -> None:
    counts = np.bincount(chance.pick_weighted(KEYS, 9, weights), minlength=len(weights))
    assert counts / len(KEYS) == pytest.approx(np.array(weights) / sum(weights), abs=0.02)


@given(st.integers(1, 5000), st.sampled_from([0.3, 0.7, 1.0, 1.5]))
def test_zipf_ranks_stay_in_range_and_fall(size: int, exponent: float) -> None:
    ranks = chance.zipf_rank(KEYS, 4, size, exponent)
    assert ranks.min() >= 0
    assert ranks.max() < size
    if size > 10:
        assert (ranks == 0).sum() > (ranks == size - 1).sum()


def test_salts_are_the_same_in_every_process() -> None:
    assert chance.salt("a", 1) == 0xC13CD84A6BC18181


def test_keys_of_a_range_do_not_depend_on_where_it_starts() -> None:
    assert (chance.key_range(10, 5, 1) == chance.key_range(0, 15, 1)[10:]).all()
