"""The share of extraction: planted shares lie in the interval, and templates are told from those of users."""

from collections.abc import Callable

import numpy as np
import pytest

from stillwatch.detect.findings.extraction import Marked, _own_templates
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
STRICT, LIKELY, LOOSE = 0.4, 0.2, 0.08
KEYS = (10, 12)


def planted(
    rng: np.random.Generator, *, accounts: int, seen: float, low: float, high: float, users_plain: float = 0.3
) -> tuple[Marked, float]:
    """Plant extraction in accounts that also carry users' demand.

    Args:
        rng: Chance.
        accounts: How many.
        seen: Part of the extraction that is marked.
        low: Smallest share of extraction in an account.
        high: Largest.
        users_plain: Part of the users' demand that looks like unmarked extraction.

    Returns:
        What is seen, and the planted share.
    """
    requests = rng.integers(150, 400, accounts)
    extraction = rng.binomial(requests, rng.uniform(low, high, accounts))
    marked = rng.binomial(extraction, seen)
    plain = extraction - marked + rng.binomial(requests - extraction, users_plain)
    levels = np.stack([marked] * 3, axis=1).astype(np.float64)
    found = Marked(np.arange(accounts), requests.astype(np.float64), levels, plain.astype(np.float64), 0.01)
    return found, float(extraction.sum() / requests.sum())


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize(
    ("seen", "low", "high"), [(1.0, 0.05, 0.5), (0.6, 0.05, 0.5), (0.8, 0.1, 0.6), (1.0, 0.95, 1.0)]
)
def test_the_interval_covers_the_planted_share(*, seen: float, low: float, high: float, pooled: bool) -> None:
    rng = np.random.default_rng(20260305)
    covered = 0
    for _ in range(20):
        found, truth = planted(rng, accounts=60, seen=seen, low=low, high=high)
        estimate = found.estimate(rng, pooled=pooled)
        assert 0 <= estimate.low <= estimate.share <= estimate.high <= 1
        covered += estimate.low <= truth <= estimate.high
    assert covered >= 18


def test_a_cluster_without_marks_has_no_extraction() -> None:
    found, _ = planted(np.random.default_rng(1), accounts=40, seen=0.0, low=0.0, high=0.0)
    estimate = found.estimate(np.random.default_rng(0), pooled=True)
    assert estimate.share == 0
    assert estimate.low == 0
    assert estimate.high < 0.02


def test_of_few_accounts_no_more_is_claimed_than_was_marked() -> None:
    found, _ = planted(np.random.default_rng(2), accounts=5, seen=0.5, low=0.1, high=0.6)
    estimate = found.estimate(np.random.default_rng(0), pooled=True)
    assert estimate.share == pytest.approx(found.marked[:, 1].sum() / found.requests.sum())


def test_a_lone_account_has_an_interval_from_its_own_requests() -> None:
    found = Marked(np.array([7]), np.array([100.0]), np.array([[50.0, 50, 50]]), np.array([50.0]), 0.0)
    estimate = found.estimate(np.random.default_rng(0), pooled=True)
    assert (estimate.share, estimate.low, estimate.high) == pytest.approx((0.5, 0.402, 1.0))
    assert found.own_share() == {7: 0.5}


@pytest.mark.parametrize("seen", [0.3, 0.6])
def test_accounts_without_users_may_be_the_operators_altogether(seen: float) -> None:
    found, truth = planted(np.random.default_rng(6), accounts=200, seen=seen, low=0.7, high=0.9)
    estimate = found.estimate(np.random.default_rng(0), pooled=False)
    assert estimate.low <= truth <= estimate.high == 1.0


def test_of_few_pooled_accounts_what_looks_plain_may_be_extraction() -> None:
    found, truth = planted(np.random.default_rng(4), accounts=10, seen=0.6, low=0.2, high=0.25)
    estimate = found.estimate(np.random.default_rng(0), pooled=True)
    assert estimate.low <= truth <= estimate.high < 0.8


def test_the_same_seed_gives_the_same_interval() -> None:
    found, _ = planted(np.random.default_rng(3), accounts=30, seen=0.7, low=0.1, high=0.5)
    assert found.estimate(np.random.default_rng(5), pooled=True) == found.estimate(
        np.random.default_rng(5), pooled=True
    )


def test_a_template_spread_over_the_cluster_is_the_operators(make_population: Build) -> None:
    templates = [(account, key, 9) for account in range(10) for key in KEYS]
    population = make_population(50, templates=templates)
    assert _own_templates(population, np.arange(10), STRICT).tolist() == list(KEYS)


def test_a_template_of_one_user_is_not_the_operators(make_population: Build) -> None:
    templates = [(account, key, 9) for account in range(2) for key in KEYS]
    population = make_population(50, templates=templates)
    assert _own_templates(population, np.arange(10), LOOSE).tolist() == []


def test_a_template_that_others_use_as_much_is_not_the_operators(make_population: Build) -> None:
    templates = [(account, key, 9) for account in range(20) for key in KEYS]
    population = make_population(50, templates=templates)
    assert _own_templates(population, np.arange(10), LIKELY).tolist() == []


def test_system_instructions_are_no_prompts(make_population: Build) -> None:
    templates = [(account, 11, 9) for account in range(10)]
    population = make_population(50, templates=templates)
    assert _own_templates(population, np.arange(10), LIKELY).tolist() == []


def test_a_stricter_reading_never_takes_more_templates(make_population: Build) -> None:
    rng = np.random.default_rng(6)
    templates = sorted({(int(rng.integers(30)), 2 * int(rng.integers(12)), 9) for _ in range(120)})
    population = make_population(60, templates=templates)
    members = np.arange(30)
    strict, likely, loose = (
        set(_own_templates(population, members, one).tolist()) for one in (STRICT, LIKELY, LOOSE)
    )
    assert strict <= likely <= loose
    assert loose
