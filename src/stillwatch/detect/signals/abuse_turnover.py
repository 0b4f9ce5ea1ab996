"""Whether the group lives on while its accounts are closed for abuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups, wilson_low

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AbuseTurnover:
    """Share of the group's accounts that were closed for abuse within the window.

    High: accounts are lost and the group goes on. Innocent: mistaken closures of one customer's accounts; a closure
    is a decision, not evidence of what was asked. Range: 0 to 1.
    """

    name: ClassVar[str] = "abuse_turnover"
    title: ClassVar[str] = "accounts closed and replaced"
    speaks_for: ClassVar[str] = "resale"
    needs: ClassVar[tuple[str, ...]] = (
        "closed_for_abuse",
        "accounts",
    )
    min_accounts: ClassVar[int] = 5

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"closed_for_abuse": [0, 0, 0, 0, 0], "accounts": [1] * 5},
            much={"closed_for_abuse": [1, 1, 1, 0, 0], "accounts": [1] * 5},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return the lower bound of the share of closed accounts."""
        return wilson_low(groups.pooled("closed_for_abuse"), groups.pooled("accounts"))

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        closed, accounts = groups.pooled("closed_for_abuse")[index], groups.pooled("accounts")[index]
        return f"{closed:,.0f} of {accounts:,.0f} accounts were closed for abuse and the group went on"


SIGNAL = AbuseTurnover()
