"""What one period knows of its accounts and the other does not is not compared."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.baseline.symmetry import KnownAccounts, matched
from stillwatch.detect.logs import AccountTable
from stillwatch.domain.requests import ACCOUNTS

CREATED = datetime(2026, 3, 2, tzinfo=UTC)
PAID = {"payment_fingerprint": "card-1", "email_domain": "lab.example", "created_at": CREATED}


def known(active: Sequence[str], rows: Sequence[str] | None = None, **columns: object) -> KnownAccounts:
    """Return accounts that were active, of which some are in a table with some columns."""
    if rows is None:
        return KnownAccounts(frozenset(active), None)
    table = pa.Table.from_pylist([{"account_id": one, **columns} for one in rows], schema=ACCOUNTS)
    return KnownAccounts(frozenset(active), AccountTable(table, columns={"account_id", *columns}))


def test_all_is_compared_where_both_tables_know_the_same() -> None:
    both = matched(known("abc", "abc", **PAID), known("xyz", "xyz", **PAID))
    assert both.columns == set(PAID)
    assert both.baseline is not None
    assert set(both.baseline.column_names) == {"account_id", *PAID}
    assert both.sentence == ""


def test_a_baseline_without_a_table_is_compared_by_nothing_that_a_table_holds() -> None:
    both = matched(known("abc", "abc", **PAID), known("xyz"))
    assert (both.columns, both.baseline) == (frozenset(), None)
    assert both.left_out == set(PAID)
    assert "--baseline-accounts" in both.sentence
    assert "left out of the comparison" in both.sentence


def test_a_table_of_other_accounts_is_as_good_as_none() -> None:
    both = matched(known("abc", "abc", **PAID), known("xyz", "abc", **PAID))
    assert (both.columns, both.baseline) == (frozenset(), None)
    assert "0% of its accounts" in both.sentence


def test_a_table_of_a_scan_that_knows_few_accounts_asks_no_more_of_the_baseline() -> None:
    few = matched(known("abcdefghij", "abcde", **PAID), known("klmnopqrst", "klmno", **PAID))
    assert few.columns == set(PAID)


def test_a_column_that_the_baseline_lacks_is_left_out_and_named() -> None:
    both = matched(known("abc", "abc", **PAID), known("xyz", "xyz", payment_fingerprint="card-9"))
    assert both.columns == {"payment_fingerprint"}
    assert "created_at, email_domain" in both.sentence


def test_a_column_without_a_single_value_is_a_column_that_is_not_there() -> None:
    empty = {**PAID, "payment_fingerprint": None}
    both = matched(known("abc", "abc", **PAID), known("xyz", "xyz", **empty))
    assert "payment_fingerprint" not in both.columns


def test_a_period_in_which_no_account_was_closed_still_knows_of_closures() -> None:
    closing = {"closed_at": CREATED, "close_reason": "abuse"}
    nobody = dict.fromkeys(closing)
    both = matched(known("abc", "abc", **closing), known("xyz", "xyz", **nobody))
    assert both.columns == set(closing)


def test_what_only_the_baseline_knows_is_not_compared_either() -> None:
    both = matched(known("abc"), known("xyz", "xyz", **PAID))
    assert (both.columns, both.baseline) == (frozenset(), None)


def test_who_is_permitted_what_is_no_evidence() -> None:
    both = matched(known("a", "a", authorization="research:x"), known("x", "x", authorization="research:y"))
    assert both.columns == frozenset()


@given(
    mine=st.sets(st.sampled_from(sorted(PAID)), min_size=1),
    theirs=st.sets(st.sampled_from(sorted(PAID)), min_size=1),
)
def test_the_comparison_never_uses_what_one_side_lacks(mine: set[str], theirs: set[str]) -> None:
    both = matched(
        known("ab", "ab", **{name: PAID[name] for name in mine}),
        known("xy", "xy", **{name: PAID[name] for name in theirs}),
    )
    assert both.columns == mine & theirs
    assert both.left_out == mine - theirs
    assert all((name in both.sentence) == (name not in theirs) for name in mine)


@pytest.mark.parametrize(("rows", "expected"), [("", 0.0), ("a", 0.5), ("ab", 1.0), ("abc", 1.0)])
def test_coverage_counts_active_accounts(rows: str, expected: float) -> None:
    assert known("ab", rows, **PAID).coverage == expected
