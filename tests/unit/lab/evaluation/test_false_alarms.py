"""Rates of false alarms and precision at a realistic base rate."""

import pytest
from hypothesis import given, strategies as st

from stillwatch.lab.evaluation.false_alarms import per_1000, precision_at, upper_rate


def test_a_false_alarm_rate_of_one_in_1000_halves_precision_at_one_hostile_in_1000() -> None:
    assert precision_at(0.001, 1.0, 0.001) == pytest.approx(0.001 / (0.001 + 0.000999))


def test_precision_is_not_defined_when_nothing_is_flagged() -> None:
    assert precision_at(0.001, 0.0, 0.0) is None
    assert precision_at(0.001, None, 0.1) is None


def test_zero_of_4000_leaves_room_for_three_in_4000() -> None:
    bound = upper_rate(0, 4000)
    assert bound == pytest.approx(1 - 0.05 ** (1 / 4000))
    assert bound == pytest.approx(3 / 4000, rel=0.01)  # the rule of three


@pytest.mark.parametrize(("count", "total", "bound"), [(10, 10, 1.0), (0, 0, None)])
def test_the_bound_is_defined_at_the_edges(count: int, total: int, bound: float | None) -> None:
    assert upper_rate(count, total) == bound


def test_a_rate_per_1000_of_an_empty_group_is_zero() -> None:
    assert per_1000(0, 0) == 0.0
    assert per_1000(2, 4000) == 0.5


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_upper_bound_is_never_below_the_rate(case: tuple[int, int]) -> None:
    count, total = case
    bound = upper_rate(count, total)
    assert bound is not None
    assert count / total <= bound <= 1.0


@given(st.floats(0.01, 1), st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_more_false_alarms_never_raise_precision(recall: float, rate: float, more: float) -> None:
    worse = precision_at(0.001, recall, min(1.0, rate + more))
    better = precision_at(0.001, recall, rate)
    assert worse is not None
    assert better is not None
    assert worse <= better
