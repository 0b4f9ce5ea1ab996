"""Sketches of prompts merge like the sets they stand for, and are the same for every engine."""

from pathlib import Path
from typing import Any

import datasketches
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from tests.unit.detect.profiles.conftest import FIRST_DAY, make_facts, profiled

from stillwatch.detect.profiles.definition import MIN_REPEATABLE_TOKENS
from stillwatch.detect.profiles.engine import open_engine
from stillwatch.detect.profiles.sketches import (
    MIN_PROMPTS,
    SKETCHES,
    Overlap,
    estimate,
    merge,
    overlap,
    sketch,
    sketch_day,
)

PROMPTS = st.sets(st.integers(1, 2**62), max_size=300)


def prompts(count: int, seed: int = 1) -> list[int]:
    return [int(one) for one in np.random.default_rng(seed).integers(1, 2**62, count)]


@given(PROMPTS)
def test_small_sets_are_counted_exactly(found: set[int]) -> None:
    assert estimate(sketch(found)) == len(found)


@given(st.lists(PROMPTS, max_size=5))
def test_the_overlap_of_small_sets_is_exact(sets: list[set[int]]) -> None:
    seen = overlap(sketch(one) for one in sets)
    assert seen == Overlap(sum(len(one) for one in sets), len(set().union(*sets)))
    assert 0.0 <= seen.share <= 1.0


@pytest.mark.parametrize("size", [2_000, 20_000])
def test_large_sets_are_estimated_within_four_standard_errors(size: int) -> None:
    assert estimate(sketch(prompts(size))) == pytest.approx(size, rel=4 * 0.044)


@settings(max_examples=20)
@given(st.integers(0, 2**16), st.permutations(range(4)))
def test_the_order_of_prompts_and_of_merging_changes_nothing(seed: int, order: list[int]) -> None:
    parts = [prompts(700, number) for number in range(4)]
    together = estimate(merge(sketch(part) for part in parts))
    shuffled = [sketch(np.random.default_rng(seed).permutation(parts[number]).tolist()) for number in order]
    assert estimate(merge(shuffled)) == together
    assert estimate(merge([merge(shuffled[:2]), merge(shuffled[2:])])) == together


def test_a_prompt_set_dealt_out_without_overlap_is_told_from_one_sampled_with_overlap() -> None:
    whole = prompts(4_000)
    dealt = overlap(sketch(whole[first::20]) for first in range(20))
    rng = np.random.default_rng(1)
    sampled = overlap(sketch(int(one) for one in rng.choice(whole, 200, replace=False)) for _ in range(20))
    assert dealt.share == pytest.approx(0.0, abs=0.02)
    assert sampled.share == pytest.approx(
        0.36, abs=0.04
    )  # of 4,000 drawn, 4,000 (1 - 0.95^20) = 2,566 are different


def test_sets_of_nothing_do_not_overlap() -> None:
    assert overlap([]).share == 0.0
    assert overlap([sketch([])]).share == 0.0


def test_other_languages_can_read_a_sketch() -> None:
    assert datasketches.compact_theta_sketch.deserialize(sketch(range(100))).get_estimate() == 100.0


def test_busy_account_days_are_sketched_alike_on_every_engine(tmp_path: Path) -> None:
    facts = tmp_path / "facts.parquet"
    pq.write_table(pa.table(make_facts(2_000)), facts)
    found = []
    for number, url in enumerate(["duckdb://", "polars://"]):
        out = tmp_path / str(number)
        out.mkdir()
        open_engine(url).profile([([facts], out)])
        found.append(sketch_day(out / "prompts.parquet", out / "accounts.parquet"))
    assert found[0].equals(found[1])
    wanted: dict[tuple[str, int], set[int]] = {}
    name_of = {row["account"]: row["account_id"] for row in _table(tmp_path / "0" / "accounts.parquet")}
    for row in _table(tmp_path / "0" / "prompts.parquet"):
        if row["repeatable"]:
            wanted.setdefault((name_of[row["account"]], row["day"]), set()).add(row["content"])
    wanted = {place: contents for place, contents in wanted.items() if len(contents) >= MIN_PROMPTS}
    assert {(row["account_id"], row["day"]): estimate(row["prompts"]) for row in found[0].to_pylist()} == {
        place: len(contents) for place, contents in wanted.items()
    }
    assert MIN_REPEATABLE_TOKENS > 1


def _table(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def test_a_day_without_busy_accounts_has_no_sketches(tmp_path: Path) -> None:
    state = profiled(tmp_path, [make_facts(5, days=1)])
    [path] = state.sketches()
    assert pq.read_table(path).equals(SKETCHES.empty_table())


def test_sketches_follow_when_facts_are_added(tmp_path: Path) -> None:
    facts = make_facts(600, days=1)
    state = profiled(tmp_path / "late", [facts.slice(0, 100)])
    state.sketches([FIRST_DAY])
    state = profiled(tmp_path / "late", [facts.slice(100)])
    [late], [whole] = state.sketches(), profiled(tmp_path / "whole", [facts]).sketches()
    assert pq.read_table(late).equals(pq.read_table(whole))
