"""Innocent explanations: where each stands follows from what was seen."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stillwatch.detect.findings.explanation import explanations
from stillwatch.detect.signals.groups import Groups
from stillwatch.detect.signals.measures import AccountMeasures
from stillwatch.domain.findings import Label, Verdict

SEATS = "one customer with many seats"
NETWORK = "shared campus, office, VPN or cloud network"
TEMPLATE = "a public template, benchmark or course exercise"
EVALUATION = "an evaluation or a judge pipeline"


def seen(
    accounts: int, *, access: float = 6.0, prompts: float = 6.0, openly: bool = False, repeated: float = 0.0
) -> Any:
    """Return a look at one cluster."""
    measures = AccountMeasures(
        {"prompts": np.full(accounts, 100.0), "different_prompts": np.full(accounts, 100.0 * (1 - repeated))},
        np.zeros(12),
    )
    return SimpleNamespace(
        groups=Groups([np.arange(accounts)], measures),
        openly_one=np.array([openly]),
        access=lambda _: access,
        prompts=lambda _: prompts,
    )


def verdicts(look: Any, label: Label = Label.DISTILLATION) -> dict[str, Verdict]:
    """Consider the explanations of the cluster."""
    return {one.name: one.verdict for one in explanations(look, 0, label)}


@pytest.mark.parametrize(("openly", "verdict"), [(True, Verdict.POSSIBLE), (False, Verdict.LESS_LIKELY)])
def test_one_payer_makes_many_seats_possible(openly: bool, verdict: Verdict) -> None:  # noqa: FBT001
    assert verdicts(seen(20, openly=openly))[SEATS] is verdict


def test_a_shared_network_is_ruled_out_by_shared_prompts_only() -> None:
    assert verdicts(seen(20, prompts=6.0))[NETWORK] is Verdict.RULED_OUT
    assert verdicts(seen(20, prompts=1.0))[NETWORK] is Verdict.POSSIBLE


def test_a_public_template_is_possible_where_access_is_not_shared() -> None:
    assert verdicts(seen(20, access=6.0))[TEMPLATE] is Verdict.LESS_LIKELY
    assert verdicts(seen(20, access=1.0))[TEMPLATE] is Verdict.POSSIBLE


def test_an_evaluation_goes_over_the_same_items_again() -> None:
    assert verdicts(seen(20, repeated=0.6))[EVALUATION] is Verdict.POSSIBLE
    assert verdicts(seen(20, repeated=0.0))[EVALUATION] is Verdict.LESS_LIKELY


def test_a_lone_account_is_not_asked_about_seats_and_networks() -> None:
    listed = verdicts(seen(1))
    assert not {SEATS, NETWORK, TEMPLATE} & set(listed)
    assert EVALUATION in listed


def test_the_people_behind_a_reseller_are_not_accused() -> None:
    assert verdicts(seen(20), Label.RESALE)["ordinary developers"] is Verdict.POSSIBLE
    assert "ordinary developers" not in verdicts(seen(20), Label.DISTILLATION)


def test_every_explanation_is_one_sentence_or_two_with_a_period() -> None:
    for one in explanations(seen(20), 0, Label.DISTILLATION):
        assert one.sentence.endswith(".")
        assert one.name
