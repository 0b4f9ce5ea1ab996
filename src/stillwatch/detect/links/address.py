"""Accounts used from one address."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stillwatch.detect.links.membership import Membership, rarity
from stillwatch.detect.profiles.population import Population


class SharedAddress:
    """Accounts that were used from one address.

    High: a rare address. Innocent: a household, an office, a campus, a carrier's shared address, a VPN, a cloud region:
    the more accounts share it, the less it is worth. Address and network count once, the rarer of the two.
    """

    name: ClassVar[str] = "address"
    title: ClassVar[str] = "one client address"
    needs: ClassVar[tuple[str, ...]] = ("client_address",)
    family: ClassVar[str] = "network"
    alone_max_accounts: ClassVar[int] = 12

    def find(self, population: Population) -> Membership | None:
        """Find shared values; None where the logs carry nothing of the kind."""
        table = population.values
        rows = table["kind"] == "address"
        return rarity(
            table["account"][rows].astype(np.int64),
            table["value"][rows].astype(np.int64),
            len(population),
            alone_max_accounts=self.alone_max_accounts,
        )


LINK = SharedAddress()
