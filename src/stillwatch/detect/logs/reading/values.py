"""Single values as logs write them, turned into what a canonical column holds."""

import math
from decimal import Decimal
from enum import Enum
from typing import Final

from stillwatch.detect.logs.reading.rejected import Reason
from stillwatch.detect.logs.reading.times import micros_of

TRUE_WORDS = frozenset({"true", "t", "yes", "y", "1", "on"})
FALSE_WORDS = frozenset({"false", "f", "no", "n", "0", "off"})


class Kind(Enum):
    """What a canonical column holds."""

    TEXT = "text"
    WHOLE = "whole number"
    REAL = "number"
    TRUTH = "truth value"
    TIME = "time"


class ValueProblem(Exception):  # noqa: N818 - never leaves the readers; it becomes a rejected row
    """A value that does not fit its column."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason only: the value may be a customer's text."""
        super().__init__(reason.value)
        self.reason: Final = reason


def text_of(value: object) -> str | None:
    """Return text; whole numbers are accepted, because many systems number their accounts."""
    if value is None:
        return None
    if isinstance(value, str):
        _check_surrogates(value)
        return value
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueProblem(Reason.WRONG_TYPE)


def whole_of(value: object) -> int | None:
    """Return a whole number. NaN is how data frames write null."""
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueProblem(Reason.WRONG_TYPE)
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        return _whole_of_real(value)
    if isinstance(value, str):
        return _whole_of_text(value.strip())
    raise ValueProblem(Reason.WRONG_TYPE)


def real_of(value: object) -> float | None:
    """Return a finite number. NaN is how data frames write null."""
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueProblem(Reason.WRONG_TYPE)
    if isinstance(value, str):
        value = _real_of_text(value.strip())
    if isinstance(value, int | float | Decimal):
        return _finite(value)
    if value is None:
        return None
    raise ValueProblem(Reason.WRONG_TYPE)


def truth_of(value: object) -> bool | None:
    """Return a truth value from a boolean, 0 or 1, or one of the usual words."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in {0, 1}:
        return bool(value)
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, str):
        return _truth_of_word(value.strip().lower())
    raise ValueProblem(Reason.WRONG_TYPE)


def time_of(value: object) -> int | None:
    """Return microseconds since 1970 UTC."""
    if value is None or value == "":
        return None
    try:
        return micros_of(value)
    except ValueError as error:
        raise ValueProblem(Reason.BAD_TIME) from error


PARSERS = {
    Kind.TEXT: text_of,
    Kind.WHOLE: whole_of,
    Kind.REAL: real_of,
    Kind.TRUTH: truth_of,
    Kind.TIME: time_of,
}


def _check_surrogates(value: str) -> None:
    """Refuse half characters, which JSON can escape but UTF-8 cannot hold."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueProblem(Reason.INVALID_UTF8) from error


def _decoded(value: bytes) -> str:
    """Decode bytes that should be text."""
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise ValueProblem(Reason.INVALID_UTF8) from error


def _whole_of_real(value: float | Decimal) -> int | None:
    """Accept 12.0 for 12, as data frames write counts that may be missing."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        raise ValueProblem(Reason.OUT_OF_RANGE)
    if value != int(value):
        raise ValueProblem(Reason.WRONG_TYPE)
    return int(value)


def _whole_of_text(text: str) -> int | None:
    """Read digits, and a float's way to write them."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        real = _real_of_text(text)
    return None if real is None else _whole_of_real(real)


def _real_of_text(text: str) -> float | None:
    """Read a number; an empty cell is null."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise ValueProblem(Reason.WRONG_TYPE) from error


def _finite(value: float | Decimal) -> float | None:
    """Refuse infinities and numbers too large for a float."""
    try:
        real = float(value)
    except OverflowError as error:
        raise ValueProblem(Reason.OUT_OF_RANGE) from error
    if math.isnan(real):
        return None
    if math.isinf(real):
        raise ValueProblem(Reason.OUT_OF_RANGE)
    return real


def _truth_of_word(word: str) -> bool | None:
    """Read the usual words; an empty cell is null."""
    if not word:
        return None
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueProblem(Reason.WRONG_TYPE)
