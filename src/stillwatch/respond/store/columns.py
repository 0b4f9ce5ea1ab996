"""Column types that mean the same on both databases."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNSTORABLE: Final = re.compile("[\\\\\x00\ud800-\udfff]")
_ESCAPED: Final = re.compile(r"\\u([0-9a-f]{4})|\\\\")


class UtcMicroseconds(TypeDecorator[datetime]):
    """An instant, kept as microseconds since 1970 and read as a datetime in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Write an aware datetime."""
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Read a datetime in UTC."""
        return None if value is None else from_microseconds(value)


def to_microseconds(when: datetime) -> int:
    """Return microseconds since 1970 of an aware datetime."""
    if when.tzinfo is None:
        raise TypeError("a time without a zone cannot be stored")
    return (when - _EPOCH) // _MICROSECOND


def from_microseconds(time_us: int) -> datetime:
    """Return the datetime in UTC."""
    return _EPOCH + timedelta(microseconds=time_us)


class JsonText(TypeDecorator[Any]):
    """A JSON value, kept as canonical text: the same value is always the same bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Write canonical JSON; None is the database's null."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """Read the value."""
        return None if value is None else json.loads(value)


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, no spaces and ASCII only.

    Raises:
        ValueError: a number is not finite.
        TypeError: something in it is no JSON value.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


class OutsideText(TypeDecorator[str]):
    r"""Text that somebody outside chose, such as an account id: any Python string comes back as it was.

    PostgreSQL cannot hold NUL, and neither database holds a lone surrogate. They are written as in \u0000, and a
    backslash is doubled. Equality survives; what a prefix search finds does too.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Write what every database can hold."""
        return None if value is None else _UNSTORABLE.sub(_escape, value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Read what was given."""
        return None if value is None else _ESCAPED.sub(_unescape, value)


def _escape(found: re.Match[str]) -> str:
    return "\\\\" if found.group() == "\\" else f"\\u{ord(found.group()):04x}"


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found.group(1), 16)) if found.group(1) else "\\"
