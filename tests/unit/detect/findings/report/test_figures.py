from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.findings.report import figures


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1 k"),
        (48_310, "48.3 k"),
        (999_600, "1 M"),
        (2_140_000_000, "2.14 bn"),
    ],
)
def test_a_short_count_has_three_figures(number: int, written: str) -> None:
    assert figures.short_count(number) == written


@given(st.integers(0, 10**15))
def test_a_short_count_never_falls_into_scientific_notation(number: int) -> None:
    assert "e" not in figures.short_count(number)


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.0, "0 %"),
        (0.00001, "< 0.01 %"),
        (0.0042, "0.42 %"),
        (0.024, "2.4 %"),
        (0.31, "31 %"),
        (1.0, "100 %"),
    ],
)
def test_small_shares_get_finer_digits(share: float, written: str) -> None:
    assert figures.percent(share) == written


def test_a_tiny_p_value_is_bounded_instead_of_printed() -> None:
    assert figures.probability("q", 1e-12) == "q < 0.0001"
    assert figures.probability("q", 0.0004) == "q = 0.0004"


def test_a_period_names_month_and_year_once() -> None:
    start, end = datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 17, tzinfo=UTC)
    assert figures.period(start, end) == "3 to 17 November 2026"
    assert figures.period(start, start) == "3 November 2026"
    assert figures.period(datetime(2025, 12, 30, tzinfo=UTC), end) == "30 December 2025 to 17 November 2026"


def test_one_account_is_not_one_accounts() -> None:
    assert figures.plural(1, "account") == "1 account"
    assert figures.plural(1_200, "account") == "1,200 accounts"
