"""Coordination: access and prompts, and both of them."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, strategies as st

from stillwatch.detect.campaigns.cohesion import (
    ACCESS_TIES,
    PROMPT_TIES,
    declared,
    harmonic_mean,
    measure_ties,
    without_bystanders,
)
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
NATS = st.floats(0, 50)


def coordination(access: float, prompts: float) -> float:
    """Return the coordination of one cluster."""
    return float(harmonic_mean(np.array([access]), np.array([prompts]))[0])


def complete(accounts: int, size: int) -> sp.csr_matrix:
    """Tie the first accounts to each other."""
    graph = sp.lil_matrix((size, size))
    graph[:accounts, :accounts] = 1.0
    graph.setdiag(0)
    return graph.tocsr()


@pytest.mark.parametrize(
    ("access", "prompts", "expected"), [(4, 4, 4), (8, 0, 0), (0, 8, 0), (0, 0, 0), (2, 6, 3)]
)
def test_both_access_and_prompts_must_be_shared(access: float, prompts: float, expected: float) -> None:
    assert coordination(access, prompts) == pytest.approx(expected)


@given(access=NATS, prompts=NATS)
def test_coordination_lies_between_the_smaller_part_and_twice_of_it(access: float, prompts: float) -> None:
    smaller = min(access, prompts)
    assert smaller - 1e-9 <= coordination(access, prompts) <= 2 * smaller + 1e-9
    assert coordination(access, prompts) == pytest.approx(coordination(prompts, access))


@given(access=NATS, prompts=NATS, more=NATS)
def test_more_of_either_is_never_less_coordinated(access: float, prompts: float, more: float) -> None:
    assert coordination(access + more, prompts) >= coordination(access, prompts) - 1e-9


def test_access_is_the_mean_of_the_strongest_ties(make_population: Build) -> None:
    size, accounts = 400, 5
    values = [(place, "address", 7) for place in range(accounts)]
    evidence = LinkEvidence(make_population(size, values=values))
    ties = measure_ties(evidence, complete(accounts, size), [np.arange(accounts)])
    assert ties.access.tolist() == pytest.approx([np.log(size / accounts)])
    assert ties.prompts.tolist() == [0.0]
    assert len(ties.left) == accounts * (accounts - 1) / 2


def test_a_pair_has_fewer_ties_than_a_campaign_and_so_less(make_population: Build) -> None:
    values = [(place, "address", 7) for place in range(2)]
    evidence = LinkEvidence(make_population(400, values=values))
    ties = measure_ties(evidence, complete(2, 400), [np.arange(2)])
    assert ties.access.tolist() == pytest.approx([np.log(200) / ACCESS_TIES])


def test_prompts_are_counted_without_system_instructions(make_population: Build) -> None:
    templates = [(place, key, 5) for place in range(8) for key in (11, 13)]
    evidence = LinkEvidence(make_population(400, templates=templates))
    ties = measure_ties(evidence, complete(8, 400), [np.arange(8)])
    assert ties.by_kind["template_family"].min() > 0
    assert ties.prompts.tolist() == [0.0]


def test_prompt_ties_are_averaged_over_six(make_population: Build) -> None:
    templates = [(place, key, 5) for place in range(3) for key in (10, 12)]
    evidence = LinkEvidence(make_population(400, templates=templates))
    ties = measure_ties(evidence, complete(3, 400), [np.arange(3)])
    one_family = 0.5 * np.log(400)
    assert ties.prompts.tolist() == pytest.approx([2 * one_family / PROMPT_TIES])


def test_one_card_behind_every_seat_is_one_customer(make_population: Build) -> None:
    cards = {"payment_fingerprint": dict.fromkeys(range(5), "card")}
    evidence = LinkEvidence(make_population(100, registry=cards))
    assert declared(evidence, [np.arange(5), np.arange(10, 15)]).tolist() == [True, False]


def test_a_domain_that_others_have_too_declares_nobody(make_population: Build) -> None:
    domains = {"email_domain": dict.fromkeys(range(20), "mail.example.com")}
    evidence = LinkEvidence(make_population(100, registry=domains))
    assert declared(evidence, [np.arange(5)]).tolist() == [False]
    assert declared(evidence, [np.arange(20)]).tolist() == [True]


def test_cards_for_half_of_the_seats_declare_nobody(make_population: Build) -> None:
    cards = {"payment_fingerprint": dict.fromkeys(range(5), "card")}
    evidence = LinkEvidence(make_population(100, registry=cards))
    assert declared(evidence, [np.arange(10)]).tolist() == [False]


def test_who_shares_only_the_template_is_a_bystander(make_population: Build) -> None:
    templates = [(place, key, 5) for place in range(9) for key in (100, 202, 304)]
    values = [(place, "address", 7) for place in range(8)]
    evidence = LinkEvidence(make_population(400, values=values, templates=templates))
    [kept] = without_bystanders(evidence, complete(9, 400), [np.arange(9)])
    assert kept.tolist() == list(range(8))


def test_where_access_holds_nobody_together_nobody_is_left_out_for_it(make_population: Build) -> None:
    templates = [(place, key, 5) for place in range(9) for key in (100, 202, 304)]
    evidence = LinkEvidence(make_population(400, values=[(0, "address", 7)], templates=templates))
    [kept] = without_bystanders(evidence, complete(9, 400), [np.arange(9)])
    assert kept.tolist() == list(range(9))


def test_who_is_far_busier_than_the_fleet_works_for_itself(make_population: Build) -> None:
    values = [(place, "address", 7) for place in range(9)]
    hours = [(place, 480_000) for place in range(8)] + [(8, 480_000 + hour) for hour in range(24)]
    evidence = LinkEvidence(make_population(400, values=values, hours=hours))
    [kept] = without_bystanders(evidence, complete(9, 400), [np.arange(9)])
    assert kept.tolist() == list(range(8))
