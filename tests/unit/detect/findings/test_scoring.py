"""The scores that decide."""

import numpy as np
import pytest

from stillwatch.detect.findings.scoring import COORDINATED_NATS, Scores, score
from stillwatch.detect.signals.groups import Groups
from stillwatch.detect.signals.measures import AccountMeasures

SIZE = 10
TIED = COORDINATED_NATS + 1


def scored(coordination: list[float], groups: list[range], **columns: list[float]) -> Scores:
    """Score groups of accounts with a hundred requests each, unless told otherwise."""
    accounts = max(group.stop for group in groups)
    given = {name: np.array(values, dtype=float) for name, values in columns.items()}
    elicited = given.get("elicited", np.zeros(accounts))
    kinds = np.zeros((accounts, 12))
    kinds[:, 0] = elicited
    measures = {
        "requests": np.full(accounts, 100.0),
        "accounts": np.ones(accounts),
        "several_users": np.zeros(accounts),
        "different_prompts": np.full(accounts, 100.0),
        "shared_prompts": np.zeros(accounts),
        "output_tokens": np.full(accounts, 100.0),
        **given,
        "elicited": elicited,
        "kinds": kinds,
    }
    members = [np.array(group) for group in groups]
    return score(Groups(members, AccountMeasures(measures, np.full(12, 5.0))), np.array(coordination))


def test_what_one_account_asks_for_does_not_carry_a_group() -> None:
    one = [90.0] + [0.0] * (SIZE - 1)
    everybody = [90.0] * SIZE
    assert scored([TIED], [range(SIZE)], elicited=one).elicitation[0] == 0.0
    assert scored([TIED], [range(SIZE)], elicited=everybody).elicitation[0] > 3.0
    assert scored([0.0], [range(1)], elicited=[90.0]).elicitation[0] > 3.0


def test_a_group_of_which_a_few_accounts_are_shared_does_not_resell() -> None:
    others = [0.0] * 90
    few, most = [1.0] * 2 + [0.0] * 8, [1.0] * 8 + [0.0] * 2
    groups = [range(SIZE), *(range(place, place + 1) for place in range(SIZE, 100))]
    coordination = [TIED] + [0.0] * 90
    assert scored(coordination, groups, several_users=few + others).hands[0] == 0.0
    assert scored(coordination, groups, several_users=most + others).hands[0] > 1.0


def test_shared_accounts_are_compared_with_ordinary_ones_that_are_as_busy() -> None:
    groups = [range(SIZE), *(range(place, place + 1) for place in range(SIZE, 100))]
    coordination = [TIED] + [0.0] * 90
    requests = [1_000.0] * 40 + [10.0] * 60
    busy_too = [1.0] * 40 + [0.0] * 60
    quiet_too = [1.0] * 10 + [0.0] * 30 + [1.0] * 30 + [0.0] * 30
    as_busy, others = (
        scored(coordination, groups, several_users=marks, requests=requests).hands[0]
        for marks in (busy_too, quiet_too)
    )
    assert as_busy == pytest.approx(0.0, abs=0.01)
    assert others > 0.5


@pytest.mark.parametrize(("coordination", "expected"), [(TIED, True), (COORDINATED_NATS - 1, False)])
def test_a_cluster_is_coordinated_from_a_few_nats_on(*, coordination: float, expected: bool) -> None:
    assert bool(scored([coordination], [range(SIZE)]).coordinated[0]) is expected


def test_both_scores_need_coordination() -> None:
    found = scored([0.0], [range(SIZE)], elicited=[90.0] * SIZE, several_users=[1.0] * SIZE)
    assert found.distillation[0] == 0.0
    assert found.resale[0] == 0.0
