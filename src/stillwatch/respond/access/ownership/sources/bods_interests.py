"""The interests of a BODS relationship as shares."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from stillwatch.respond.access.ownership.sources.bods_statements import listed
from stillwatch.respond.access.ownership.tables import EXCLUSIVE_STEP, Way


class Interest(NamedTuple):
    """What somebody holds, of which kind, and how.

    Args:
        basis: The interest type in the spelling of version 0.4, such as `votingRights`.
        low, high: Share, 0 to 1.
        way: Direct; or indirect, also when nobody says, because it may be the same shares.
    """

    basis: str
    low: float
    high: float
    way: Way


_UNSTATED: Final = "unknownInterest"
_HYPHEN: Final = re.compile(r"-([a-z])")


def interests_on(details: Mapping[str, Any], as_of: date) -> Iterator[Interest]:
    """Yield the interests of a relationship that hold on a day.

    Args:
        details: The relationship's details.
        as_of: Interests that ended on or before it, or begin later, do not count.

    Yields:
        A relationship without any interest is one of unknown kind.
    """
    every = [each for each in listed(details.get("interests")) if isinstance(each, dict)]
    if not every:
        yield Interest(_UNSTATED, 0.0, 1.0, Way.INDIRECT)
    for each in every:
        if _holds(each, as_of.isoformat()):
            kind = each.get("type")
            basis = _HYPHEN.sub(lambda found: found[1].upper(), kind) if isinstance(kind, str) else _UNSTATED
            directness = each.get("directOrIndirect", each.get("interestLevel"))
            way = Way.DIRECT if directness == "direct" else Way.INDIRECT
            yield Interest(basis, *share_of(each.get("share")), way)


def share_of(share: Any) -> tuple[float, float]:
    """Read the bounds of a share.

    Args:
        share: `exact`, or `minimum`/`exclusiveMinimum` and `maximum`/`exclusiveMaximum`, in percent. In versions
            0.2 and 0.3 the exclusive ones are true or false and speak of the others.

    Returns:
        Low and high, 0 to 1; (0, 1) when nothing usable is stated.
    """
    if not isinstance(share, dict):
        return 0.0, 1.0
    exact = _percent(share.get("exact"))
    if exact is not None:
        return exact, exact
    low, high = _percent(share.get("minimum")), _percent(share.get("maximum"))
    above, below = share.get("exclusiveMinimum"), share.get("exclusiveMaximum")
    strict = above is True
    if (number := _percent(above)) is not None and (low is None or number >= low):
        low, strict = number, True
    if (number := _percent(below)) is not None:
        high = number if high is None else min(high, number)
    low, high = low or 0.0, 1.0 if high is None else high
    if low > high:
        return 0.0, 1.0
    return (
        (min(low + EXCLUSIVE_STEP, 1.0), max(high, low + EXCLUSIVE_STEP)) if strict and low else (low, high)
    )


def _percent(value: Any) -> float | None:
    """Return a percentage as a share; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return value / 100.0


def _holds(interest: Mapping[str, Any], day: str) -> bool:
    """Compare the interest's own dates with the day."""
    start, end = interest.get("startDate"), interest.get("endDate")
    begun = not isinstance(start, str) or start[:10] <= day
    return begun and not (isinstance(end, str) and end[:10] <= day)
