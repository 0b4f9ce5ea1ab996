"""Columns are hashed value by value, alike wherever the value stands."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.fingerprints.columns import hash_by_value, hash_column, hash_rows, joined, network_of

VALUES = st.lists(st.none() | st.text(max_size=20), max_size=20)


@given(VALUES)
def test_hashing_the_distinct_values_equals_hashing_every_row(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    assert hash_by_value(column).tolist() == hash_column(column).tolist()


@given(VALUES)
def test_a_function_of_the_value_is_hashed_instead(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    first = [None if value is None else value[:1] for value in values]
    wanted = hash_column(pa.array(first, pa.string()))
    assert hash_by_value(column, lambda value: value[:1]).tolist() == wanted.tolist()


def test_a_value_that_names_nothing_has_no_hash() -> None:
    assert hash_by_value(pa.array(["", "proxy"]), network_of).tolist()[0] == 0


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


def test_parts_are_kept_apart_and_nothing_stays_nothing() -> None:
    left, right = pa.array(["a", "", None, "ab"]), pa.array(["b", "ab", None, None])
    parts = joined([left, right])
    assert parts.null_count == 1
    assert len(set(parts.to_pylist())) == 4


def test_numbers_are_joined_as_they_are_written() -> None:
    parts = joined([pa.array([1, None], pa.int32()), pa.array([0.5, None], pa.float32())])
    assert parts.to_pylist() == ["1\x1f0.5", None]


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
