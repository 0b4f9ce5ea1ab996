"""Accounts used through one and the same client."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stillwatch.detect.links.membership import Membership, rarity
from stillwatch.detect.profiles.population import Population


class SharedClient:
    """Accounts whose requests carry one rare pair of TLS fingerprint and user agent.

    High: a client that few accounts in this population use. Innocent: a popular library or browser (common, so worth
    little), the software of one vendor. Relays replay one frozen client for all of their accounts.
    """

    name: ClassVar[str] = "client"
    title: ClassVar[str] = "one client fingerprint"
    needs: ClassVar[tuple[str, ...]] = ("tls_ja4 or user_agent",)
    family: ClassVar[str] = "access"
    alone_max_accounts: ClassVar[int] = 12

    def find(self, population: Population) -> Membership | None:
        """Find shared values; None where the logs carry nothing of the kind."""
        table = population.values
        rows = table["kind"] == "client"
        return rarity(
            table["account"][rows].astype(np.int64),
            table["value"][rows].astype(np.int64),
            len(population),
            alone_max_accounts=self.alone_max_accounts,
        )


LINK = SharedClient()
