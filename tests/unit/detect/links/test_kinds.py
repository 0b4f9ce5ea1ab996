"""Each kind of link on accounts written down by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from stillwatch.detect.links.address import LINK as ADDRESS
from stillwatch.detect.links.ban_replacement import LINK as BAN_REPLACEMENT
from stillwatch.detect.links.conversation_handover import LINK as CONVERSATION
from stillwatch.detect.links.creation_cohort import LINK as COHORT
from stillwatch.detect.links.email_domain import LINK as EMAIL
from stillwatch.detect.links.membership import LinkKind, alone_nats
from stillwatch.detect.links.payment import LINK as PAYMENT
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
HOUR_US = 3_600_000_000
LIMIT = 12  # accounts that one shared value may tie by itself


def tied(kind: LinkKind, population: Population) -> set[frozenset[str]]:
    """Return the sets of accounts that share a value of one kind."""
    found = kind.find(population)
    if found is None:
        return set()
    ids = population.account_ids
    return {
        frozenset(ids[found.account[found.value == value]].tolist()) for value in range(len(found.holders))
    }


def test_one_card_ties_the_accounts_it_pays_for(make_population: Build) -> None:
    cards = {0: "card-1", 1: "card-1", 2: "card-2", 3: None}
    population = make_population(40, registry={"payment_fingerprint": cards})
    assert tied(PAYMENT, population) == {frozenset({"a0000", "a0001"})}


def test_a_conversation_that_moved_ties_both_accounts(make_population: Build) -> None:
    moved = [(3, "conversation", 99), (8, "conversation", 99), (8, "conversation", 100)]
    found = CONVERSATION.find(make_population(50, values=moved))
    assert found is not None
    assert found.account.tolist() == [3, 8]
    assert found.nats.tolist() == pytest.approx([np.log(25)])


def test_a_value_of_another_kind_is_no_address(make_population: Build) -> None:
    assert ADDRESS.find(make_population(50, values=[(0, "network", 5), (1, "network", 5)])) is None


def test_a_busy_address_is_worth_less_than_one_link_needs(make_population: Build) -> None:
    busy = [(place, "address", 5) for place in range(LIMIT + 1)]
    found = ADDRESS.find(make_population(400, values=busy))
    assert found is not None
    assert found.nats[0] <= alone_nats(400)


def test_numbered_domains_are_one_pattern(make_population: Build) -> None:
    domains = {0: "mail7.example.com", 1: "MAIL12.example.com", 2: "other.example.com"}
    population = make_population(40, registry={"email_domain": domains})
    assert tied(EMAIL, population) == {frozenset({"a0000", "a0001"})}


def test_a_public_mail_provider_is_worth_nothing(make_population: Build) -> None:
    domains = dict.fromkeys(range(30), "mail.example.com")
    assert EMAIL.find(make_population(40, registry={"email_domain": domains})) is None


def test_accounts_created_within_two_hours_are_a_cohort(make_population: Build) -> None:
    created = {0: 100 * HOUR_US, 1: 101 * HOUR_US, 2: 140 * HOUR_US, 3: None}
    population = make_population(40, registry={"created_at": created})
    assert tied(COHORT, population) == {frozenset({"a0000", "a0001"})}


def test_a_replacement_begins_within_hours_of_the_closure(make_population: Build) -> None:
    hours = [(0, 1), (1, 50), (2, 55), (3, 90), (4, 2)]
    closed = {"closed_at": {0: 49 * HOUR_US}, "close_reason": {0: "suspected_abuse"}}
    population = make_population(40, hours=hours, registry=closed)
    assert tied(BAN_REPLACEMENT, population) == {frozenset({"a0000", "a0001", "a0002"})}


def test_who_left_of_their_own_will_is_not_replaced(make_population: Build) -> None:
    closed = {"closed_at": {0: 49 * HOUR_US}, "close_reason": {0: "user_request"}}
    population = make_population(40, hours=[(0, 1), (1, 50)], registry=closed)
    assert BAN_REPLACEMENT.find(population) is None


@pytest.mark.parametrize("kind", [PAYMENT, EMAIL, COHORT, BAN_REPLACEMENT, ADDRESS, CONVERSATION])
def test_logs_without_the_column_give_no_link(kind: LinkKind, make_population: Build) -> None:
    assert kind.find(make_population(20)) is None
