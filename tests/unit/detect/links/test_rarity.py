"""What sharing a value is worth."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.links.membership import COMMON_SHARE, Membership, alone_nats, codes, rarity


def held_by(holders: int, population_size: int, *, alone_max_accounts: int = 1_000_000) -> Membership | None:
    """Let one value be held by some accounts."""
    return rarity(
        np.arange(holders), np.full(holders, 7), population_size, alone_max_accounts=alone_max_accounts
    )


def test_a_value_of_two_accounts_in_a_hundred_is_worth_the_log_of_fifty() -> None:
    found = held_by(2, 100)
    assert found is not None
    assert found.nats.tolist() == pytest.approx([np.log(50)])
    assert found.holders.tolist() == [2]
    assert found.label.tolist() == [7]


def test_a_value_that_more_than_every_fourth_account_has_is_worth_nothing() -> None:
    assert held_by(25, 100) is not None
    assert held_by(26, 100) is None


def test_a_value_of_one_account_ties_nobody() -> None:
    assert held_by(1, 100) is None


def test_no_values_are_no_link() -> None:
    assert held_by(0, 100) is None


def test_a_value_held_by_more_accounts_than_allowed_ties_no_two_of_them_alone() -> None:
    within, beyond = held_by(12, 1_000, alone_max_accounts=12), held_by(13, 1_000, alone_max_accounts=12)
    assert within is not None
    assert beyond is not None
    assert within.nats[0] == pytest.approx(np.log(1_000 / 12))
    assert within.nats[0] > alone_nats(1_000)
    assert beyond.nats[0] == pytest.approx(alone_nats(1_000)) == pytest.approx(0.5 * np.log(1_000))


def test_a_kind_that_never_ties_alone_needs_two_more_of_its_sort() -> None:
    found = held_by(2, 1_000, alone_max_accounts=0)
    assert found is not None
    assert found.nats[0] == pytest.approx(0.25 * np.log(1_000))


def test_how_often_an_account_used_a_value_does_not_count() -> None:
    found = rarity(np.array([0, 1, 1, 1, 0]), np.full(5, 3), 50, alone_max_accounts=12)
    assert found is not None
    assert found.holders.tolist() == [2]
    assert found.account.tolist() == [0, 1]


def test_values_that_nobody_shares_leave_the_others_as_they_are() -> None:
    found = rarity(np.array([0, 1, 2, 3]), np.array([50, 50, 60, 70]), 40, alone_max_accounts=12)
    assert found is not None
    assert found.account.tolist() == [0, 1]
    assert found.value.tolist() == [0, 0]
    assert found.label.tolist() == [50]


@given(population_size=st.integers(8, 100_000), holders=st.integers(2, 200), allowed=st.integers(0, 50))
def test_a_commoner_value_is_never_worth_more(population_size: int, holders: int, allowed: int) -> None:
    rarer = held_by(holders, population_size, alone_max_accounts=allowed)
    commoner = held_by(holders + 1, population_size, alone_max_accounts=allowed)
    if commoner is None:
        assert holders + 1 > max(2, COMMON_SHARE * population_size)
    else:
        assert rarer is not None
        assert 0 < commoner.nats[0] <= rarer.nats[0] <= np.log(population_size)


def test_missing_and_empty_cells_are_no_value() -> None:
    account, value = codes(np.array(["x", None, "", "x", "y"], dtype=object))
    assert account.tolist() == [0, 3, 4]
    assert value.tolist() == [0, 0, 1]
