"""Recorded permissions: whom they cover, and for how long and how much."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.findings.permissions import Permissions, Usage, usage_of
from stillwatch.detect.profiles.population import Population
from stillwatch.domain.authorizations import Authorization, Purpose
from stillwatch.domain.findings import AuthorizationStatus

MARCH = {"starts_on": date(2026, 3, 1), "ends_on": date(2026, 3, 31)}


def day(month: int, number: int) -> int:
    """Count the days since 1970."""
    return (date(2026, month, number) - date(1970, 1, 1)).days


def permission(**over: Any) -> Authorization:
    """Record a permission for March."""
    given = {"authorization_id": "AUTH-1", "purpose": Purpose.RESEARCH, "approved_by": "policy team", **MARCH}
    return Authorization(**{**given, "account_ids": ("a1",), **over})


def did(first: int = day(3, 2), last: int = day(3, 9), requests: int = 500, model: str = "lab-1") -> Usage:
    """Say what an account did."""
    return Usage(first, last, requests, frozenset({model}))


def status(record: Authorization, usage: Usage) -> AuthorizationStatus:
    """Judge one account."""
    return Permissions(None, [record]).notes({"a1": usage})["a1"].status


def test_use_within_scope_and_dates_is_covered() -> None:
    assert status(permission(), did()) is AuthorizationStatus.IN_SCOPE


def test_use_on_the_last_day_is_covered() -> None:
    assert status(permission(), did(last=day(3, 31))) is AuthorizationStatus.IN_SCOPE


@pytest.mark.parametrize(
    ("first", "last"), [(day(2, 27), day(3, 9)), (day(3, 2), day(4, 1)), (day(5, 1), day(5, 2))]
)
def test_use_before_or_after_the_dates_is_out_of_date(first: int, last: int) -> None:
    assert status(permission(), did(first, last)) is AuthorizationStatus.OUT_OF_DATE


def test_another_model_is_out_of_scope_and_named() -> None:
    note = Permissions(None, [permission(models=("lab-1",))]).notes({"a1": did(model="lab-2")})["a1"]
    assert note.status is AuthorizationStatus.OUT_OF_SCOPE
    assert "lab-2" in note.sentence


def test_the_permitted_model_is_in_scope() -> None:
    assert status(permission(models=("lab-1", "lab-2")), did()) is AuthorizationStatus.IN_SCOPE


def test_more_requests_than_permitted_are_out_of_scope() -> None:
    assert status(permission(max_requests=500), did(requests=500)) is AuthorizationStatus.IN_SCOPE
    assert status(permission(max_requests=499), did(requests=500)) is AuthorizationStatus.OUT_OF_SCOPE


def test_accounts_that_no_permission_touches_have_no_note() -> None:
    assert Permissions(None, [permission()]).notes({"a2": did()}) == {}


def test_a_permission_of_the_accounts_table_counts_without_a_record() -> None:
    accounts = pa.table({"account_id": ["a1", "a2"], "authorization": ["evaluation:e2e85e", None]})
    found = Permissions(accounts, []).notes({"a1": did(), "a2": did()})
    assert {account: note.status for account, note in found.items()} == {"a1": AuthorizationStatus.IN_SCOPE}
    assert "evaluation:e2e85e" in found["a1"].sentence


def test_a_record_decides_over_the_accounts_table() -> None:
    accounts = pa.table({"account_id": ["a1"], "authorization": ["AUTH-1"]})
    record = permission(account_ids=("somebody else",))
    assert Permissions(accounts, [record]).notes({"a1": did(last=day(4, 2))})["a1"].status is (
        AuthorizationStatus.OUT_OF_DATE
    )


def test_words_that_name_no_purpose_are_no_permission() -> None:
    accounts = pa.table({"account_id": ["a1"], "authorization": ["ask Kim"]})
    permissions = Permissions(accounts, [])
    assert not permissions.any
    assert permissions.notes({"a1": did()}) == {}


def test_a_domain_covers_its_accounts_and_no_others() -> None:
    accounts = pa.table(
        {"account_id": ["a1", "a2"], "email_domain": ["lab.example.com", "other.example.com"]}
    )
    record = permission(account_ids=(), email_domain="lab.example.com")
    assert set(Permissions(accounts, [record]).notes({"a1": did(), "a2": did()})) == {"a1"}


def test_of_two_permissions_the_one_that_holds_counts() -> None:
    old = permission(authorization_id="AUTH-0", starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    note = Permissions(None, [old, permission()]).notes({"a1": did()})["a1"]
    assert (note.authorization_id, note.status) == ("AUTH-1", AuthorizationStatus.IN_SCOPE)


def test_an_organization_is_named_in_full() -> None:
    accounts = pa.table(
        {"account_id": ["a1", "a2"], "authorization": ["evaluation:e2e85e", "evaluation:85e"]}
    )
    record = permission(account_ids=(), organization="85e")
    found = Permissions(accounts, [record]).notes({"a1": did(), "a2": did()})
    assert {account: note.authorization_id for account, note in found.items()} == {
        "a1": "evaluation:e2e85e",
        "a2": "AUTH-1",
    }


def test_usage_is_what_an_account_did_over_all_days(make_population: Callable[..., Population]) -> None:
    models = [(0, 20_000, "lab-1", 5), (0, 20_002, "lab-2", 6), (1, 20_001, "", 9)]
    assert usage_of(make_population(2, models=models)) == {
        "a0000": Usage(20_000, 20_002, 11, frozenset({"lab-1", "lab-2"})),
        "a0001": Usage(20_001, 20_001, 9, frozenset()),
    }


@given(
    named=st.lists(
        st.sampled_from([None, "AUTH-1", "research:lab.example", "evaluation:x", "noted by phone"]),
        min_size=6,
        max_size=6,
    ),
    domains=st.lists(st.sampled_from([None, "lab.example", "other.example"]), min_size=6, max_size=6),
    scope=st.sampled_from(
        [
            {"account_ids": ("a1", "a9")},
            {"account_ids": (), "organization": "lab.example"},
            {"account_ids": (), "email_domain": "other.example"},
        ]
    ),
)
def test_the_accounts_that_a_permission_touches_are_those_it_has_a_note_on(
    named: list[str | None], domains: list[str | None], scope: dict[str, Any]
) -> None:
    ids = [f"a{number}" for number in range(6)]
    table = pa.table({"account_id": ids, "authorization": named, "email_domain": domains})
    permissions = Permissions(table, [permission(**scope)])
    everybody = [*ids, "a9"]
    assert permissions.touched_accounts == set(permissions.notes(dict.fromkeys(everybody, did())))
