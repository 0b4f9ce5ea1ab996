"""Whether a place lies in an unsupported region: yes, no, or not to be said."""

import re
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final

from stillwatch.respond.access.ownership.policy import Seat

_CODE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_OTHER_CODES: Final = {"UK": "GB", "EL": "GR"}
"""Codes of the European Union that differ from ISO 3166 and are found in registers."""


class Standing(StrEnum):
    """What a node's own place and kind say, before anybody who owns it is looked at."""

    UNSUPPORTED = "unsupported"
    SUPPORTED = "supported"
    UNKNOWN = "unknown"
    HARMLESS = "harmless"


def place_in(place: str | None, unsupported: AbstractSet[str]) -> Standing:
    """Compare one place with the list.

    Args:
        place: ISO 3166-1 alpha-2 or 3166-2 code; None or empty when it is not known.
        unsupported: Codes of the same kinds.

    Returns:
        UNKNOWN also for what is no code, and for a country of which only a subdivision is listed, when the subdivision is not known.
    """
    if not place:
        return Standing.UNKNOWN
    code = place.strip().upper()
    if not _CODE.fullmatch(code):
        return Standing.UNKNOWN
    country, _, part = code.partition("-")
    country = _OTHER_CODES.get(country, country)
    code = f"{country}-{part}" if part else country
    if code in unsupported or country in unsupported:
        return Standing.UNSUPPORTED
    if code == country and any(region.startswith(country + "-") for region in unsupported):
        return Standing.UNKNOWN
    return Standing.SUPPORTED


def seat_of(
    headquarters: str | None, jurisdiction: str | None, unsupported: AbstractSet[str], seat: Seat
) -> Standing:
    """Say where an entity belongs.

    Args:
        headquarters: Where it is run from.
        jurisdiction: Where it is registered.
        unsupported: The list.
        seat: Which of the two counts.

    Returns:
        With `either`, one known place is enough to be supported, because most registers state only one.
    """
    if seat is Seat.HEADQUARTERS:
        return place_in(headquarters, unsupported)
    if seat is Seat.JURISDICTION:
        return place_in(jurisdiction, unsupported)
    both = {place_in(place, unsupported) for place in (headquarters, jurisdiction) if place}
    for standing in (Standing.UNSUPPORTED, Standing.UNKNOWN, Standing.SUPPORTED):
        if standing in both:
            return standing
    return Standing.UNKNOWN
