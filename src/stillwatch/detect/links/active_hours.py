"""Accounts that are busy in the same hours, beyond the daily rhythm that everyone follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.special import gammainc

from stillwatch.detect.links.membership import alone_nats
from stillwatch.detect.links.pairs import pair_sum
from stillwatch.detect.profiles.population import Population

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_HOURS = 6  # fewer busy hours agree by chance too easily to be told apart


@dataclass(frozen=True)
class ActiveHours:
    """In which hours each account was active.

    Args:
        active: `(n_accounts, n_hours)` sparse ones.
        count: `(n_accounts,)` hours active.
        crowding: Chance that two random active account-hours fall into one hour.
        ceiling: Nats that this kind is worth at most: it never ties two accounts alone.
    """

    active: sp.csr_matrix
    count: NDArray[np.float64]
    crowding: float
    ceiling: float

    def nats(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weigh synchronized hours: the log of the chance of so many common hours.

        Under independence the number of common hours is about Poisson with mean `count_a * count_b * crowding`.

        Returns:
            `(m,)` float64.
        """
        common = pair_sum(self.active, self.active, left, right)
        mean = self.count[left] * self.count[right] * self.crowding
        tail = np.where(common > 0, gammainc(np.maximum(common, 1e-9), mean), 1.0)
        nats = np.clip(-np.log(np.maximum(tail, 1e-300)) - 1.0, 0.0, self.ceiling)
        enough = (self.count[left] >= MIN_HOURS) & (self.count[right] >= MIN_HOURS)
        return np.where(enough, nats, 0.0)


def find_active_hours(population: Population) -> ActiveHours | None:
    """Collect active hours; None where there are none."""
    if len(population.hours) == 0:
        return None
    account = population.hours["account"].astype(np.int64)
    hour = population.hours["hour"].astype(np.int64)
    hour = hour - hour.min()
    active = sp.csr_matrix(
        (np.ones(len(account)), (account, hour)), shape=(len(population), int(hour.max()) + 1)
    )
    per_hour = np.asarray(active.sum(axis=0)).ravel()
    crowding = float((per_hour**2).sum() / max(per_hour.sum(), 1.0) ** 2)
    count = np.asarray(active.sum(axis=1)).ravel()
    return ActiveHours(active, count, crowding, ceiling=0.5 * alone_nats(len(population)))
