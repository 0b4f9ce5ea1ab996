"""Accounts registered under one e-mail domain, or under domains made to one pattern."""

from __future__ import annotations

import re
from typing import ClassVar

import numpy as np

from stillwatch.detect.links.membership import Membership, codes, rarity
from stillwatch.detect.profiles.population import Population

_DIGITS = re.compile(r"\d+")


class SharedEmailDomain:
    """Accounts whose e-mail domain is the same, digits aside.

    High: a domain, or a numbered series of domains, that few accounts here use. Innocent: a company, a university; a
    public mail provider is common and so worth nothing.
    """

    name: ClassVar[str] = "email_domain"
    title: ClassVar[str] = "one e-mail domain pattern"
    needs: ClassVar[tuple[str, ...]] = ("accounts.email_domain",)
    family: ClassVar[str] = "registration"
    alone_max_accounts: ClassVar[int] = 4  # a company of five seats is a company

    def find(self, population: Population) -> Membership | None:
        """Find shared patterns; None where the accounts table has no domains."""
        column = population.registry.get("email_domain")
        if column is None:
            return None
        patterns = np.array(
            [_DIGITS.sub("#", item.lower()) if item else None for item in column], dtype=object
        )
        account, value = codes(patterns)
        return rarity(account, value, len(population), alone_max_accounts=self.alone_max_accounts)


LINK = SharedEmailDomain()
