"""Accounts paid with one instrument."""

from __future__ import annotations

from typing import ClassVar

from stillwatch.detect.links.membership import Membership, codes, rarity
from stillwatch.detect.profiles.population import Population


class SharedPayment:
    """Accounts that one card or bank account pays for.

    High: the same instrument. Innocent: a family, a company, a course on one card; hence no more than
    `alone_max_accounts` are tied by it alone.
    """

    name: ClassVar[str] = "payment"
    title: ClassVar[str] = "one payment instrument"
    needs: ClassVar[tuple[str, ...]] = ("accounts.payment_fingerprint",)
    family: ClassVar[str] = "registration"
    alone_max_accounts: ClassVar[int] = 12

    def find(self, population: Population) -> Membership | None:
        """Find shared values; None where the logs carry nothing of the kind."""
        column = population.registry.get("payment_fingerprint")
        if column is None:
            return None
        account, value = codes(column)
        return rarity(account, value, len(population), alone_max_accounts=self.alone_max_accounts)


LINK = SharedPayment()
