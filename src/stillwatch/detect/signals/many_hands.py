"""Whether single accounts carry the demand of several unlike users."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ManyHands:
    """Share of the accounts that mix unlike applications: with and without tools, with and without several system prompts.

    High: one account is used by many people. Innocent: a company on one key, a developer with several projects.
    Range: 0 to 1.
    """

    name: ClassVar[str] = "many_hands"
    title: ClassVar[str] = "many hands on one account"
    speaks_for: ClassVar[str] = "resale"
    needs: ClassVar[tuple[str, ...]] = (
        "mixed_modes",
        "accounts",
    )
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"mixed_modes": [0, 0, 0.5], "accounts": [1, 1, 1]},
            much={"mixed_modes": [1, 1, 0.5], "accounts": [1, 1, 1]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return the share of accounts that mix modes (tools and system instructions count half each)."""
        accounts = groups.pooled("accounts")
        return groups.pooled("mixed_modes") / (accounts + 1.0)

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        return f"{groups.share('mixed_modes', of='accounts')[index]:.0%} of the accounts mix the demand of unlike applications"


SIGNAL = ManyHands()
