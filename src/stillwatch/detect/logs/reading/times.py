"""Times as logs write them, turned into UTC microseconds."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONG_FRACTION = re.compile(r"(\.\d{6})\d+")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")

# An epoch number's unit follows from its size: 1e11 s is the year 5138, and 1e11 ms is 1973. The same holds for the
# other steps, so that no instant a log can hold is ambiguous.
SECONDS_BELOW = 10**11
MILLISECONDS_BELOW = 10**14
MICROSECONDS_BELOW = 10**17


def micros_of(value: object) -> int:
    """Turn a time as a log writes it into microseconds since 1970 UTC.

    Args:
        value: A datetime or date, ISO 8601 text (without a zone it counts as UTC), or an epoch number in
            seconds, milliseconds, microseconds or nanoseconds, as a number or as text.

    Returns:
        Microseconds since 1970-01-01T00:00:00Z.

    Raises:
        ValueError: The value is no time. Callers inside the readers turn it into a rejected row.
    """
    if isinstance(value, str):
        return _micros_of_text(value.strip())
    if isinstance(value, bool):
        raise ValueError("a truth value is no time")  # noqa: TRY004 - one kind of error for all callers
    if isinstance(value, int):
        return _micros_of_epoch(value)
    if isinstance(value, float):
        return _micros_of_float(value)
    if isinstance(value, Decimal):
        return _micros_of_number(str(value))
    if isinstance(value, datetime):
        return _micros_of_datetime(value)
    if isinstance(value, date):
        return _micros_of_datetime(datetime(value.year, value.month, value.day, tzinfo=UTC))
    raise ValueError("no time")


def _micros_of_datetime(value: datetime) -> int:
    """Count microseconds exactly; a float timestamp would lose the last one."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return (aware - EPOCH) // _MICROSECOND


def _micros_of_epoch(value: int) -> int:
    """Find the unit by size."""
    size = abs(value)
    if size < SECONDS_BELOW:
        return value * 1_000_000
    if size < MILLISECONDS_BELOW:
        return value * 1_000
    if size < MICROSECONDS_BELOW:
        return value
    return value // 1_000


def _micros_of_float(value: float) -> int:
    """Round, because a float holds microseconds of this century only to about 0.2."""
    if value != value or abs(value) > 1e20:  # noqa: PLR0124 - NaN; 1e20 ns is the year 5138
        raise ValueError("no finite time")
    size = abs(value)
    if size < SECONDS_BELOW:
        return round(value * 1e6)
    if size < MILLISECONDS_BELOW:
        return round(value * 1e3)
    return _micros_of_epoch(round(value))


def _micros_of_number(text: str) -> int:
    """Read a decimal number without going through a float."""
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if not number.is_finite() or abs(number) > 10**20:
        raise ValueError("no finite time")
    size = abs(number)
    factor = 1_000_000 if size < SECONDS_BELOW else 1_000 if size < MILLISECONDS_BELOW else 1
    whole = round(number * factor)
    return whole if size < MICROSECONDS_BELOW else whole // 1_000


def _micros_of_text(text: str) -> int:
    """Read ISO 8601, then an epoch number, then `2026-03-02 10:00:00 UTC` as databases print it."""
    if _NUMBER.fullmatch(text) and not _is_compact_date(text):
        return _micros_of_number(text)
    try:
        return _micros_of_datetime(datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", _with_offset(text))))
    except OverflowError as error:
        raise ValueError("no time") from error


def _is_compact_date(text: str) -> bool:
    """Say whether the digits are a date such as 20260302, which no epoch number in use looks like."""
    return len(text) == len("20260302") and text.isdigit() and text.startswith("20")


def _with_offset(text: str) -> str:
    """Write a trailing zone name as an offset."""
    for name in (" UTC", "UTC", " GMT", " Z"):
        if text.endswith(name):
            return text.removesuffix(name) + "+00:00"
    return text
