"""Conversations that one account begins and another goes on with."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stillwatch.detect.links.membership import Membership, rarity
from stillwatch.detect.profiles.population import Population


class SharedConversation:
    """Accounts in which one and the same conversation was continued.

    High: a conversation that moved, as pooled accounts do when one of them runs into its limit. Innocent: an
    organization that moved a user between its own accounts.
    """

    name: ClassVar[str] = "conversation_handover"
    title: ClassVar[str] = "conversations handed over"
    needs: ClassVar[tuple[str, ...]] = ("conversation_id",)
    family: ClassVar[str] = "conversation"
    alone_max_accounts: ClassVar[int] = 12

    def find(self, population: Population) -> Membership | None:
        """Find shared values; None where the logs carry nothing of the kind."""
        table = population.values
        rows = table["kind"] == "conversation"
        return rarity(
            table["account"][rows].astype(np.int64),
            table["value"][rows].astype(np.int64),
            len(population),
            alone_max_accounts=self.alone_max_accounts,
        )


LINK = SharedConversation()
