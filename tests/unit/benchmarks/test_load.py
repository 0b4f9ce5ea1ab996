"""The measured load has the size and the shape that it says."""

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from benchmarks.load import Load, make_load

from stillwatch.domain.requests import ACCOUNTS, REQUESTS


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    return make_load(20_000, tmp_path_factory.mktemp("load"))


def test_it_holds_canonical_tables(load: Load) -> None:
    requests = pq.read_table(load.requests)
    assert requests.schema.equals(REQUESTS)
    assert requests.num_rows == 20_000
    assert pq.read_schema(load.accounts).equals(ACCOUNTS)


def test_prompts_have_about_300_characters_and_hardly_repeat(load: Load) -> None:
    prompts = pq.read_table(load.requests, columns=["prompt"])["prompt"]
    assert 270 < pc.mean(pc.utf8_length(prompts)).as_py() < 370
    assert pc.count_distinct(prompts).as_py() > 19_000


def test_accounts_are_heavy_tailed_and_all_on_file(load: Load) -> None:
    ids = pq.read_table(load.requests, columns=["account_id"])["account_id"]
    counts = np.sort(pc.value_counts(ids).field("counts").to_numpy())
    assert counts[-len(counts) // 100 :].sum() > 0.08 * 20_000
    on_file = pq.read_table(load.accounts, columns=["account_id"])["account_id"]
    assert pc.all(pc.is_in(ids, on_file)).as_py()


def test_rows_are_sorted_by_time_and_ids_are_unique(load: Load) -> None:
    table = pq.read_table(load.requests, columns=["time", "request_id"])
    times = table["time"].cast("int64").to_numpy()
    assert np.all(np.diff(times) >= 0)
    assert pc.count_distinct(table["request_id"]).as_py() == 20_000


def test_a_second_call_takes_what_the_first_one_made(load: Load) -> None:
    before = load.accounts.stat().st_mtime_ns
    again = make_load(20_000, load.requests.parent.parent)
    assert again == load
    assert again.accounts.stat().st_mtime_ns == before


def test_a_conversation_belongs_to_one_account_but_for_a_few(load: Load) -> None:
    table = pq.read_table(load.requests, columns=["account_id", "conversation_id"]).drop_null()
    holders = table.group_by("conversation_id").aggregate([("account_id", "count_distinct")])
    several = np.mean(holders["account_id_count_distinct"].to_numpy() > 1)
    assert several < 0.01
    assert 2 < table.num_rows / holders.num_rows < 4


def test_words_are_english_in_the_main_and_of_other_scripts_here_and_there(load: Load) -> None:
    prompts = pq.read_table(load.requests, columns=["prompt"])["prompt"]
    assert pc.mean(pc.match_substring_regex(prompts, r"\bthe\b").cast("int8")).as_py() > 0.8
    foreign = pc.mean(pc.invert(pc.string_is_ascii(prompts)).cast("int8")).as_py()
    assert 0.02 < foreign < 0.3
