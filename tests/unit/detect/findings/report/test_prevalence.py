from datetime import date

import numpy as np
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.findings.report.prevalence import prevalence, ratio_interval
from stillwatch.domain.findings import PrevalencePoint

WEEKS = np.array(["2026-11-02", "2026-11-02", "2026-11-09", "2026-11-09"], dtype="datetime64[D]")


def small() -> dict[tuple[date | None, str | None], PrevalencePoint]:
    points = prevalence(
        week_start=WEEKS,
        model=["m-a", "m-b", "m-a", "m-a"],
        account=["a", "b", "a", "c"],
        requests=[10, 30, 40, 20],
        tokens=[100, 300, 400, 200],
        flagged_requests=[0, 30, 0, 10],
        flagged_tokens=[0, 300, 0, 100],
    )
    return {(p.week_start, p.model): p for p in points}


def test_shares_add_up_by_week_by_model_and_in_all() -> None:
    points = small()
    assert points[None, None].requests == 100
    assert points[None, None].share == pytest.approx(0.4)
    assert points[date(2026, 11, 2), None].share == pytest.approx(0.75)
    assert points[None, "m-a"].share == pytest.approx(10 / 70)
    assert points[date(2026, 11, 9), "m-a"].flagged_requests == pytest.approx(10)


def test_the_whole_span_comes_first_and_the_busiest_model_before_others() -> None:
    keys = list(small())
    assert keys[:3] == [(None, None), (None, "m-a"), (None, "m-b")]
    assert (date(2026, 11, 9), "m-b") not in keys


def test_accounts_are_counted_once_however_many_rows_they_have() -> None:
    assert small()[None, None].accounts == 3


def test_no_rows_give_no_points() -> None:
    empty: list[int] = []
    assert (
        prevalence(
            week_start=empty,
            model=np.array([], dtype=str),
            account=np.array([], dtype=str),
            requests=empty,
            tokens=empty,
            flagged_requests=empty,
            flagged_tokens=empty,
        )
        == ()
    )


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 1)), min_size=1, max_size=60))
def test_an_interval_always_holds_its_share(units: list[tuple[int, float]]) -> None:
    whole = np.array([n for n, _ in units], dtype=np.float64)
    part = whole * np.array([f for _, f in units])
    share, low, high = ratio_interval(part, whole)
    assert 0.0 <= low <= share <= high <= 1.0


def test_no_flagged_request_still_leaves_an_upper_end() -> None:
    share, low, high = ratio_interval(np.zeros(200), np.ones(200))
    assert (share, low) == (0.0, 0.0)
    assert 0.005 < high < 0.05


def test_one_account_alone_says_almost_nothing() -> None:
    _, low, high = ratio_interval(np.array([50.0]), np.array([100.0]))
    assert high - low > 0.9


def test_more_requests_from_the_same_accounts_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(3)
    whole = rng.lognormal(3, 1, 300)
    part = np.where(rng.random(300) < 0.2, whole, 0.0)
    once, busier = ratio_interval(part, whole), ratio_interval(part * 1_000, whole * 1_000)
    assert busier == pytest.approx(once)


@pytest.mark.parametrize("accounts", [50, 400])
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("spread", [0.5, 1.2])
def test_intervals_cover_the_truth_about_as_often_as_they_say(
    accounts: int, rate: float, spread: float
) -> None:
    rng = np.random.default_rng(11)
    truth = rate * 0.5 / (rate * 0.5 + 1 - rate)
    covered = 0
    for _ in range(300):
        hostile = rng.random(accounts) < rate
        whole = rng.lognormal(3, spread, accounts) * np.where(hostile, 0.5, 1.0)
        _, low, high = ratio_interval(np.where(hostile, whole, 0.0), whole)
        covered += low <= truth <= high
    assert covered / 300 > 0.88
