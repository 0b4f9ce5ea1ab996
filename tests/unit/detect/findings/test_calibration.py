"""Conformal p-values: uniform where nothing is wrong, valid with a third of the accounts hostile."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import kstest

from stillwatch.detect.findings.calibration import (
    Reference,
    given_reference,
    joint_p_values,
    lone_p_values,
    self_reference,
)

SCORES = st.lists(st.floats(0, 60), min_size=1, max_size=60)


def ordinary(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw scores of ordinary clusters: skewed, and of no family that the code assumes."""
    return np.asarray(rng.gamma(2.0, 1.5, count))


def test_a_p_value_counts_the_ordinary_clusters_that_score_as_high() -> None:
    reference = Reference(np.array([1.0, 2, 3, 4]), 0.0)
    assert reference.p_values(np.array([0.5, 3.0, 3.5, 4.0])).tolist() == pytest.approx(
        [5 / 5, 3 / 5, 2 / 5, 2 / 5]
    )


def test_a_score_in_the_reference_does_not_count_against_itself() -> None:
    reference = Reference(np.array([1.0, 2, 3, 4]), 0.0)
    inside = np.ones(4, dtype=bool)
    p_values = reference.p_values(np.array([1.0, 2, 3, 4]), inside=inside)
    assert p_values.tolist() == pytest.approx([4 / 4, 3 / 4, 2 / 4, 1 / 4])


def test_p_values_are_uniform_for_clusters_like_the_baseline() -> None:
    rng = np.random.default_rng(20260302)
    p_values = [
        given_reference(ordinary(rng, 80)).p_values(ordinary(rng, 1))[0] + rng.uniform(-0.5, 0.5) / 81
        for _ in range(3_000)
    ]
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_p_values_are_uniform_for_clusters_of_the_scan_itself() -> None:
    rng = np.random.default_rng(20260303)
    found = []
    for _ in range(1_500):
        scores = ordinary(rng, 80)
        reference, inside = self_reference(scores)
        found.append(reference.p_values(scores[:1], inside=inside[:1])[0] - rng.uniform(0, 1) / 80)
    assert kstest(found, "uniform").pvalue > 0.01


@pytest.mark.parametrize("level", [0.01, 0.05, 0.1, 0.2])
def test_a_baseline_never_calls_the_ordinary_rare_too_often(level: float) -> None:
    rng = np.random.default_rng(8)
    hits = [given_reference(ordinary(rng, 60)).p_values(ordinary(rng, 50)) <= level for _ in range(400)]
    assert np.mean(hits) <= level + 3 * np.sqrt(level / 400)


def test_with_a_third_hostile_the_ordinary_are_not_called_rare_too_often() -> None:
    rng = np.random.default_rng(9)
    rates = []
    for _ in range(300):
        scores = np.concatenate([ordinary(rng, 60), ordinary(rng, 30) + 14])
        reference, inside = self_reference(scores)
        p_values = reference.p_values(scores, inside=inside)
        rates.append((p_values[:60] <= 0.05).mean())
    assert np.mean(rates) <= 0.06


def test_with_a_tenth_hostile_they_are_left_out_and_rare() -> None:
    rng = np.random.default_rng(10)
    scores = np.concatenate([ordinary(rng, 108), ordinary(rng, 12) + 16])
    reference, inside = self_reference(scores)
    p_values = reference.p_values(scores, inside=inside)
    assert not inside[108:].any()
    assert reference.left_out == pytest.approx(0.1, abs=0.03)
    assert (p_values[108:] < 1e-3).all()


def test_ordinary_traffic_looks_clean() -> None:
    rng = np.random.default_rng(11)
    apart = [self_reference(ordinary(rng, 100))[0].left_out for _ in range(50)]
    assert np.mean(apart) < 0.02


def test_a_contaminated_baseline_says_so() -> None:
    rng = np.random.default_rng(12)
    baseline = given_reference(np.concatenate([ordinary(rng, 80), ordinary(rng, 20) + 25]))
    assert len(baseline.scores) == 100
    assert baseline.left_out == pytest.approx(0.19, abs=0.03)


def test_beyond_the_largest_ordinary_score_a_nat_is_a_factor_e_at_most() -> None:
    reference = Reference(np.linspace(0, 4, 99), 0.0)
    at, one_more, two_more = reference.p_values(np.array([4.0, 5.0, 6.0]))
    assert at == pytest.approx(2 / 100)
    assert one_more == pytest.approx(np.exp(-1) / 100)
    assert one_more / two_more == pytest.approx(np.e)


def test_with_nothing_to_compare_with_nothing_is_rare() -> None:
    reference, inside = self_reference(np.empty(0))
    assert inside.tolist() == []
    assert reference.p_values(np.array([3.0, 90.0])).tolist() == [1.0, 1.0]


