"""How alike the daily loads of accounts are: a fleet is dealt its work, customers are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.profiles.population import Population

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOURS_PER_DAY = 24
OUT_OF_LINE = (
    5.0  # robust standard deviations of log daily load beyond which an account is not one of a fleet
)
MIN_SPREAD = 0.5  # standard deviation of log daily load below which no fleet is believed to be


def daily_log_load(population: Population) -> NDArray[np.float64]:
    """Return each account's mean log requests per active day, `(n_accounts,)`."""
    account = population.hours["account"].astype(np.int64)
    day = population.hours["hour"].astype(np.int64) // HOURS_PER_DAY
    if len(day) == 0:
        return np.zeros(len(population))
    span = int(day.max() - day.min() + 1)
    keys, index = np.unique(account * span + (day - day.min()), return_inverse=True)
    daily = np.bincount(index, population.hours["requests"].astype(np.float64))
    owner = keys // span
    days = np.maximum(np.bincount(owner, minlength=len(population)), 1)
    return np.asarray(np.bincount(owner, np.log(np.maximum(daily, 1.0)), len(population)) / days)


def in_line(load: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which accounts of one cluster carry a load like the others.

    Args:
        load: `(n,)` mean log requests per active day of the cluster's accounts.

    Returns:
        `(n,)` bool; an account that is far busier than the rest works for itself.
    """
    middle = float(np.median(load)) if len(load) else 0.0
    spread = max(1.4826 * float(np.median(np.abs(load - middle))), MIN_SPREAD) if len(load) else MIN_SPREAD
    return load - middle <= OUT_OF_LINE * spread
