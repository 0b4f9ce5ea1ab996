"""What repeats among millions of hashes is found without holding them: compared with plain Python."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st
from tests.unit.detect.profiles.conftest import make_facts, profiled

from stillwatch.detect.profiles.numbering import Numbering
from stillwatch.detect.profiles.occurrences import Holders, Occurrences
from stillwatch.detect.profiles.prompt_rows import (
    prompts_by_account,
    repeats_by_account,
    shared_template_rows,
)

HASHES = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 20), max_size=200)


def array(values: Sequence[int]) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return np.array(values, np.int64)


@given(HASHES, st.integers(0, 3))
def test_what_occurs_twice_is_never_missed(values: list[int], parts: int) -> None:
    again = Occurrences(len(values))
    for part in np.array_split(array(values), parts + 1):
        again.count(part)
    counts = Counter(values)
    found = again.repeated(array(list(counts)))
    assert all(repeated for repeated, count in zip(found, counts.values(), strict=True) if count > 1)


def test_hardly_anything_that_occurs_once_is_taken_for_repeated() -> None:
    hashes = np.random.default_rng(3).integers(1, 2**62, 100_000)
    again = Occurrences(len(hashes))
    again.count(hashes)
    assert again.repeated(hashes).mean() < 0.15


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([2**40 + 4, 2**41 + 9, -7])), max_size=100))
def test_a_hash_of_several_holders_is_never_missed(pairs: list[tuple[int, int]]) -> None:
    holders = Holders(len(pairs))
    holders.note(array([value for value, _ in pairs]), array([holder for _, holder in pairs]))
    for value in {value for value, _ in pairs}:
        if len({holder for other, holder in pairs if other == value}) > 1:
            assert holders.several(array([value]))[0]


@given(st.sets(st.integers(-(2**63), 2**63 - 1), max_size=50), HASHES)
def test_accounts_are_numbered_in_the_order_given(known: set[int], others: list[int]) -> None:
    order = sorted(known)
    numbering = Numbering(array(order))
    assert numbering.of(array(order)).tolist() == list(range(len(order)))
    unknown = [one for one in others if one not in known]
    assert (numbering.of(array(unknown)) == -1).all()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("state")
    return profiled(
        folder / "state", [make_facts(2_000), make_facts(500, seed=2, first_request=9_000)]
    ).tables("prompts")


def rows_of(files: list[str]) -> list[dict[str, Any]]:
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def numbering_of(files: list[str]) -> tuple[list[int], Numbering]:
    known = sorted({row["account"] for row in rows_of(files)})
    return known, Numbering(array(known))


def test_different_prompts_are_counted_once_a_day(files: list[str]) -> None:
    known, numbering = numbering_of(files)
    wanted = Counter(
        account for account, _, _ in {(row["account"], row["day"], row["content"]) for row in rows_of(files)}
    )
    assert prompts_by_account(files, numbering).tolist() == [wanted[one] for one in known]


def test_repeats_are_counted_within_and_across_accounts(files: list[str]) -> None:
    known, numbering = numbering_of(files)
    rows = [row for row in rows_of(files) if row["repeatable"]]
    pairs = {(row["account"], row["content"]) for row in rows}
    accounts = Counter(content for _, content in pairs)
    found = repeats_by_account(files, numbering)
    for place, account in enumerate(known):
        own = [content for holder, content in pairs if holder == account]
        assert found["prompts"][place] == sum(row["requests"] for row in rows if row["account"] == account)
        assert found["different_prompts"][place] == len(own)
        assert found["shared_prompts"][place] == sum(accounts[content] > 1 for content in own)


def test_every_use_of_a_key_that_accounts_share_is_kept(files: list[str]) -> None:
    uses = [
        (row["account"], row["day"], key, row["content"], row["requests"], row["elicited"])
        for row in rows_of(files)
        for key in row["keys"]
    ]
    holders: dict[int, set[int]] = {}
    for account, _, key, *_ in uses:
        holders.setdefault(key, set()).add(account)
    wanted = Counter(use for use in uses if len(holders[use[2]]) > 1)
    found = Counter(tuple(row.values()) for row in shared_template_rows(files).to_pylist())
    assert wanted
    assert wanted - found == Counter()
    assert found - Counter(uses) == Counter()


def test_no_prompts_are_no_rows() -> None:
    numbering = Numbering(array([5]))
    assert prompts_by_account([], numbering).tolist() == [0]
    assert repeats_by_account([], numbering)["shared_prompts"].tolist() == [0.0]
    assert shared_template_rows([]).num_rows == 0
