"""Accounts used from one autonomous system."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stillwatch.detect.links.membership import Membership, rarity
from stillwatch.detect.profiles.population import Population


class SharedAutonomousSystem:
    """Accounts that were used from one autonomous system.

    High: a rare one. Innocent: every large carrier and cloud. It ties nobody alone, and counts once with address and
    network, the rarest of the three.
    """

    name: ClassVar[str] = "autonomous_system"
    title: ClassVar[str] = "one autonomous system"
    needs: ClassVar[tuple[str, ...]] = ("client_asn",)
    family: ClassVar[str] = "network"
    alone_max_accounts: ClassVar[int] = 0

    def find(self, population: Population) -> Membership | None:
        """Find shared values; None where the logs carry nothing of the kind."""
        table = population.values
        rows = table["kind"] == "asn"
        return rarity(
            table["account"][rows].astype(np.int64),
            table["value"][rows].astype(np.int64),
            len(population),
            alone_max_accounts=self.alone_max_accounts,
        )


LINK = SharedAutonomousSystem()
