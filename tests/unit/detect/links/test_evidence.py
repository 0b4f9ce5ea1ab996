"""All links of two accounts added up."""

from collections.abc import Callable

import numpy as np
import pytest

from stillwatch.detect.links.evidence import RING, LinkEvidence
from stillwatch.detect.links.membership import alone_nats
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
SIZE = 400
FIRST, SECOND = np.array([0]), np.array([1])


def test_a_card_and_an_address_add_up(make_population: Build) -> None:
    population = make_population(
        SIZE,
        values=[(0, "address", 5), (1, "address", 5)],
        registry={"payment_fingerprint": {0: "card", 1: "card"}},
    )
    evidence = LinkEvidence(population)
    assert evidence.total(FIRST, SECOND).tolist() == pytest.approx([2 * np.log(SIZE / 2)])


def test_address_network_and_system_are_one_piece_of_evidence(make_population: Build) -> None:
    seen = [(place, kind, 5) for place in (0, 1) for kind in ("address", "network", "asn")]
    by_kind = LinkEvidence(make_population(SIZE, values=seen)).by_kind(FIRST, SECOND)
    worth = {name: float(nats[0]) for name, nats in by_kind.items() if nats[0] > 0}
    assert worth == pytest.approx({"address": np.log(SIZE / 2)})


def test_of_several_shared_addresses_the_rarest_counts(make_population: Build) -> None:
    seen = [(place, "address", 5) for place in range(8)] + [(0, "address", 6), (1, "address", 6)]
    evidence = LinkEvidence(make_population(SIZE, values=seen))
    assert evidence.total(FIRST, SECOND).tolist() == pytest.approx([np.log(SIZE / 2)])


def test_accounts_that_share_nothing_have_no_evidence(make_population: Build) -> None:
    evidence = LinkEvidence(make_population(SIZE, values=[(0, "address", 5), (2, "address", 5)]))
    assert evidence.total(FIRST, SECOND).tolist() == [0.0]


def test_coincidences_in_time_together_never_tie_two_accounts(make_population: Build) -> None:
    hour_us = 3_600_000_000
    hours = [(place, 7 * number + 3) for place in (0, 1) for number in range(1, 40)]
    hours += [(place, place) for place in range(2, SIZE)]
    population = make_population(SIZE, hours=hours, registry={"created_at": {0: hour_us, 1: hour_us}})
    by_kind = LinkEvidence(population).by_kind(FIRST, SECOND)
    assert by_kind["active_hours"][0] > 0
    assert by_kind["creation_cohort"][0] > 0
    assert sum(nats[0] for nats in by_kind.values()) <= 0.5 * alone_nats(SIZE) + 1e-9


def test_everybody_awake_at_the_same_time_is_no_synchrony(make_population: Build) -> None:
    office = [(place, 24 * day + hour) for place in range(60) for day in range(5) for hour in range(9, 17)]
    by_kind = LinkEvidence(make_population(60, hours=office)).by_kind(FIRST, SECOND)
    assert by_kind["active_hours"].tolist() == pytest.approx([0.0], abs=0.5)


def test_the_order_of_a_pair_does_not_matter(make_population: Build) -> None:
    rng = np.random.default_rng(3)
    values = [(int(rng.integers(SIZE)), "address", int(rng.integers(80))) for _ in range(300)]
    templates = [
        (int(rng.integers(SIZE)), 2 * int(rng.integers(40)), int(rng.integers(1, 9))) for _ in range(300)
    ]
    evidence = LinkEvidence(make_population(SIZE, values=values, templates=sorted(set(templates))))
    left, right = rng.integers(0, SIZE, 500), rng.integers(0, SIZE, 500)
    assert evidence.total(left, right) == pytest.approx(evidence.total(right, left))


def test_all_holders_of_a_rare_value_are_weighed(make_population: Build) -> None:
    values = [(place, "address", 5) for place in range(4)]
    left, right = LinkEvidence(make_population(SIZE, values=values)).candidates(np.random.default_rng(0))
    pairs = set(zip(left.tolist(), right.tolist(), strict=True))
    assert pairs == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}


def test_the_pairs_of_a_widely_held_value_grow_with_its_holders_only(make_population: Build) -> None:
    values = [(place, "address", 5) for place in range(90)]
    left, right = LinkEvidence(make_population(SIZE, values=values)).candidates(np.random.default_rng(0))
    assert len(left) <= 90 * RING
    assert len(np.union1d(left, right)) == 90
    assert bool((left < right).all())


def test_a_kind_that_the_logs_cannot_show_is_named(make_population: Build) -> None:
    missing = {kind.name for kind in LinkEvidence(make_population(SIZE)).missing}
    assert {"payment", "address", "conversation_handover", "creation_cohort"} <= missing
