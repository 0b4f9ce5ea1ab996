"""Pooling accounts, and shares that few requests do not inflate."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.signals.elicitation_mass import HARVESTING_BIT, SIGNAL as ELICITATION
from stillwatch.detect.signals.equal_load import SIGNAL as EQUAL_LOAD
from stillwatch.detect.signals.groups import Groups, wilson_low
from stillwatch.detect.signals.measures import AccountMeasures
from stillwatch.detect.signals.no_repeat_sampling import SIGNAL as NO_REPEAT
from stillwatch.detect.signals.output_hunger import SIGNAL as OUTPUT_HUNGER
from stillwatch.detect.signals.round_the_clock import SIGNAL as ROUND_THE_CLOCK

COUNTS = st.integers(0, 100_000)


def pooled(**columns: Sequence[float] | Sequence[Sequence[float]]) -> Groups:
    """Pool all accounts into one group."""
    arrays = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    measures = AccountMeasures(arrays, np.full(12, 3.0))
    return Groups([np.arange(len(measures))], measures)


def test_a_group_is_the_sum_of_its_accounts() -> None:
    measures = AccountMeasures({"requests": np.array([1.0, 10, 100])}, np.zeros(12))
    groups = Groups([np.array([0, 2]), np.array([1])], measures)
    assert groups.pooled("requests").tolist() == [101, 10]
    assert groups.size.tolist() == [2, 1]
    assert len(groups) == 2


def test_the_share_of_nothing_is_nothing() -> None:
    assert pooled(elicited=[0], requests=[0]).share("elicited").tolist() == [0]


def test_shares_are_of_the_whole_group_not_the_mean_of_accounts() -> None:
    assert pooled(elicited=[1, 0], requests=[1, 9]).share("elicited").tolist() == pytest.approx([0.1])


@pytest.mark.parametrize(
    ("successes", "trials", "expected"), [(0, 10, 0.0), (10, 10, 0.859), (50, 100, 0.4366)]
)
def test_the_interval_for_a_share_is_wilsons(successes: int, trials: int, expected: float) -> None:
    low = wilson_low(np.array([float(successes)]), np.array([float(trials)]))
    assert low.tolist() == pytest.approx([expected], abs=1e-3)


@given(successes=COUNTS, more=COUNTS)
def test_the_lower_bound_lies_below_the_share(successes: int, more: int) -> None:
    trials = successes + more
    low = wilson_low(np.array([float(successes)]), np.array([float(trials)]))[0]
    assert 0 <= low <= successes / max(trials, 1) + 1e-9


@given(share=st.floats(0.05, 1), trials=st.integers(1, 1_000))
def test_the_same_share_of_more_requests_is_worth_more(share: float, trials: int) -> None:
    few, many = (
        wilson_low(np.array([share * count]), np.array([float(count)]))[0] for count in (trials, 10 * trials)
    )
    assert many >= few - 1e-12


def test_one_request_of_a_kind_does_not_look_like_a_trade() -> None:
    kinds = [[1.0] + [0.0] * 11], [[100.0] + [0.0] * 11]
    one, hundred = (
        ELICITATION.measure(pooled(kinds=kind, elicited=[kind[0][0]], requests=[kind[0][0]]))[0]
        for kind in kinds
    )
    assert one < 0.5 * hundred
    assert hundred == pytest.approx(3.0, rel=0.03)


def test_a_kind_as_common_as_elsewhere_is_worth_nothing() -> None:
    usual = np.exp(-3.0)  # the share that three nats stand for
    shares = (usual, 2 * usual, 4 * usual)
    found = [
        ELICITATION.measure(
            pooled(kinds=[[10_000 * share] + [0.0] * 11], elicited=[10_000 * share], requests=[10_000])
        )[0]
        for share in shares
    ]
    assert found[0] == 0.0
    assert found[1] == pytest.approx(2 * usual * np.log(2), rel=0.1)
    assert found[2] > 2 * found[1]


def test_harvesting_parameters_are_no_words() -> None:
    kinds = [[0.0] * 12]
    kinds[0][HARVESTING_BIT] = 100.0
    assert ELICITATION.measure(pooled(kinds=kinds, elicited=[100], requests=[100])).tolist() == [0.0]


def test_accounts_that_differ_by_a_factor_e_have_a_load_spread_of_about_one() -> None:
    loads = [1.0, 2.0, 3.0]
    groups = pooled(log_load=loads, log_load_squared=[load**2 for load in loads], accounts=[1, 1, 1])
    assert EQUAL_LOAD.measure(groups).tolist() == pytest.approx([-1.0])


def test_the_share_of_repeated_prompts_is_counted() -> None:
    assert NO_REPEAT.measure(pooled(prompts=[99], different_prompts=[89])).tolist() == pytest.approx([-0.105])


def test_an_even_day_has_the_entropy_of_twenty_four_hours() -> None:
    assert ROUND_THE_CLOCK.measure(pooled(clock=[[5.0] * 24])).tolist() == pytest.approx([np.log(24)])
    assert ROUND_THE_CLOCK.measure(pooled(clock=[[24.0] + [0.0] * 23])).tolist() == pytest.approx([0.0])


def test_the_length_of_answers_is_the_mean_over_requests() -> None:
    groups = pooled(output_tokens=[900, 0], requests=[5, 4], saturated=[0, 0])
    assert OUTPUT_HUNGER.measure(groups).tolist() == pytest.approx([np.log(101)])
