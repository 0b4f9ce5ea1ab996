"""Accounts that are busy in the same hours, beyond the daily rhythm that everyone follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.links.membership import alone_nats
from stillwatch.detect.links.weighing import hour_nats
from stillwatch.detect.profiles.population import Population

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD_BITS = 64
MIN_HOURS = 6  # fewer busy hours agree by chance too easily to be told apart


@dataclass(frozen=True)
class ActiveHours:
    """In which hours each account was active.

    Args:
        words: `(n_accounts, n_hours / 64)` uint64, one bit for each hour.
        count: `(n_accounts,)` hours active.
        crowding: Chance that two random active account-hours fall into one hour.
        ceiling: Nats that this kind is worth at most: it never ties two accounts alone.
    """

    words: NDArray[np.uint64]
    count: NDArray[np.float64]
    crowding: float
    ceiling: float

    def nats(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weigh synchronized hours: the log of the chance of so many common hours.

        Under independence the number of common hours is about Poisson with mean `count_a * count_b * crowding`.

        Returns:
            `(m,)` float64.
        """
        nats = np.empty(len(left))
        hour_nats(self.words, self.count, self.crowding, left, right, nats)
        enough = (self.count[left] >= MIN_HOURS) & (self.count[right] >= MIN_HOURS)
        return np.where(enough, np.clip(nats - 1.0, 0.0, self.ceiling), 0.0)


def find_active_hours(population: Population) -> ActiveHours | None:
    """Collect active hours; None where there are none."""
    if len(population.hours) == 0:
        return None
    account = population.hours["account"].astype(np.int64)
    hour = population.hours["hour"].astype(np.int64)
    hour = hour - hour.min()
    per_hour = np.bincount(hour).astype(np.float64)
    crowding = float((per_hour**2).sum() / max(per_hour.sum(), 1.0) ** 2)
    count = np.bincount(account, minlength=len(population)).astype(np.float64)
    words = np.zeros((len(population), len(per_hour) // WORD_BITS + 1), dtype=np.uint64)
    np.bitwise_or.at(
        words, (account, hour // WORD_BITS), np.uint64(1) << (hour % WORD_BITS).astype(np.uint64)
    )
    return ActiveHours(words, count, crowding, ceiling=0.5 * alone_nats(len(population)))