@given(reference=SCORES, scores=SCORES)
def test_p_values_are_probabilities_and_never_rise_with_the_score(
    reference: list[float], scores: list[float]
) -> None:
    found = given_reference(np.array(reference)).p_values(np.sort(np.array(scores)))
    assert ((found > 0) & (found <= 1)).all()
    assert (np.diff(found) <= 1e-12).all()


@given(scores=SCORES)
def test_the_order_of_the_clusters_does_not_matter(scores: list[float]) -> None:
    values = np.array(scores)
    reference, inside = self_reference(values)
    again, inside_again = self_reference(values[::-1])
    assert reference.scores.tolist() == again.scores.tolist()
    assert inside.tolist() == inside_again[::-1].tolist()


@given(scores=st.lists(st.floats(0, 60), min_size=3, max_size=60))
def test_at_least_two_thirds_are_always_taken_for_ordinary(scores: list[float]) -> None:
    assert self_reference(np.array(scores))[1].mean() >= 2 / 3 - 1e-9


def test_the_joint_p_value_is_the_share_of_pairs_that_are_as_high_together() -> None:
    found = joint_p_values(
        np.array([4.0]),
        np.array([3.0]),
        ordinary_coordination=np.array([1.0, 2.0, 4.0]),
        ordinary_demand=np.array([0.0, 2.0, 5.0, 8.0]),
        among_them=True,
    )
    # Products of 12 and more: 2 times 8, and 4 times 3 (its own), 5 and 8.
    assert found.tolist() == pytest.approx([4 / (3 * 5)])


@pytest.mark.parametrize("among_them", [True, False])
def test_joint_p_values_are_uniform_where_coordination_says_nothing_of_demand(*, among_them: bool) -> None:
    rng = np.random.default_rng(20260314)
    found = []
    for _ in range(4_000):
        coordination, demand = rng.gamma(1.0, 4.0, 40), rng.lognormal(0, 2, 60)
        found += joint_p_values(
            coordination[:1],
            demand[:1],
            ordinary_coordination=coordination if among_them else coordination[1:],
            ordinary_demand=demand[1:],
            among_them=among_them,
        ).tolist()
    for level in (0.01, 0.05, 0.2, 0.5):
        assert np.mean(np.array(found) <= level) == pytest.approx(level, abs=3 * np.sqrt(level / 4_000))


def test_hostile_clusters_among_those_compared_only_make_p_values_larger() -> None:
    coordination, demand = np.array([3.0, 5.0, 9.0]), np.array([0.5, 1.0, 2.0])
    ordinary = np.linspace(0, 4, 50)
    clean, mixed = (
        joint_p_values(
            coordination,
            demand,
            ordinary_coordination=np.concatenate([coordination, others]),
            ordinary_demand=ordinary,
            among_them=True,
        )
        for others in (np.array([1.0, 1.0]), np.array([14.0, 15.0]))
    )
    assert (mixed >= clean).all()


@given(demand=SCORES, ordinary=SCORES)
def test_joint_p_values_are_probabilities_and_nothing_asked_is_never_rare(
    demand: list[float], ordinary: list[float]
) -> None:
    coordination = np.linspace(0, 20, len(demand))
    found = joint_p_values(
        coordination,
        np.array(demand),
        ordinary_coordination=coordination,
        ordinary_demand=np.array(ordinary),
        among_them=True,
    )
    assert ((found > 0) & (found <= 1)).all()
    assert (found[np.array(demand) == 0] == 1).all()


def test_the_largest_of_the_lone_is_judged_by_how_far_it_stands_apart() -> None:
    scores = np.array([1.0, 2.0, 3.0, 5.0])
    found = lone_p_values(scores, scores, among_them=True)
    assert found.tolist() == pytest.approx([1.0, 3 / 4, 2 / 4, np.exp(-2) / 4])
    against = lone_p_values(np.array([5.0, 2.5]), scores[:3], among_them=False)
    assert against.tolist() == pytest.approx([np.exp(-2) / 4, 2 / 4])


@pytest.mark.parametrize("level", [0.001, 0.01, 0.1])
def test_p_values_of_lone_accounts_are_valid_where_volumes_are_heavy_tailed(level: float) -> None:
    rng = np.random.default_rng(20260313)
    found = []
    for _ in range(400):
        scores = np.log1p(rng.pareto(1.0, 100) * 1_000)
        found += lone_p_values(scores, scores, among_them=True).tolist()
    assert np.mean(np.array(found) <= level) <= level * (1 + 3 / np.sqrt(level * len(found)))


def test_a_lone_account_with_nobody_beside_it_is_not_rare() -> None:
    assert lone_p_values(np.array([50.0]), np.array([50.0]), among_them=True).tolist() == [1.0]
    assert lone_p_values(np.array([50.0]), np.empty(0), among_them=False).tolist() == [1.0]
