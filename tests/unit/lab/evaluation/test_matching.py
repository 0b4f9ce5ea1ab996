"""A true campaign is found by one reported campaign that holds enough of it and little else."""

import pytest
from hypothesis import given, strategies as st

from stillwatch.lab.evaluation.matching import match_campaign
from stillwatch.lab.evaluation.outcome import ReportedCampaign
from stillwatch.lab.evaluation.truth import TrueCampaign


def reported(name: str, accounts: set[str]) -> ReportedCampaign:
    return ReportedCampaign(name, "distillation", "high", frozenset(accounts), None, None)


def numbered(prefix: str, count: int) -> set[str]:
    return {f"{prefix}{index}" for index in range(count)}


TEN = TrueCampaign("ten", "distillation", frozenset(numbered("t", 10)))


@pytest.mark.parametrize(
    ("own", "others", "is_found"),
    [
        (10, 0, True),
        (5, 0, True),  # exactly half of the accounts
        (4, 0, False),
        (8, 2, True),  # exactly 80 % pure
        (8, 3, False),
        (10, 3, False),
        (0, 5, False),
    ],
)
def test_found_needs_half_of_the_accounts_and_80_percent_purity(
    own: int, others: int, *, is_found: bool
) -> None:
    match = match_campaign(TEN, [reported("r", numbered("t", own) | numbered("x", others))])
    assert match.is_found is is_found


def test_a_campaign_in_two_halves_of_four_is_not_found_but_recalled() -> None:
    halves = [reported("r1", {"t0", "t1", "t2", "t3"}), reported("r2", {"t4", "t5", "t6", "t7"})]
    match = match_campaign(TEN, halves)
    assert not match.is_found
    assert (match.fragments, match.account_recall, match.account_recall_any) == (2, 0.4, 0.8)


def test_a_pure_half_beats_a_mixed_whole() -> None:
    mixed = reported("mixed", numbered("t", 10) | numbered("x", 10))
    pure = reported("pure", numbered("t", 5))
    match = match_campaign(TEN, [mixed, pure])
    assert match.reported is pure
    assert match.is_found


def test_nothing_reported_matches_nothing() -> None:
    match = match_campaign(TEN, [reported("r", numbered("x", 3))])
    assert (match.reported, match.shared, match.purity, match.is_found) == (None, 0, None, False)


ACCOUNTS = st.sets(st.sampled_from(sorted(numbered("t", 10) | numbered("x", 6))), min_size=1)


@given(st.lists(ACCOUNTS, max_size=4))
def test_shares_stay_within_bounds_and_found_means_what_it_says(groups: list[set[str]]) -> None:
    match = match_campaign(TEN, [reported(str(index), group) for index, group in enumerate(groups)])
    assert 0 <= match.account_recall <= match.account_recall_any <= 1
    if match.is_found:
        assert match.account_recall >= 0.5
        assert match.purity is not None
        assert match.purity >= 0.8
    else:
        fits = [(len(group & TEN.accounts) / 10, len(group & TEN.accounts) / len(group)) for group in groups]
        assert not any(recall >= 0.5 and purity >= 0.8 for recall, purity in fits)
