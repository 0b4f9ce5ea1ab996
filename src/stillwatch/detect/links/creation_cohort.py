"""Accounts created in one burst."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stillwatch.detect.links.membership import Membership, rarity
from stillwatch.detect.profiles.definition import HOUR_US
from stillwatch.detect.profiles.population import Population

WINDOW_HOURS = 2  # an operator creates a wave in one sitting


class CreationCohort:
    """Accounts created within the same two hours.

    High: an hour in which hardly anyone else registered. Innocent: chance, a class that signs up together, a launch.
    It never ties two accounts alone.
    """

    name: ClassVar[str] = "creation_cohort"
    title: ClassVar[str] = "created together"
    needs: ClassVar[tuple[str, ...]] = ("accounts.created_at",)
    family: ClassVar[str] = "timing"
    alone_max_accounts: ClassVar[int] = 0

    def find(self, population: Population) -> Membership | None:
        """Find cohorts; None where the accounts table has no creation times."""
        column = population.registry.get("created_at")
        if column is None:
            return None
        where = np.array([index for index, item in enumerate(column) if item is not None], dtype=np.int64)
        times = np.array([column[index] for index in where], dtype=np.int64)
        return rarity(
            where,
            times // (WINDOW_HOURS * HOUR_US),
            len(population),
            alone_max_accounts=self.alone_max_accounts,
        )


LINK = CreationCohort()
