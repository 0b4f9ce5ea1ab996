"""Campaigns behave as the published ones did."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.unit.lab.simulation.conftest import LogSet, read

from stillwatch.lab.simulation import load_scenario, parse_scenario, simulate
from stillwatch.lab.simulation.recruiting import Operation
from stillwatch.lab.simulation.running import build_world, days
from stillwatch.lab.simulation.scaling import scaled

DAY_US = 86_400_000_000


def campaign_set(tmp_path: Path, campaign: str, *, length: int = 14) -> LogSet:
    text = f"name: one\ndays: {length}\nrelease_day: 5\ncustomers: {{}}\ncampaigns: [{campaign}]"
    scenario = parse_scenario(text, source="one")
    return read(tmp_path, simulate(scenario, tmp_path, seed=5))


def calls_per_account_day(logs: LogSet) -> float:
    time = logs.requests["time"].cast(pa.int64()).to_numpy() // DAY_US
    accounts = logs.requests["account_id"].dictionary_encode().combine_chunks().indices.to_numpy()
    pairs = set(zip(accounts.tolist(), time.tolist(), strict=True))
    return len(time) / len(pairs)


def test_the_largest_campaign_calls_25_times_per_account_and_day() -> None:
    # Qwen-like as published: 28.8 million exchanges over 25,000 accounts in 45 days.
    scenario = scaled(load_scenario("published"), 0.004)
    campaign = next(entry for entry in scenario.campaigns if entry.name == "qwen-like")
    alone = scenario.model_copy(update={"customers": {}, "campaigns": (campaign,)})
    world = build_world(alone, "lab", 1)
    calls = sum(map(len, days(world, alone)))
    assert calls / campaign.accounts / alone.days == pytest.approx(25.6, rel=0.06)


def test_a_banned_account_is_replaced_and_the_rate_of_those_in_use_stays(tmp_path: Path) -> None:
    logs = campaign_set(tmp_path, "{name: q, like: qwen-like, accounts: 90, active: 40}")
    assert logs.accounts.num_rows > 80
    seats = 40 * 25.6 * 12
    assert logs.requests.num_rows == pytest.approx(seats, rel=0.12)


def test_the_query_budget_is_the_end(tmp_path: Path) -> None:
    logs = campaign_set(tmp_path, "{name: b, like: bulk, rate: 500, query_budget: 1200}")
    assert logs.requests.num_rows == 1200


def test_a_prompt_set_is_gone_through_once_before_anything_comes_again(tmp_path: Path) -> None:
    logs = campaign_set(
        tmp_path, "{name: d, like: deepseek-like, rate: 10, recipe: {synthesis: 1}, languages: {en: 1}}"
    )
    prompts = Counter(logs.requests["prompt"].to_pylist())
    assert max(prompts.values()) <= 2
    assert sum(count > 1 for count in prompts.values()) < 0.01 * len(prompts)


def test_samples_and_a_small_data_budget_repeat_prompts(tmp_path: Path) -> None:
    logs = campaign_set(
        tmp_path, "{name: s, like: bulk, rate: 300, start_day: 0, samples: 4, data_budget: 100}", length=6
    )
    assert len(set(logs.requests["prompt"].to_pylist())) <= 100 * 1


def test_half_of_a_pivoting_campaign_moves_to_the_new_model_within_a_day(tmp_path: Path) -> None:
    logs = campaign_set(tmp_path, "{name: m, like: minimax-like, accounts: 40, active: 30}")
    release = datetime(2026, 3, 7, 17, tzinfo=UTC)
    new = pc.match_substring(logs.requests["model"], "-3")
    times = logs.requests["time"]
    before = logs.requests.filter(pc.less(times, pa.scalar(release, times.type)))
    after = pc.greater(times, pa.scalar(release + timedelta(hours=24), times.type))
    assert not pc.any(pc.match_substring(before["model"], "-3")).as_py()
    assert 0.45 < pc.mean(pc.cast(new.filter(after), pa.float64())).as_py() < 0.65


def test_resold_accounts_carry_between_5_and_50_percent_of_extraction(tmp_path: Path) -> None:
    logs = campaign_set(tmp_path, "{name: r, like: relay-mixed, accounts: 40, active: 30, users: 200}")
    shares = logs.truth["attack_fraction"].to_numpy()
    assert 0.2 < float(shares.mean()) < 0.35
    assert float(np.quantile(shares, 0.9) - np.quantile(shares, 0.1)) > 0.2
    assert set(logs.truth["label"].to_pylist()) == {"resale"}


def test_a_resold_conversation_goes_on_with_another_account(tmp_path: Path) -> None:
    logs = campaign_set(
        tmp_path,
        "{name: r, like: resale, accounts: 40, active: 30, users: 200, interface: {surfaces: {app: 1}}}",
    )
    pairs = logs.requests.group_by("conversation_id").aggregate(
        [("account_id", "count_distinct"), ("time", "count")]
    )
    long = pairs.filter(pc.greater(pairs["time_count"], 2))
    moved = pc.greater(long["account_id_count_distinct"], 1)
    assert 0.02 < pc.mean(pc.cast(moved, pa.float64())).as_py() < 0.6


def test_the_adaptive_adversary_asks_five_times_a_day_from_its_own_home(tmp_path: Path) -> None:
    logs = campaign_set(tmp_path, "{name: a, like: adaptive, accounts: 60, active: 60, start_day: 0}")
    assert logs.requests.num_rows / 60 / 14 == pytest.approx(5.0, rel=0.15)
    assert pc.count_distinct(logs.accounts["payment_fingerprint"]).as_py() == logs.accounts.num_rows
    assert float(pc.mean(logs.truth["attack_fraction"]).as_py()) == pytest.approx(0.7, abs=0.08)


def test_round_robin_loads_accounts_equally_and_weights_do_not(tmp_path: Path) -> None:
    spread = []
    for number, dispatch in enumerate(("round_robin", "weighted")):
        logs = campaign_set(
            tmp_path / str(number),
            f"{{name: x, like: deepseek-like, accounts: 20, active: 20, dispatch: {dispatch}, timing: steady}}",
        )
        counts = np.array(logs.requests.group_by("account_id").aggregate([("time", "count")])["time_count"])
        spread.append(counts.std() / counts.mean())
    assert spread[0] < 0.1 < spread[1]


def test_seats_never_have_two_holders_at_a_time() -> None:
    scenario = scaled(load_scenario("published"), 0.002)
    world = build_world(scenario, "lab", 2)
    for operation in world.operations:
        assert_no_overlap(operation)


def assert_no_overlap(operation: Operation) -> None:
    starts = operation.seat_start
    for begin, end in itertools.pairwise(starts):
        taken, given = operation.taken_over[begin:end], operation.given_up[begin:end]
        assert (taken[1:] >= given[:-1]).all()
