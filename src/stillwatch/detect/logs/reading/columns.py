"""Whole columns turned into their canonical type: vectorized where they are clean, value by value where not."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detect.logs.reading.rejected import Reason
from stillwatch.detect.logs.reading.times import (
    MICROSECONDS_BELOW,
    MILLISECONDS_BELOW,
    SECONDS_BELOW,
)
from stillwatch.detect.logs.reading.values import PARSERS, Kind, ValueProblem

Problems = list[tuple[int, Reason]]
"""Row indexes within a batch, with the reason why each is refused."""

CLIPPED = frozenset(
    {"message_count", "tool_count", "choice_count", "max_tokens", "top_logprobs", "temperature", "top_p"}
)
"""Chosen by the customer. An absurd value is clipped, so that nobody leaves the log by asking for 10¹² tokens."""

VOIDED = frozenset({"client_asn"})
"""A private autonomous system number does not fit and says nothing: null."""

_FAILURES = (
    pa.ArrowInvalid,
    pa.ArrowNotImplementedError,
    pa.ArrowTypeError,
    OverflowError,
    UnicodeEncodeError,
)
_ZONED = r"(Z|[+-]\d{2}:?\d{2})$"


def kind_of(field: pa.Field) -> Kind:
    """Say what a canonical field holds."""
    if pa.types.is_timestamp(field.type):
        return Kind.TIME
    if pa.types.is_integer(field.type):
        return Kind.WHOLE
    if pa.types.is_floating(field.type):
        return Kind.REAL
    if pa.types.is_boolean(field.type):
        return Kind.TRUTH
    return Kind.TEXT


def column_of(values: Sequence[object], field: pa.Field) -> tuple[pa.Array, Problems]:
    """Make a canonical column of Python values.

    Args:
        values: `(n_rows,)` values as a log wrote them.
        field: The canonical field.

    Returns:
        `(n_rows,)` array of `field.type`, null where a value was refused, and what was refused.
    """
    try:
        array = pa.array(values, pa.string()) if kind_of(field) is Kind.TEXT else pa.array(values)
    except _FAILURES:
        return _one_by_one(values, field)
    return coerce(array, field)


def coerce(array: pa.Array, field: pa.Field) -> tuple[pa.Array, Problems]:
    """Turn an array of any type into a canonical column.

    Args:
        array: `(n_rows,)` array as a file holds it.
        field: The canonical field.

    Returns:
        `(n_rows,)` array of `field.type`, null where a value was refused, and what was refused.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), field.type), []
    try:
        fast = _FAST[kind_of(field)](array, field)
    except _FAILURES:
        fast = None
    if fast is None:
        return _one_by_one(_python_values(array), field)
    return fast, []


def _python_values(array: pa.Array) -> list[Any]:
    """Return Python values; text as bytes, because a file's text may not be UTF-8."""
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.large_binary())
        return [_text_or_bytes(value) for value in array.to_pylist()]
    if pa.types.is_timestamp(array.type) and array.type.unit == "ns":
        array = array.cast(pa.timestamp("us", array.type.tz), safe=False)
    return [_python_value(value) for value in array]


def _python_value(value: pa.Scalar) -> Any:
    """Return a Python value; one that Python has no word for stays as it is, and is refused by its row."""
    try:
        return value.as_py()
    except (OverflowError, ValueError, *_FAILURES):
        return value


def _text_or_bytes(value: bytes | None) -> str | bytes | None:
    """Decode where possible, so that broken text is refused value by value."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _one_by_one(values: Iterable[object], field: pa.Field) -> tuple[pa.Array, Problems]:
    """Parse value by value and remember what did not fit."""
    parse = PARSERS[kind_of(field)]
    bounds = _bounds(field)
    kept: list[object] = []
    problems: Problems = []
    for index, value in enumerate(values):
        try:
            kept.append(_within(parse(value), bounds, field.name))
        except ValueProblem as problem:
            kept.append(None)
            problems.append((index, problem.reason))
    if kind_of(field) is Kind.TIME:
        return pa.array(kept, pa.int64()).cast(field.type), problems
    return pa.array(kept, field.type), problems


def _bounds(field: pa.Field) -> tuple[float, float] | None:
    """Return the smallest and largest value of a number column."""
    if pa.types.is_integer(field.type):
        return 0, int(np.iinfo(field.type.to_pandas_dtype()).max)
    if pa.types.is_floating(field.type):
        largest = float(np.finfo(np.float32).max)
        return -largest, largest
    if pa.types.is_timestamp(field.type):
        return -(2**62), 2**62
    return None


def _within(value: object, bounds: tuple[float, float] | None, name: str) -> object:
    """Clip, drop or refuse a number outside its column's range."""
    if bounds is None or not isinstance(value, int | float) or isinstance(value, bool):
        return value
    low, high = bounds
    if low <= value <= high:
        return value
    if name in CLIPPED:
        return low if value < low else high
    if name in VOIDED:
        return None
    raise ValueProblem(Reason.BAD_TIME if name == "time" else Reason.OUT_OF_RANGE)


