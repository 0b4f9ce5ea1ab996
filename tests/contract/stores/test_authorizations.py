"""Authorizations are recorded, revoked and closed with their entries in the trail, on every kind of store."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import text
from tests.contract.stores.conftest import Clock

from stillwatch.detect.logs.authorizations import read_authorizations
from stillwatch.domain.authorizations import Authorization
from stillwatch.errors import GrantError
from stillwatch.respond.access.authorizations.publishing import as_file
from stillwatch.respond.access.authorizations.reading import about_account, everything, in_force, recorded
from stillwatch.respond.access.authorizations.record import State
from stillwatch.respond.access.authorizations.recording import KIND, close_ended, grant, revoke
from stillwatch.respond.access.authorizations.verifying import differences
from stillwatch.respond.audit import AuditTrail, verify
from stillwatch.respond.store import open_store

TODAY = date(2026, 11, 20)
ALICE = "person:alice"


def permission(authorization_id: str = "EV-1", **changes: Any) -> Authorization:
    """Return a complete permission, with changes."""
    fields = {
        "authorization_id": authorization_id,
        "purpose": "evaluation",
        "account_ids": ["a1", "a2"],
        "models": ["model-1"],
        "capabilities": ["coding"],
        "max_requests": 1_000,
        "starts_on": TODAY,
        "ends_on": TODAY + timedelta(days=30),
        "approved_by": "Head of evaluations",
        "approved_on": TODAY - timedelta(days=1),
    }
    return Authorization.model_validate({**fields, **changes})


def granted(trail: AuditTrail, *permissions: Authorization, by: str = ALICE) -> None:
    """Record permissions in one transaction."""
    with trail.writing(by) as write:
        for each in permissions:
            grant(write, each)


def test_a_permission_comes_back_with_who_recorded_it_and_when(trail: AuditTrail, clock: Clock) -> None:
    granted(trail, permission())
    with trail.store.reading() as connection:
        found = recorded(connection, "EV-1")
    assert found.authorization == permission()
    assert (found.granted_by, found.granted_at) == (ALICE, clock.now)
    assert found.state_at(clock.now) is State.IN_FORCE


def test_the_trail_tells_the_scope_and_the_approver(trail: AuditTrail) -> None:
    granted(trail, permission())
    (entry,) = trail.of(KIND, "EV-1")
    assert (entry.action, entry.actor) == ("authorization.granted", ALICE)
    told = entry.facts
    assert told["approved_by"] == "Head of evaluations"
    assert told["approved_on"] == "2026-11-19"
    assert (told["models"], told["capabilities"], told["max_requests"]) == (["model-1"], ["coding"], 1_000)
    assert told["accounts"] == 2
    assert "a1" not in str(told)


@pytest.mark.parametrize(
    ("changes", "by", "told"),
    [
        ({}, "playbook:p@1", "only a person"),
        ({"approved_on": None}, ALICE, "when it was approved"),
        ({"approved_on": TODAY + timedelta(days=1)}, ALICE, "in the future"),
        ({"starts_on": date(2026, 1, 1), "ends_on": TODAY - timedelta(days=1)}, ALICE, "ended on"),
        ({"approved_by": "Bearer abcdefghijkl"}, ALICE, "credential"),
        ({"authorization_id": "x" * 201}, ALICE, "201 characters"),
    ],
)
def test_what_nobody_could_account_for_is_not_recorded(
    trail: AuditTrail, changes: dict[str, Any], by: str, told: str
) -> None:
    with pytest.raises(GrantError, match=told):
        granted(trail, permission(**changes), by=by)
    with trail.store.reading() as connection:
        assert everything(connection) == ()
    assert trail.head().sequence == 0


def test_an_id_is_used_once_also_after_it_was_revoked(trail: AuditTrail) -> None:
    granted(trail, permission())
    with trail.writing(ALICE) as write:
        revoke(write, "EV-1", "The contract was cancelled.")
    with pytest.raises(GrantError, match="on record already"):
        granted(trail, permission())


def test_a_revoked_permission_holds_no_longer_and_says_why(trail: AuditTrail, clock: Clock) -> None:
    granted(trail, permission())
    before = clock.now
    with trail.writing("person:bob") as write:
        revoke(write, "EV-1", " The contract was cancelled. ")
    with trail.store.reading() as connection:
        found = recorded(connection, "EV-1")
        assert in_force(connection, TODAY) == ()
    assert (found.revoked_by, found.revoked_why) == ("person:bob", "The contract was cancelled.")
    assert found.state_at(before) is State.IN_FORCE
    assert found.state_at(clock.now) is State.REVOKED
    assert [entry.action for entry in trail.of(KIND, "EV-1")] == [
        "authorization.granted",
        "authorization.revoked",
    ]


@pytest.mark.parametrize(
    ("by", "why", "told"),
    [
        ("playbook:p@1", "x", "only a person"),
        (ALICE, " ", "say something"),
        (ALICE, "Bearer abcdefghijkl", "cred"),
    ],
)
def test_a_revocation_needs_a_person_and_a_reason(trail: AuditTrail, by: str, why: str, told: str) -> None:
    granted(trail, permission())
    with pytest.raises(GrantError, match=told), trail.writing(by) as write:
        revoke(write, "EV-1", why)


def test_what_is_over_or_unknown_cannot_be_revoked(trail: AuditTrail, clock: Clock) -> None:
    granted(trail, permission())
    with pytest.raises(GrantError, match="no authorization is called"), trail.writing(ALICE) as write:
        revoke(write, "EV-2", "Nobody knows it.")
    clock.now += timedelta(days=31)
    with pytest.raises(GrantError, match="over already"), trail.writing(ALICE) as write:
        revoke(write, "EV-1", "It is too late.")


def test_the_end_is_recorded_once_after_the_last_day(trail: AuditTrail, clock: Clock) -> None:
    granted(trail, permission(), permission("EV-2", ends_on=TODAY + timedelta(days=90)))
    clock.now += timedelta(days=30)
    with trail.writing("system:access") as write:
        assert close_ended(write) == ()
    clock.now += timedelta(days=1)
    with trail.writing("system:access") as write:
        assert close_ended(write) == ("EV-1",)
    with trail.writing("system:access") as write:
        assert close_ended(write) == ()
    assert [entry.action for entry in trail.of(KIND, "EV-1")][-1] == "authorization.ended"


def test_what_holds_is_asked_by_day(trail: AuditTrail) -> None:
    later = permission("EV-2", starts_on=TODAY + timedelta(days=10), account_ids=["a3"])
    granted(trail, permission(), later)
    with trail.store.reading() as connection:
        for days, names in (
            (-1, []),
            (0, ["EV-1"]),
            (10, ["EV-1", "EV-2"]),
            (30, ["EV-1", "EV-2"]),
            (31, []),
        ):
            found = in_force(connection, TODAY + timedelta(days=days))
            assert [each.authorization_id for each in found] == names


def test_an_account_is_found_by_id_organization_domain_and_table(trail: AuditTrail) -> None:
    granted(
        trail,
        permission("by-id"),
        permission("by-organization", account_ids=[], organization="Example Labs"),
        permission("by-domain", account_ids=[], email_domain="example.com"),
        permission("other", account_ids=["a9"]),
    )

    def names(account: str, **more: str) -> list[str]:
        with trail.store.reading() as connection:
            return [
                each.authorization.authorization_id for each in about_account(connection, account, **more)
            ]

    assert names("a1") == ["by-id"]
    assert names("b", recorded_as="evaluation:Example Labs") == ["by-organization"]
    assert names("b", email_domain="example.com") == ["by-domain"]
    assert names("b", recorded_as="other") == ["other"]
    assert names("b") == []


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    accounts=st.lists(st.text(min_size=1, max_size=6).filter(str.strip), max_size=3),
    organization=st.none() | st.sampled_from(["Example Labs", "a:b"]),
    domain=st.none() | st.sampled_from(["example.com", "example.org"]),
    asked=st.tuples(
        st.text(min_size=1, max_size=6),
        st.none() | st.sampled_from(["evaluation:Example Labs", "one", "evaluation:a:b"]),
        st.none() | st.sampled_from(["example.com", "example.org"]),
    ),
)
def test_the_store_finds_whom_the_permission_names(
    make_url: Callable[[], str],
    clock: Clock,
    accounts: list[str],
    organization: str | None,
    domain: str | None,
    asked: tuple[str, str | None, str | None],
) -> None:
    accounts = [*accounts, "always"]
    each = permission("one", account_ids=accounts, organization=organization, email_domain=domain)
    account, recorded_as, email_domain = asked
    with open_store(make_url()) as store:
        granted(AuditTrail(store, clock), each)
        for name in (account, *each.account_ids):
            with store.reading() as connection:
                found = about_account(connection, name, recorded_as=recorded_as, email_domain=email_domain)
            named = each.names_account(name, recorded=recorded_as, email_domain=email_domain)
            assert bool(found) is named


def test_tampering_shows(trail: AuditTrail) -> None:
    granted(trail, permission(), permission("EV-2"), permission("EV-3"))
    with trail.writing(ALICE) as write:
        revoke(write, "EV-2", "The contract was cancelled.")
    assert verify(trail.store).holds
    assert differences(trail.store) == ()
    for statement in (
        "UPDATE authorizations SET record = replace(record, '1000', '9000') WHERE authorization_id = 'EV-1'",
        "UPDATE authorizations SET record = replace(record, 'cancelled', 'extended') WHERE authorization_id = 'EV-2'",
        "INSERT INTO authorization_accounts VALUES ('EV-3', 'a9')",
    ):
        with trail.store.writing() as connection:
            connection.execute(text(statement))
    assert differences(trail.store) == (
        "EV-1 permits something else than what was recorded",
        "EV-2 was not revoked as it says",
        "the accounts of EV-3 are not those that were recorded",
    )


def test_the_record_as_a_file_permits_what_was_permitted(
    trail: AuditTrail, clock: Clock, tmp_path: Path
) -> None:
    granted(trail, permission(), permission("EV-2"), permission("EV-3", starts_on=TODAY + timedelta(days=5)))
    clock.now += timedelta(days=3)
    with trail.writing(ALICE) as write:
        revoke(write, "EV-2", "The project ended.")
        revoke(write, "EV-3", "It never began.")
    with trail.store.reading() as connection:
        (tmp_path / "file.json").write_text(as_file(connection))
    found = read_authorizations(tmp_path / "file.json")
    assert found == (permission(), permission("EV-2", ends_on=TODAY + timedelta(days=2)))
