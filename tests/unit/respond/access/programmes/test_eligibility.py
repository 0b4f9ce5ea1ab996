"""A place on a programme is eligible only when everything is shown, and ends."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stillwatch.respond.access.ownership.assessment import Outcome
from stillwatch.respond.access.programmes.eligibility import Evidence, Status, evaluate
from stillwatch.respond.access.programmes.programme import Programme, Requirements

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SCHOOL = Programme(
    programme="education",
    title="Teaching",
    requires=Requirements(email_domains=("example.edu",), account_types=("individual", "organization")),
    max_requests=10_000,
    term_days=365,
    ends_on=date(2027, 6, 30),
    playbook="education.yaml",
)
ACCOUNT = {
    "account_id": "a1",
    "created_at": NOW - timedelta(days=30),
    "account_type": "organization",
    "programme": "education",
    "email_domain": "cs.example.edu",
    "verified": True,
    "closed_at": None,
}
KNOWN = Evidence(Outcome.CLEAR, 200)


def judged(
    *, evidence: Evidence = KNOWN, programme: Programme = SCHOOL, now: datetime = NOW, **changes: Any
) -> tuple[Status, str]:
    """Judge the account of the tests, with changes; return the status and the sentences."""
    found = evaluate({**ACCOUNT, **changes}, programme, evidence, now)
    return found.status, " ".join(reason.sentence for reason in found.reasons)


def test_who_shows_everything_is_eligible_until_the_term_ends() -> None:
    found = evaluate(ACCOUNT, SCHOOL, KNOWN, NOW)
    assert (found.status, found.reasons) == (Status.ELIGIBLE, ())
    assert found.lapses_at == datetime(2027, 7, 1, tzinfo=UTC)
    assert found.playbook == "education.yaml"


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"verified": False}, Status.NEEDS_VERIFICATION, "It is not verified"),
        ({"verified": None}, Status.NEEDS_VERIFICATION, "not known whether"),
        ({"email_domain": "example.com"}, Status.NEEDS_VERIFICATION, "example.com"),
        ({"email_domain": "badexample.edu"}, Status.NEEDS_VERIFICATION, "none of the programme's"),
        ({"email_domain": None}, Status.NEEDS_VERIFICATION, "not known, is none"),
        ({"account_type": None}, Status.NEEDS_VERIFICATION, "Its type is not known"),
        ({"created_at": None}, Status.NEEDS_VERIFICATION, "when the account was created"),
        ({"created_at": NOW - timedelta(days=365)}, Status.LAPSED, "ended on 2026-11-20"),
        ({"closed_at": NOW}, Status.LAPSED, "closed on 2026-11-20"),
        ({"evidence": Evidence(Outcome.CLEAR, 10_001)}, Status.LAPSED, "10,001 requests were made of 10,000"),
        ({"evidence": Evidence(Outcome.CLEAR, 10_000)}, Status.ELIGIBLE, ""),
        ({"evidence": Evidence(Outcome.CLEAR, None)}, Status.NEEDS_VERIFICATION, "how many requests"),
        ({"evidence": Evidence(Outcome.UNKNOWN, 1)}, Status.NEEDS_VERIFICATION, "could not clear"),
        ({"evidence": Evidence(None, 1)}, Status.NEEDS_VERIFICATION, "was not checked"),
        ({"evidence": Evidence(Outcome.REFUSED, 1)}, Status.REFUSED, "refuses its organization"),
        ({"evidence": Evidence(None, 1), "account_type": "individual"}, Status.ELIGIBLE, ""),
        ({"evidence": Evidence(Outcome.REFUSED, 1), "account_type": "individual"}, Status.REFUSED, "refuses"),
        ({"now": datetime(2027, 6, 30, 23, tzinfo=UTC)}, Status.ELIGIBLE, ""),
        ({"now": datetime(2027, 7, 1, tzinfo=UTC)}, Status.LAPSED, "ended on 2027-07-01"),
    ],
)
def test_each_condition_is_told(changes: dict[str, Any], status: Status, said: str) -> None:
    found, sentences = judged(**changes)
    assert found is status
    assert said in sentences


def test_the_worst_reason_is_the_status_and_all_are_told() -> None:
    found, sentences = judged(verified=False, closed_at=NOW, evidence=Evidence(Outcome.REFUSED, 20_000))
    assert found is Status.REFUSED
    assert [word in sentences for word in ("closed", "used up", "not verified", "refuses")] == [True] * 4


@pytest.mark.parametrize(
    ("need", "outcome", "status"),
    [
        ("not_refused", Outcome.UNKNOWN, Status.ELIGIBLE),
        ("not_refused", None, Status.NEEDS_VERIFICATION),
        ("unchecked", None, Status.ELIGIBLE),
        ("unchecked", Outcome.REFUSED, Status.REFUSED),
    ],
)
def test_a_programme_says_what_the_ownership_rule_must_have_said(
    need: str, outcome: Outcome | None, status: Status
) -> None:
    programme = Programme.model_validate(
        {
            "programme": "startup",
            "title": "Start-ups",
            "requires": {"ownership": need},
            "term_days": 90,
            "playbook": "p.yaml",
        }
    )
    assert judged(programme=programme, evidence=Evidence(outcome, None))[0] is status


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "verified": st.sampled_from([True, False, None]),
            "email_domain": st.sampled_from(["example.edu", "example.com", None]),
            "account_type": st.sampled_from(["individual", "organization", None]),
            "created_at": st.sampled_from([NOW, NOW - timedelta(days=400), None]),
        }
    ),
    st.sampled_from([None, *Outcome]),
    st.sampled_from([None, 1, 20_000]),
    st.sampled_from(["verified", "email_domain", "account_type", "created_at", "ownership", "requests"]),
)
def test_forgetting_something_never_makes_an_account_eligible(
    changes: dict[str, Any], ownership: Outcome | None, requests: int | None, forgotten: str
) -> None:
    before, _ = judged(evidence=Evidence(ownership, requests), **changes)
    if forgotten in changes:
        changes = {**changes, forgotten: None}
    evidence = Evidence(
        None if forgotten == "ownership" else ownership, None if forgotten == "requests" else requests
    )
    after, _ = judged(evidence=evidence, **changes)
    assert before is Status.ELIGIBLE or after is not Status.ELIGIBLE
