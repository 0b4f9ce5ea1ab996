"""Which clusters become findings: valid where nothing is wrong, and nobody is counted twice."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stillwatch.detect.findings.detection import Verdicts, judge
from stillwatch.detect.findings.scoring import Scores
from stillwatch.detect.signals.groups import Groups
from stillwatch.detect.signals.measures import AccountMeasures

CLUSTERS, SEATS, LONE = 60, 5, 200


def look(rng: np.random.Generator, *, hostile: int = 0, openly: int = 0) -> Any:
    """Draw a window of ordinary clusters and lone accounts; the first clusters may be hostile or openly one customer."""
    clusters = [np.arange(SEATS * number, SEATS * (number + 1)) for number in range(CLUSTERS)]
    accounts = CLUSTERS * SEATS + LONE
    members = [*clusters, *(np.array([account]) for account in range(accounts))]
    requests = rng.lognormal(3, 1, accounts)
    groups = Groups(members, AccountMeasures({"requests": requests}, np.zeros(12)))
    group = groups.size > 1

    def scores() -> np.ndarray:
        drawn = np.where(group, rng.gamma(1.0, 1.0, len(members)), 0.0)
        drawn[:hostile] += 15
        return drawn

    return SimpleNamespace(
        groups=groups,
        is_group=group,
        openly_one=np.arange(len(members)) < openly,
        scores=Scores(scores(), scores(), scores(), rng.gamma(2.0, 2.0, len(members))),
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
    assert np.mean(hits) <= level


def test_p_values_of_lone_accounts_are_uniform() -> None:
    rng = np.random.default_rng(20260309)
    found = np.concatenate(
        [judge(seen).p_distillation[~seen.is_group] for seen in (look(rng) for _ in range(10))]
    )
    for level in (0.05, 0.25, 0.5, 0.75):
        assert (found <= level).mean() == pytest.approx(level, abs=0.02)


def test_customers_who_say_who_they_are_do_not_raise_the_bar() -> None:
    seen = look(np.random.default_rng(5), openly=10)
    references = judge(seen).references
    assert len(references["coordination"].scores) <= CLUSTERS - 10


def test_every_q_value_is_a_probability() -> None:
    verdicts = judge(look(np.random.default_rng(6), hostile=3))
    for values in (verdicts.q_distillation, verdicts.q_resale, verdicts.p_distillation, verdicts.p_resale):
        assert np.isfinite(values).all()
        assert ((values > 0) & (values <= 1)).all()
