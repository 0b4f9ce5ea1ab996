"""A scan is compared with its baseline only by what both could have shown."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from stillwatch.detect.baseline.period import BaselinePeriod, compare_with
from stillwatch.detect.findings.detection import Look, judge, look
from stillwatch.detect.findings.permissions import Permissions
from stillwatch.detect.findings.scoring import COORDINATED_NATS
from stillwatch.detect.logs import AccountTable
from stillwatch.detect.profiles.state import State
from stillwatch.detect.timing import Stopwatch
from stillwatch.errors import InputError

Period = tuple[State, AccountTable]
Opener = Callable[..., Period]

pytestmark = pytest.mark.slow


def look_at(period: Period) -> Look:
    state, accounts = period
    permitted = Permissions(accounts.table, ()).touched_accounts
    return look(state, state.days(), accounts.table, permitted, watch=Stopwatch())


def compared(scanned: Period, baseline: Period, *, own: AccountTable | None = None) -> BaselinePeriod:
    return compare_with(
        baseline[0], scanned[0], accounts=scanned[1], baseline_accounts=own, records=(), read=None, threads=1
    )


@pytest.fixture(scope="module")
def strangers(open_period: Opener) -> Period:
    """Open the same lab under account ids that its accounts table does not know."""
    return open_period(prefix="other-")


def test_a_table_that_serves_both_is_used_for_both(period: Period) -> None:
    baseline = compared(period, period)
    assert baseline.sentences == ()
    seen = look_at(period)
    assert baseline.comparable(seen) is seen
    ordinary = baseline.look(len(period[0].days()), watch=Stopwatch(), threads=1)
    assert "payment_fingerprint" in ordinary.population.registry
    assert np.array_equal(ordinary.scores.coordination, seen.scores.coordination)


def test_without_accounts_of_the_baseline_the_same_traffic_scores_no_higher_than_there(
    period: Period, strangers: Period
) -> None:
    baseline = compared(period, strangers)
    [sentence] = baseline.sentences
    assert "--baseline-accounts" in sentence
    seen = look_at(period)
    fair = baseline.comparable(seen)
    several = seen.is_group
    assert (fair.scores.coordination <= seen.scores.coordination + 1e-9).all()
    assert (fair.scores.coordination[several] < seen.scores.coordination[several] - 0.1).any()
    ordinary = baseline.look(len(period[0].days()), watch=Stopwatch(), threads=1)
    assert ordinary.population.registry == {}
    assert np.sort(fair.scores.coordination)[-1] <= np.sort(ordinary.scores.coordination)[-1] + 1e-9


def test_clusters_keep_what_is_known_of_them(period: Period, strangers: Period) -> None:
    seen = look_at(period)
    fair = compared(period, strangers).comparable(seen)
    assert fair.groups is seen.groups
    assert fair.ties is seen.ties
    assert "payment_fingerprint" in fair.population.registry


def test_what_is_tested_is_chosen_by_all_that_is_known_and_weighed_by_what_both_know(
    period: Period, strangers: Period
) -> None:
    baseline = compared(period, strangers)
    ordinary = baseline.look(len(period[0].days()), watch=Stopwatch(), threads=1)
    seen = look_at(period)
    index = int(np.flatnonzero(seen.is_group)[0])

    def scored(coordination: float) -> Look:
        """Score one cluster as eager for training material, and so far coordinated."""
        values = seen.scores.coordination.copy(), seen.scores.elicitation.copy()
        values[0][index], values[1][index] = coordination, 60.0
        return replace(seen, scores=replace(seen.scores, coordination=values[0], elicitation=values[1]))

    known, fair = scored(COORDINATED_NATS + 1), scored(COORDINATED_NATS - 0.1)
    alike = replace(ordinary, groups=replace(ordinary.groups, measures=seen.groups.measures))
    p_value = judge(known, alike, compared=fair).p_distillation[index]
    assert judge(known, alike).p_distillation[index] <= p_value < 1
    assert judge(fair, alike).p_distillation[index] == 1


def test_logs_of_the_baseline_without_addresses_leave_addresses_out(
    period: Period, open_period: Opener
) -> None:
    nowhere = open_period("client_address", "client_asn")
    baseline = compared(period, nowhere)
    assert any("no client addresses" in sentence for sentence in baseline.sentences)
    seen = look_at(period)
    fair = baseline.comparable(seen)
    assert (fair.scores.coordination <= seen.scores.coordination + 1e-9).all()
    assert (fair.scores.coordination < seen.scores.coordination - 0.1).any()


def test_addresses_that_only_the_baseline_has_are_left_out_of_it(period: Period, open_period: Opener) -> None:
    nowhere = open_period("client_address", "client_asn")
    baseline = compared(nowhere, period)
    assert baseline.sentences == ()
    ordinary = baseline.look(len(period[0].days()), watch=Stopwatch(), threads=1)
    assert not {"address", "network", "asn"} & set(ordinary.population.values["kind"].tolist())
    assert "client" in set(ordinary.population.values["kind"].tolist())


def test_a_baseline_without_prompts_is_refused(period: Period, open_period: Opener) -> None:
    silent = open_period("prompt", "system_instructions")
    with pytest.raises(InputError, match="no prompts"):
        compared(period, silent)


def test_a_window_is_compared_with_as_many_days(period: Period) -> None:
    baseline = compared(period, period)
    few = baseline.look(2, watch=Stopwatch(), threads=1)
    assert few.population.days == tuple(period[0].days()[:2])
    assert baseline.look(2, watch=Stopwatch(), threads=1) is few


def test_a_baseline_shorter_than_the_scan_is_said(period: Period, open_period: Opener) -> None:
    state = period[0]

    class Short(State):
        def days(self) -> list[int]:
            return super().days()[:2]

    short = Short(state.root, rules_digest=_digest(state))
    baseline = compared(period, (short, period[1]))
    assert any("holds 2 days" in sentence for sentence in baseline.sentences)


def _digest(state: State) -> str:
    return str(json.loads((state.root / "manifest.json").read_text())["rules"])
