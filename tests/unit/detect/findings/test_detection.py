"""Which clusters become findings: valid where nothing is wrong, and nobody is counted twice."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stillwatch.detect.findings import detection as module
from stillwatch.detect.findings.detection import Verdicts, judge
from stillwatch.detect.findings.labeled import known_clusters
from stillwatch.detect.findings.scoring import COORDINATED_NATS, Scores
from stillwatch.detect.signals.groups import Groups
from stillwatch.detect.signals.measures import AccountMeasures
from stillwatch.domain.labels import LabeledAccounts

CLUSTERS, SEATS, LONE = 60, 5, 200
HOSTILE = (CLUSTERS * SEATS + LONE) // (3 * SEATS)  # a third of the accounts


class Accounts:
    """A population of which only the names are known."""

    def __init__(self, account_ids: np.ndarray) -> None:
        self.account_ids = account_ids

    def __len__(self) -> int:
        return len(self.account_ids)


def look(rng: np.random.Generator, *, hostile: int = 0, openly: int = 0) -> Any:
    """Draw a window of ordinary clusters and lone accounts; the first clusters may be hostile or openly one customer.

    Ordinary clusters are as coordinated as hostile ones; what sets those apart is what they ask for.
    """
    clusters = [np.arange(SEATS * number, SEATS * (number + 1)) for number in range(CLUSTERS)]
    accounts = CLUSTERS * SEATS + LONE
    members = [*clusters, *(np.array([account]) for account in range(accounts))]
    requests = rng.lognormal(3, 1, accounts)
    requests[: hostile * SEATS] *= 5  # what is worth the trouble is no small part of the demand
    groups = Groups(members, AccountMeasures({"requests": requests}, np.zeros(12)))
    group = groups.size > 1
    coordination = np.where(group, rng.gamma(1.0, 4.0, len(members)), 0.0)
    coordination[:hostile] = rng.uniform(4, 15, hostile)

    def demand() -> np.ndarray:
        drawn = rng.gamma(0.5, 1.0, len(members))
        drawn[:hostile] += 12
        return drawn

    return SimpleNamespace(
        groups=groups,
        is_group=group,
        population=Accounts(np.array([f"a{number}" for number in range(accounts)])),
        openly_one=np.arange(len(members)) < openly,
        scores=Scores(coordination, demand(), demand(), rng.exponential(1.0, len(members))),
    )


def test_a_campaign_far_above_the_ordinary_is_found() -> None:
    rng = np.random.default_rng(1)
    seen = look(rng, hostile=2)
    verdicts = judge(seen)
    flagged = np.flatnonzero(verdicts.flagged(seen, 0.05))
    assert {0, 1} <= set(flagged.tolist())
    assert verdicts.q_distillation[0] <= 0.05


def test_the_accounts_of_a_finding_are_not_found_a_second_time_alone() -> None:
    seen = look(np.random.default_rng(2), hostile=1)
    count = len(seen.groups)
    tiny, one = np.full(count, 1e-9), np.ones(count)
    found = Verdicts(tiny, one, tiny, one, {}).flagged(seen, 0.05)
    covered = {account for index in range(CLUSTERS) for account in seen.groups.members[index].tolist()}
    for index in np.flatnonzero(found & ~seen.is_group):
        assert seen.groups.members[index][0] not in covered
    assert found[:CLUSTERS].all()


def test_ordinary_traffic_is_flagged_no_more_often_than_the_level() -> None:
    rng = np.random.default_rng(20260306)
    alarms = []
    for _ in range(200):
        seen = look(rng)
        alarms.append(bool(judge(seen).flagged(seen, 0.05).any()))
    assert np.mean(alarms) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


def test_a_baseline_flags_ordinary_traffic_no_more_often_than_the_level() -> None:
    rng = np.random.default_rng(20260307)
    alarms = []
    for _ in range(200):
        seen = look(rng)
        alarms.append(bool(judge(seen, look(rng)).flagged(seen, 0.05).any()))
    assert np.mean(alarms) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize("level", [0.02, 0.1, 0.3])
def test_joint_p_values_are_never_too_small_too_often(level: float) -> None:
    rng = np.random.default_rng(20260308)
    hits = []
    for _ in range(60):
        seen = look(rng)
        hits.append((judge(seen, look(rng)).p_distillation[seen.is_group] <= level).mean())
        hits.append((judge(seen).p_distillation[seen.is_group] <= level).mean())
    assert np.mean(hits) <= level


@pytest.mark.parametrize("level", [0.02, 0.1, 0.3])
def test_with_a_third_of_the_accounts_hostile_the_ordinary_are_not_called_rare_too_often(
    level: float,
) -> None:
    rng = np.random.default_rng(20260310)
    hits = []
    for _ in range(60):
        seen = look(rng, hostile=HOSTILE)
        hits.append((judge(seen).p_distillation[HOSTILE:CLUSTERS] <= level).mean())
    assert np.mean(hits) <= level + 2 * np.sqrt(level / (60 * (CLUSTERS - HOSTILE)))


def test_with_a_third_of_the_accounts_hostile_every_campaign_is_found_and_hardly_anybody_else() -> None:
    rng = np.random.default_rng(20260311)
    found, false = [], []
    for _ in range(40):
        seen = look(rng, hostile=HOSTILE)
        flagged = np.flatnonzero(judge(seen).flagged(seen, 0.05))
        found.append((flagged < HOSTILE).sum() / HOSTILE)
        false.append((flagged >= HOSTILE).sum() / max(len(flagged), 1))
    assert np.mean(found) > 0.95
    assert np.mean(false) <= 0.05


def test_p_values_of_lone_accounts_are_uniform() -> None:
    rng = np.random.default_rng(20260309)
    found = np.concatenate(
        [judge(seen).p_distillation[~seen.is_group] for seen in (look(rng) for _ in range(20))]
    )
    for level in (0.05, 0.25, 0.5, 0.75):
        assert (found <= level).mean() == pytest.approx(level, abs=0.02)


def test_certain_campaigns_do_not_make_a_lone_account_look_worse() -> None:
    alone, beside = look(np.random.default_rng(7)), look(np.random.default_rng(7), hostile=5)
    lone = np.flatnonzero(~alone.is_group)
    lone = lone[alone.groups.matrix()[lone].indices >= 5 * SEATS]
    beside.scores.lone[:] = alone.scores.lone
    assert judge(beside).q_distillation[lone].min() >= 0.5 * judge(alone).q_distillation[lone].min()


def test_a_cluster_that_shares_only_access_or_only_prompts_is_not_tested() -> None:
    seen = look(np.random.default_rng(8), hostile=2)
    seen.scores.coordination[0] = COORDINATED_NATS - 0.1
    verdicts = judge(seen)
    assert verdicts.p_distillation[0] == 1.0
    assert verdicts.p_distillation[1] < 0.01


def test_a_baseline_in_which_a_kind_is_rarer_decides_what_it_is_worth() -> None:
    rng = np.random.default_rng(9)
    population = SimpleNamespace(population=range(10))
    columns = {
        name: np.ones(10)
        for name in (
            "requests",
            "accounts",
            "several_users",
            "different_prompts",
            "shared_prompts",
            "output_tokens",
        )
    }
    columns["kinds"] = np.full((10, 12), 0.5)
    columns["elicited"] = np.full(10, 0.5)
    scores = Scores(*(rng.uniform(4, 5, 2) for _ in range(4)))

    def window(nats: float) -> Any:
        measures = AccountMeasures(columns, np.full(12, nats))
        groups = Groups([np.arange(5), np.arange(5, 10)], measures)
        return SimpleNamespace(groups=groups, scores=scores, **vars(population))

    rare, common = (
        module._by_rarity_of(window(3.0), window(nats)).elicitation.tolist() for nats in (7.0, 0.1)
    )
    assert min(rare) > 1.0
    assert max(common) == 0.0


def test_every_q_value_is_a_probability() -> None:
    verdicts = judge(look(np.random.default_rng(6), hostile=3))
    for values in (verdicts.q_distillation, verdicts.q_resale, verdicts.p_distillation, verdicts.p_resale):
        assert np.isfinite(values).all()
        assert ((values > 0) & (values <= 1)).all()


def accounts_of(*clusters: int) -> frozenset[str]:
    return frozenset(f"a{SEATS * number + seat}" for number in clusters for seat in range(SEATS))


def test_what_people_called_ordinary_makes_the_same_demand_ordinary() -> None:
    seen = look(np.random.default_rng(3), hostile=4)
    before = judge(seen)
    after = judge(seen, labeled=LabeledAccounts(ordinary=accounts_of(0, 1)))
    assert (after.p_distillation[:4] > 2 * before.p_distillation[:4]).all()


def test_what_people_called_hostile_is_no_longer_compared_with() -> None:
    seen = look(np.random.default_rng(4), hostile=12)
    alone = judge(seen, fdr=1e-9)  # nothing is found, so that nothing leaves the reference by itself
    helped = judge(seen, fdr=1e-9, labeled=LabeledAccounts(hostile=accounts_of(*range(1, 12))))
    assert helped.p_distillation[0] < alone.p_distillation[0]


def test_a_baseline_is_corrected_by_labels_as_well() -> None:
    rng = np.random.default_rng(5)
    seen, baseline = look(rng, hostile=1), look(rng, hostile=6)
    before = judge(seen, baseline).p_distillation[0]
    ordinary = judge(seen, baseline, labeled=LabeledAccounts(ordinary=accounts_of(*range(6))))
    assert ordinary.p_distillation[0] > before
    coordination = baseline.scores.coordination.copy()
    coordination[:6] = 0.0  # nothing ties them: they stand among those whom demand is compared with
    baseline.scores = replace(baseline.scores, coordination=coordination)
    misled = judge(seen, baseline).p_distillation[0]
    hostile = judge(seen, baseline, labeled=LabeledAccounts(hostile=accounts_of(*range(6))))
    assert hostile.p_distillation[0] < misled


def test_a_cluster_of_which_few_accounts_are_labeled_is_not_known() -> None:
    seen = look(np.random.default_rng(6), hostile=2)
    few = LabeledAccounts(hostile=frozenset({"a5", "a6"}), ordinary=frozenset({"a0"}))
    known = known_clusters(seen, few)
    assert not known.hostile[:CLUSTERS].any()
    assert known.hostile.sum() == 2  # the two accounts by themselves
    assert known.ordinary.sum() == 1


@pytest.mark.parametrize("level", [0.02, 0.1, 0.3])
def test_labels_on_ordinary_clusters_keep_the_level(level: float) -> None:
    rng = np.random.default_rng(20260311)
    hits = []
    for _ in range(60):
        seen = look(rng)
        labeled = LabeledAccounts(ordinary=accounts_of(*rng.choice(CLUSTERS, 10, replace=False)))
        hits.append((judge(seen, labeled=labeled).p_distillation[seen.is_group] <= level).mean())
    assert np.mean(hits) <= level
