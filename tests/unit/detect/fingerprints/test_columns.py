"""Columns are hashed value by value, alike wherever the value stands."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.fingerprints.columns import Coded, hash_by_value, hash_column, hash_rows, network_of

VALUES = st.lists(st.none() | st.text(max_size=20), max_size=20)


@given(VALUES)
def test_hashing_the_distinct_values_equals_hashing_every_row(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    assert hash_by_value(column).tolist() == hash_column(column).tolist()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("proxy-7", "proxy-7"),
        ("", None),
        ("192.0.2.300", "192.0.2.300"),
    ],
)
def test_a_network_is_what_one_party_usually_holds(address: str, network: str | None) -> None:
    assert network_of(address) == network


@given(st.lists(st.tuples(*[st.none() | st.sampled_from(["", "a", "ab", "b"])] * 2), max_size=20))
def test_pairs_are_coded_as_their_parts_joined(rows: list[tuple[str | None, str | None]]) -> None:
    left, right = (Coded.of(pa.array([row[side] for row in rows], pa.string())) for side in (0, 1))
    pairs = Coded.of_pairs(left, right, "|")
    found = pairs.values.take(pa.array(pairs.codes)).to_pylist()
    assert found == [
        None if one is None and other is None else f"{one or ''}|{other or ''}" for one, other in rows
    ]


@given(VALUES)
def test_values_are_counted_and_spread_over_their_rows(values: list[str | None]) -> None:
    coded = Coded.of(pa.array(values, pa.string()))
    distinct = coded.values.to_pylist()
    assert coded.counts().tolist() == [values.count(one) for one in distinct]
    lengths = np.array([len(one) for one in distinct], np.int64)
    assert coded.spread(lengths, -1).tolist() == [-1 if one is None else len(one) for one in values]


def test_a_column_without_rows_has_no_hashes() -> None:
    assert np.array_equal(hash_column(pa.array([], pa.string())), np.empty(0, np.int64))


def test_rows_are_alike_if_all_their_columns_are() -> None:
    numbers = pa.array([0.5, 0.5, 0.0, None, None, 0.5], pa.float32())
    flags = pa.array([True, True, False, None, False, None])
    texts = pa.array(["low", "low", "low", None, None, "low"])
    hashes = hash_rows([numbers, flags, texts]).tolist()
    assert hashes[0] == hashes[1]
    assert hashes[3] == 0
    assert len(set(hashes)) == 5
    assert min(hashes) == 0
    assert hash_rows([flags, numbers, texts]).tolist()[0] != hashes[0]
    assert hash_rows([numbers[1:], flags[1:], texts[1:]]).tolist() == hashes[1:]
