"""Column types come back as they went in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st
from sqlalchemy.dialects import sqlite

from stillwatch.respond.store.columns import (
    OutsideText,
    UtcMicroseconds,
    canonical_json,
    from_microseconds,
    to_microseconds,
)

DIALECT = sqlite.dialect()
any_text = st.text(st.characters(codec=None)) | st.text(st.sampled_from("\\u0000x\x00\ud800"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
    max_leaves=10,
)


@given(any_text)
def test_any_text_comes_back_and_what_is_stored_fits_every_database(written: str) -> None:
    column = OutsideText()
    stored = column.process_bind_param(written, DIALECT)
    assert stored is not None
    assert "\x00" not in stored
    stored.encode()
    assert column.process_result_value(stored, DIALECT) == written


@given(any_text, any_text)
def test_different_texts_are_stored_differently(one: str, other: str) -> None:
    column = OutsideText()
    same = column.process_bind_param(one, DIALECT) == column.process_bind_param(other, DIALECT)
    assert same == (one == other)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))])))
def test_an_instant_comes_back_to_the_microsecond_in_utc(when: datetime) -> None:
    back = from_microseconds(to_microseconds(when))
    assert back == when
    assert back.tzinfo is UTC


def test_a_time_without_a_zone_is_a_bug() -> None:
    with pytest.raises(TypeError, match="zone"):
        UtcMicroseconds().process_bind_param(datetime(2026, 11, 20), DIALECT)  # noqa: DTZ001 - the point


@given(json_values)
def test_the_same_value_is_the_same_bytes_in_whatever_order(value: object) -> None:
    assert canonical_json(value) == canonical_json(_turned(value))
    canonical_json(value).encode("ascii")


def _turned(value: object) -> object:
    """Return an equal value with every mapping in another order."""
    if isinstance(value, dict):
        return {name: _turned(value[name]) for name in reversed(list(value))}
    return [_turned(each) for each in value] if isinstance(value, list) else value


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"share": float("nan")})
