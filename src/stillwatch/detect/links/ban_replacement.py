"""Accounts that appear right after another one was closed for abuse."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stillwatch.detect.links.membership import Membership, rarity
from stillwatch.detect.profiles.definition import HOUR_US
from stillwatch.detect.profiles.population import Population

REPLACEMENT_HOURS = 12  # "immediately" in the published accounts of banned and replaced accounts
VOLUNTARY = frozenset({"user_request"})


class BanReplacement:
    """An account first used within hours of another one's closure.

    High: hardly any other account began in those hours. Innocent: chance; somebody who was closed by mistake and
    registers again. It never ties two accounts alone.
    """

    name: ClassVar[str] = "ban_replacement"
    title: ClassVar[str] = "replaces a closed account"
    needs: ClassVar[tuple[str, ...]] = ("accounts.closed_at",)
    family: ClassVar[str] = "timing"
    alone_max_accounts: ClassVar[int] = 0

    def find(self, population: Population) -> Membership | None:
        """Tie each closed account to those that began within hours of its end."""
        closed = population.registry.get("closed_at")
        reason = population.registry.get("close_reason")
        if closed is None:
            return None
        first_hour = np.full(len(population), np.iinfo(np.int64).max)
        np.minimum.at(
            first_hour,
            population.hours["account"].astype(np.int64),
            population.hours["hour"].astype(np.int64),
        )
        order = np.argsort(first_hour, kind="stable")
        begins = first_hour[order]
        accounts: list[np.ndarray] = []
        events: list[np.ndarray] = []
        for index, end_us in enumerate(closed):
            if end_us is None or (reason is not None and reason[index] in VOLUNTARY):
                continue
            end_hour = end_us // HOUR_US
            low = np.searchsorted(begins, end_hour, side="left")
            high = np.searchsorted(begins, end_hour + REPLACEMENT_HOURS, side="right")
            if low < high:
                members = np.append(order[low:high], index)
                accounts.append(members)
                events.append(np.full(len(members), index))
        if not accounts:
            return None
        return rarity(
            np.concatenate(accounts).astype(np.int64),
            np.concatenate(events).astype(np.int64),
            len(population),
            alone_max_accounts=self.alone_max_accounts,
        )


LINK = BanReplacement()
