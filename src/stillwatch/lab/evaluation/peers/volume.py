"""The oldest detector: who sends the most on one day?"""

from collections import Counter
from collections.abc import Iterable
from datetime import date


def busiest_day(requests: Iterable[tuple[str, date]]) -> dict[str, int]:
    """Requests of each account on its busiest day; high means much demand, for whatever reason.

    Args:
        requests: Account and UTC day of every request.
    """
    busiest: dict[str, int] = {}
    for (account, _day), count in Counter(requests).items():
        busiest[account] = max(count, busiest.get(account, 0))
    return busiest