def _fast_text(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """Cast text and whole numbers, and check that text is UTF-8, which Parquet readers do not."""
    kind = array.type
    if pa.types.is_string(kind):
        array.validate(full=True)
        return array
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        array.validate(full=True)
        return array.cast(field.type)
    if pa.types.is_integer(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return array.cast(field.type)
    return None


def _fast_whole(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """Cast numbers and digits; None when a value lies outside the column's range."""
    kind = array.type
    if pa.types.is_boolean(kind):
        return None
    if pa.types.is_floating(kind):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array)
    cast = array if kind == field.type else array.cast(field.type)
    lowest = pc.min(cast).as_py()
    return None if lowest is not None and lowest < 0 else cast


def _fast_real(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """Cast numbers; NaN becomes null, and None is returned when a value is infinite."""
    if pa.types.is_boolean(array.type):
        return None
    cast = array if array.type == field.type else array.cast(field.type)
    finite = pc.is_finite(cast)
    if pc.all(finite).as_py() in (True, None):
        return cast
    if pc.any(pc.is_inf(cast)).as_py():
        return None
    return pc.if_else(finite, cast, pa.scalar(None, field.type))


def _fast_truth(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """Take booleans as they are, and 0 and 1 as databases store them."""
    if pa.types.is_boolean(array.type):
        return array
    if not pa.types.is_integer(array.type):
        return None
    span = pc.min_max(array).as_py()
    if span["min"] is not None and not 0 <= span["min"] <= span["max"] <= 1:
        return None
    return array.cast(field.type)


def _fast_time(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """Cast timestamps, ISO text and epoch numbers; times without a zone count as UTC."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        return _timestamps_in_utc(array, field)
    if pa.types.is_date(kind):
        return array.cast(pa.timestamp("us")).cast(field.type)
    if pa.types.is_integer(kind):
        return _micros_of_epochs(array.cast(pa.int64())).cast(field.type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _micros_of_texts(array, field)
    return _micros_of_seconds(array, field) if pa.types.is_float64(kind) else None


def _timestamps_in_utc(array: pa.Array, field: pa.Field) -> pa.Array:
    """Bring any unit and zone to UTC microseconds. Stored values are UTC already; the zone is a label."""
    if array.type == field.type:
        return array
    return array.cast(pa.timestamp("us", array.type.tz), safe=array.type.unit != "ns").cast(field.type)


def _micros_of_epochs(array: pa.Array) -> pa.Array:
    """Find each number's unit by its size."""
    size = pc.abs_checked(array)
    if (pc.min(size).as_py() or 0) >= MILLISECONDS_BELOW and (pc.max(size).as_py() or 0) < MICROSECONDS_BELOW:
        return array
    seconds = pc.less(size, SECONDS_BELOW)
    millis = pc.less(size, MILLISECONDS_BELOW)
    nanos = pc.greater_equal(size, MICROSECONDS_BELOW)
    # Masked before multiplying: a checked product of the other branch's values would overflow.
    scaled = pc.multiply_checked(pc.if_else(seconds, array, 0), 1_000_000)
    scaled = pc.if_else(seconds, scaled, pc.multiply_checked(pc.if_else(millis, array, 0), 1_000))
    rest = pc.if_else(nanos, pc.divide(array, 1_000), array)
    return pc.if_else(pc.or_(seconds, millis), scaled, rest)


def _micros_of_seconds(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """Round fractional epoch seconds to microseconds; None when a value is no such number."""
    largest = pc.max(pc.abs(array)).as_py()
    if largest is None or not largest < SECONDS_BELOW or pc.any(pc.is_nan(array)).as_py():
        return None
    return pc.round(pc.multiply(array, 1e6), round_mode="half_to_even").cast(pa.int64()).cast(field.type)


def _micros_of_texts(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """Parse ISO text when all values carry a zone or none does; None for the mixed rest."""
    zoned = pc.match_substring_regex(array, _ZONED)
    if pc.all(zoned).as_py():
        return array.cast(field.type)
    if pc.any(zoned).as_py():
        return None
    return array.cast(pa.timestamp("us")).cast(field.type)


_FAST = {
    Kind.TEXT: _fast_text,
    Kind.WHOLE: _fast_whole,
    Kind.REAL: _fast_real,
    Kind.TRUTH: _fast_truth,
    Kind.TIME: _fast_time,
}
