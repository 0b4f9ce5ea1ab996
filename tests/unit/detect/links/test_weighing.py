"""The compiled walks agree with the plain way of writing them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.special import gammainc

from stillwatch.detect.links.pairs import Rows
from stillwatch.detect.links.weighing import (
    CHUNK,
    cap_together,
    hour_nats,
    in_chunks,
    keep_strongest,
    poisson_tail_nats,
    shared_nats,
    template_sums,
)

VALUES = 400
HELD = st.lists(st.sets(st.integers(0, VALUES - 1), max_size=12), min_size=2, max_size=6)


def _rows(held: list[set[int]]) -> Rows:
    account = np.array([place for place, values in enumerate(held) for _ in values], dtype=np.int64)
    value = np.array([one for values in held for one in values], dtype=np.int64)
    return Rows.of([account], [value], len(held))


def _all_pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    left, right = np.meshgrid(np.arange(count), np.arange(count))
    return left.ravel(), right.ravel()


@given(held=HELD, busy=st.sets(st.integers(0, VALUES - 1), min_size=200), seed=st.integers(0, 99))
def test_the_rarest_shared_value_of_each_kind_counts(held: list[set[int]], busy: set[int], seed: int) -> None:
    held = [*held, busy]  # a row that is searched, beside rows that are walked
    rng = np.random.default_rng(seed)
    kind_of, nats_of = rng.integers(0, 3, VALUES), rng.random(VALUES)
    rows, (left, right) = _rows(held), _all_pairs(len(held))
    out = np.zeros((len(left), 3))
    shared_nats(rows.pointers, rows.values, kind_of, nats_of, left, right, out)
    for k, (a, b) in enumerate(zip(left, right, strict=True)):
        both = held[a] & held[b]
        expected = [max((nats_of[v] for v in both if kind_of[v] == kind), default=0.0) for kind in range(3)]
        assert out[k].tolist() == expected


@given(held=HELD, seed=st.integers(0, 99))
def test_templates_are_added_up_by_what_both_accounts_show(held: list[set[int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, (left, right) = _rows(held), _all_pairs(len(held))
    of_prompt = rng.integers(0, 2, VALUES).astype(float)
    strength, surprise, direction = rng.random((3, len(rows.values)))
    out = np.zeros((len(left), 3))
    template_sums(rows.pointers, rows.values, strength, surprise, direction, of_prompt, left, right, out)
    dense = np.zeros((3, len(held), VALUES))
    account = np.repeat(np.arange(len(held)), np.diff(rows.pointers))
    dense[:, account, rows.values] = strength, surprise, direction
    use, surprised, toward = dense
    nats = 0.5 * (surprised[left] * use[right] + use[left] * surprised[right])
    assert out[:, 0] == pytest.approx(nats.sum(axis=1))
    assert out[:, 1] == pytest.approx(nats @ of_prompt)
    assert out[:, 2] == pytest.approx((toward[left] * toward[right]).sum(axis=1))


@given(count=st.integers(0, 400), mean=st.floats(1e-3, 300))
def test_the_tail_of_a_poisson_variable_is_the_one_of_the_books(count: int, mean: float) -> None:
    tail = gammainc(count, mean) if count else 1.0
    if count <= mean:
        assert poisson_tail_nats(float(count), mean) == 0.0
    elif tail > 1e-280:
        assert poisson_tail_nats(float(count), mean) == pytest.approx(-np.log(tail), rel=1e-6, abs=1e-9)


@given(seed=st.integers(0, 999))
def test_common_hours_are_counted_over_all_words(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 2**64, (2, 3), dtype=np.uint64)
    common = sum(int(a & b).bit_count() for a, b in zip(*words, strict=True))
    out = np.empty(1)
    hour_nats(words, np.array([10.0, 20.0]), 0.01, np.array([0]), np.array([1]), out)
    assert out[0] == pytest.approx(poisson_tail_nats(float(common), 2.0))


def test_of_columns_that_see_the_same_thing_the_first_of_the_strongest_stays() -> None:
    nats = np.array([[1.0, 2.0, 2.0, 5.0], [0.0, 0.0, 0.0, 1.0]])
    keep_strongest(nats, np.array([0, 1, 2]))
    assert nats.tolist() == [[0.0, 2.0, 0.0, 5.0], [0.0, 0.0, 0.0, 1.0]]


def test_columns_are_scaled_to_their_common_ceiling_only_above_it() -> None:
    nats = np.array([[3.0, 1.0, 9.0], [1.0, 0.5, 9.0]])
    cap_together(nats, np.array([0, 1]), 2.0)
    assert nats.tolist() == [[1.5, 0.5, 9.0], [1.0, 0.5, 9.0]]


@pytest.mark.parametrize("threads", [1, 2])
def test_every_pair_is_worked_on_once(threads: int) -> None:
    seen = np.zeros(3 * CHUNK + 5)

    def work(some: slice) -> None:
        seen[some] += 1

    in_chunks(work, len(seen), threads)
    assert (seen == 1).all()


def test_an_error_in_a_thread_is_not_lost() -> None:
    def work(some: slice) -> None:
        if some.start:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        in_chunks(work, 3 * CHUNK, 2)
