"""What is formally right and still worth a look is said, once each, and makes nothing invalid."""

from datetime import date, timedelta
from typing import Any

import pytest

from stillwatch.domain.authorizations import Authorization
from stillwatch.respond.access.authorizations.concerns import concerns_about

TODAY = date(2026, 11, 20)


def permission(authorization_id: str = "EV-1", **changes: Any) -> Authorization:
    """Return a permission without any concern, with changes."""
    fields = {
        "authorization_id": authorization_id,
        "purpose": "evaluation",
        "account_ids": ["a1"],
        "models": ["model-1"],
        "max_requests": 1_000,
        "starts_on": TODAY,
        "ends_on": TODAY + timedelta(days=365),
        "approved_by": "Head of evaluations",
        "approved_on": TODAY,
    }
    return Authorization.model_validate({**fields, **changes})


def test_a_complete_permission_gives_no_concern() -> None:
    assert concerns_about([permission()], TODAY, {"a1"}) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"approved_on": None}, "when it was approved"),
        ({"approved_on": TODAY + timedelta(days=1)}, "in the future"),
        (
            {"starts_on": TODAY - timedelta(days=3), "ends_on": TODAY, "approved_on": TODAY},
            "after it began",
        ),
        ({"starts_on": date(2025, 1, 1), "ends_on": date(2025, 2, 1), "approved_on": date(2025, 1, 1)}, "ended"),
        ({"ends_on": TODAY + timedelta(days=367)}, "368 days"),
        ({"max_requests": None}, "any number"),
        ({"models": []}, "every model"),
        ({"purpose": "licensed_distillation"}, "every capability"),
        ({"account_ids": ["a1", "a2", "a3", "a4", "a5", "a6"]}, "a2, a3, a4 and 2 more"),
    ],
)  # fmt: skip
def test_each_concern_is_told(changes: dict[str, Any], told: str) -> None:
    (found,) = concerns_about([permission(**changes)], TODAY, {"a1"})
    assert found.authorization_id == "EV-1"
    assert told in found.sentence


def test_resale_may_be_of_any_volume() -> None:
    assert concerns_about([permission(purpose="contracted_resale", max_requests=None)], TODAY) == ()


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"purpose": "research"}, 1),
        ({}, 0),
        ({"purpose": "research", "account_ids": ["a2"]}, 0),
        ({"purpose": "research", "starts_on": TODAY + timedelta(days=366), "ends_on": TODAY + timedelta(days=400)}, 0),
    ],
    ids=["another purpose", "the same purpose", "another account", "afterwards"],
)  # fmt: skip
def test_one_account_under_two_purposes_at_once_is_told(changes: dict[str, Any], count: int) -> None:
    found = concerns_about([permission(), permission("RE-1", **changes)], TODAY)
    assert len(found) == count
    assert all("also under RE-1" in each.sentence for each in found)
