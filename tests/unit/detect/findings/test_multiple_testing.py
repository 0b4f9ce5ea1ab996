"""False-discovery control, weighted and as in the textbook."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import false_discovery_control

from stillwatch.detect.findings.multiple_testing import weighted_q_values

P_VALUES = st.lists(st.floats(1e-12, 1), min_size=1, max_size=80)


@given(P_VALUES)
def test_with_equal_weights_it_is_the_textbook_procedure(p_values: list[float]) -> None:
    values = np.array(p_values)
    assert weighted_q_values(values, np.full(len(values), 7.0)) == pytest.approx(
        false_discovery_control(values)
    )


def test_the_example_of_the_paper_of_1995() -> None:
    p_values = np.array([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
                         0.4262, 0.5719, 0.6528, 0.7590, 1.0000])  # fmt: skip
    assert int((weighted_q_values(p_values, np.ones(15)) <= 0.05).sum()) == 4


def test_more_weight_makes_the_same_evidence_count_for_more() -> None:
    p_values = np.full(10, 0.02)
    weights = np.array([5.0] + [0.5] * 9)
    found = weighted_q_values(p_values, weights)
    assert found[0] == pytest.approx(0.02 * 10 / (5 / 0.95))
    assert (found[1:] > found[0]).all()


def test_only_the_proportion_of_weights_counts() -> None:
    p_values, weights = np.array([0.001, 0.02, 0.3]), np.array([1.0, 2.0, 3.0])
    assert weighted_q_values(p_values, weights) == pytest.approx(weighted_q_values(p_values, 1_000 * weights))


def test_no_weight_at_all_is_equal_weight() -> None:
    p_values = np.array([0.001, 0.02, 0.3])
    assert weighted_q_values(p_values, np.zeros(3)) == pytest.approx(false_discovery_control(p_values))


def test_nothing_tested_is_nothing_found() -> None:
    assert weighted_q_values(np.empty(0), np.empty(0)).tolist() == []


@given(P_VALUES, st.integers(0, 2**31))
def test_q_values_are_probabilities_and_never_below_the_weighted_p_value(
    p_values: list[float], seed: int
) -> None:
    values = np.array(p_values)
    weights = np.random.default_rng(seed).gamma(1.0, 1.0, len(values)) + 0.01
    found = weighted_q_values(values, weights)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found >= np.minimum(values / (weights / weights.mean()), 1) - 1e-12).all()


@pytest.mark.parametrize("level", [0.05, 0.1])
def test_the_false_discovery_rate_is_kept_with_weights_of_very_unlike_size(level: float) -> None:
    rng = np.random.default_rng(20260304)
    proportions, found = [], []
    for _ in range(1_000):
        real = np.arange(100) < 10
        p_values = np.where(real, rng.uniform(0, 1, 100) ** 8, rng.uniform(0, 1, 100))
        weights = rng.lognormal(0, 1.5, 100)
        rejected = weighted_q_values(p_values, weights) <= level
        proportions.append((rejected & ~real).sum() / max(int(rejected.sum()), 1))
        found.append((rejected & real).sum())
    assert np.mean(proportions) <= level
    assert np.mean(found) > 3
