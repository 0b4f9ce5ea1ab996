"""Ordinary traffic looks ordinary, and nothing but behavior tells who is hostile."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.stats import rankdata
from tests.unit.lab.simulation.conftest import LogSet


def auc(values: npt.NDArray[np.float64], hostile: npt.NDArray[np.bool_]) -> float:
    ranks = rankdata(values)
    positive, negative = hostile.sum(), (~hostile).sum()
    return float((ranks[hostile].sum() - positive * (positive + 1) / 2) / (positive * negative))


@pytest.fixture(scope="module")
def hostile(smoke: LogSet) -> npt.NDArray[np.bool_]:
    assert smoke.truth["account_id"].equals(smoke.accounts["account_id"])
    return np.array([label != "benign" for label in smoke.truth["label"].to_pylist()])


def test_ids_and_order_do_not_tell_who_is_hostile(smoke: LogSet, hostile: npt.NDArray[np.bool_]) -> None:
    ids = np.array(
        [int(name.removeprefix("acct_"), 16) for name in smoke.accounts["account_id"].to_pylist()], float
    )
    order = np.arange(len(ids), dtype=float)
    for values in (ids, order, ids % 1009, ids % 2):
        assert abs(auc(values, hostile) - 0.5) < 0.12


def test_request_ids_and_latency_do_not_tell_extraction(smoke: LogSet) -> None:
    extraction = pc.is_in(smoke.requests["request_id"], value_set=smoke.extraction["request_id"]).to_numpy()
    same = pc.equal(smoke.requests["model"], "lab-large-2").to_numpy() & (
        smoke.requests["status"].to_numpy() == 200
    )
    tokens = smoke.requests["output_tokens"].to_numpy() + smoke.requests["reasoning_tokens"].to_numpy()
    single = smoke.requests["choice_count"].to_numpy() == 1
    expected = 180 + 0.02 * smoke.requests["input_tokens"].to_numpy() + 15.0 * tokens
    residue = smoke.requests["latency_ms"].to_numpy() / expected
    ids = np.array([int(name[:12], 16) for name in smoke.requests["request_id"].to_pylist()], float)
    rows = same & single
    assert abs(auc(residue[rows], extraction[rows]) - 0.5) < 0.04
    assert abs(auc(ids, extraction) - 0.5) < 0.03


def test_cards_of_their_own_do_not_tell_who_is_hostile(smoke: LogSet, hostile: npt.NDArray[np.bool_]) -> None:
    cards = smoke.accounts["payment_fingerprint"].to_pylist()
    own = np.array([cards.count(card) == 1 for card in cards])
    digits = np.array([int(card[:12], 16) for card in cards], float)
    assert abs(auc(digits[own], hostile[own]) - 0.5) < 0.13


def test_customers_are_heavy_tailed(smoke: LogSet) -> None:
    counts = np.sort(
        np.array(smoke.requests.group_by("account_id").aggregate([("time", "count")])["time_count"])
    )
    assert counts[-len(counts) // 10 :].sum() > 0.4 * counts.sum()
    assert np.median(counts) < counts.mean() / 2


def test_people_sleep_and_their_weekends_are_quieter(smoke: LogSet) -> None:
    people = smoke.truth.filter(pc.is_in(smoke.truth["archetype"], pa.array(["company_seats"])))["account_id"]
    rows = smoke.requests.filter(pc.is_in(smoke.requests["account_id"], people))
    weekend = pc.greater_equal(pc.day_of_week(rows["time"]), 5)
    assert pc.mean(pc.cast(weekend, pa.float64())).as_py() < 0.12


def test_few_people_repeat_each_other_and_some_do(smoke: LogSet) -> None:
    people = smoke.truth.filter(pc.equal(smoke.truth["archetype"], "individual"))["account_id"]
    rows = smoke.requests.filter(pc.is_in(smoke.requests["account_id"], people))
    accounts: dict[str, set[str]] = {}
    for prompt, account in zip(rows["prompt"].to_pylist(), rows["account_id"].to_pylist(), strict=True):
        accounts.setdefault(prompt, set()).add(account)
    repeated = sum(len(users) > 1 for users in accounts.values()) / len(accounts)
    assert 0.005 < repeated < 0.1


def test_what_is_missing_in_life_is_missing_here(smoke: LogSet) -> None:
    requests = smoke.requests
    cloud = pc.is_in(requests["surface"], pa.array(["bedrock", "vertex"]))
    assert requests.filter(cloud)["tls_ja4"].null_count == pc.sum(cloud).as_py()
    app = pc.equal(requests["surface"], "app")
    assert requests.filter(app)["system_instructions"].null_count == pc.sum(app).as_py()
    assert 0 < smoke.accounts["phone_country"].null_count < 0.1 * smoke.accounts.num_rows
    failed = pc.not_equal(requests["status"], 200)
    assert 0.002 < pc.mean(pc.cast(failed, pa.float64())).as_py() < 0.05
    assert pc.sum(requests.filter(failed)["output_tokens"]).as_py() == 0
    assert requests.filter(failed)["finish_reason"].null_count == pc.sum(failed).as_py()


def test_token_counts_obey_the_limit(smoke: LogSet) -> None:
    rows = smoke.requests.filter(pc.is_valid(smoke.requests["max_tokens"]))
    total = pc.add(
        pc.divide(rows["output_tokens"], pc.cast(rows["choice_count"], pa.int32())), rows["reasoning_tokens"]
    )
    assert pc.all(pc.less_equal(total, rows["max_tokens"])).as_py()
    assert pc.all(pc.greater(smoke.requests["input_tokens"], 0)).as_py()


def test_a_class_shares_a_card_and_its_exercises(smoke: LogSet) -> None:
    names = smoke.truth.filter(pc.equal(smoke.truth["archetype"], "course_cohort"))["account_id"]
    accounts = smoke.accounts.filter(pc.is_in(smoke.accounts["account_id"], names))
    assert pc.count_distinct(accounts["payment_fingerprint"]).as_py() == 1
    rows = smoke.requests.filter(pc.is_in(smoke.requests["account_id"], names))
    prompts = rows.group_by("prompt").aggregate([("account_id", "count_distinct")])[
        "account_id_count_distinct"
    ]
    assert pc.max(prompts).as_py() >= 5


def test_famous_prompts_and_an_apps_usual_questions_come_again(smoke: LogSet) -> None:
    for archetype, most_unique in (("popular_prompt", 0.9), ("small_app", 0.85), ("evaluation", 0.9)):
        names = smoke.truth.filter(pc.equal(smoke.truth["archetype"], archetype))["account_id"]
        prompts = smoke.requests.filter(pc.is_in(smoke.requests["account_id"], names))["prompt"].to_pylist()
        assert len(set(prompts)) < most_unique * len(prompts), archetype
