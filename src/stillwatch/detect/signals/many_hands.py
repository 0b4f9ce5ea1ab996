"""Whether single accounts carry the demand of several unlike users."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ManyHands:
    """Share of the accounts that mix unlike applications, or converse at all hours of the day.

    High: one account is used by many people. Innocent: a company on one key, a product on one account, a developer with
    several projects. Range: 0 to 1.
    """

    name: ClassVar[str] = "many_hands"
    title: ClassVar[str] = "many hands on one account"
    speaks_for: ClassVar[str] = "resale"
    needs: ClassVar[tuple[str, ...]] = (
        "several_users",
        "accounts",
    )
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"several_users": [0, 0, 0.5], "accounts": [1, 1, 1]},
            much={"several_users": [1, 1, 0.5], "accounts": [1, 1, 1]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return the share of accounts with several users (tools and system instructions count half each)."""
        accounts = groups.pooled("accounts")
        return groups.pooled("several_users") / (accounts + 1.0)

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        return f"{groups.share('several_users', of='accounts')[index]:.0%} of the accounts mix the demand of unlike applications or converse around the clock"


SIGNAL = ManyHands()
