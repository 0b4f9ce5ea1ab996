"""Whether the accounts carry equal load, as pooled accounts do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class EqualLoad:
    """How alike the daily volumes of the group's accounts are.

    High: accounts differ in volume far less than customers do. Innocent: seats of one program, a class with one task.
    Range: minus the standard deviation of log requests per active day.
    """

    name: ClassVar[str] = "equal_load"
    title: ClassVar[str] = "equal load on every account"
    speaks_for: ClassVar[str] = "resale"
    needs: ClassVar[tuple[str, ...]] = (
        "log_load",
        "log_load_squared",
        "accounts",
    )
    min_accounts: ClassVar[int] = 5

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"log_load": [0, 1, 2, 3, 4], "log_load_squared": [0, 1, 4, 9, 16], "accounts": [1] * 5},
            much={"log_load": [2] * 5, "log_load_squared": [4] * 5, "accounts": [1] * 5},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return minus the standard deviation over accounts of mean log requests per active day."""
        accounts = np.maximum(groups.pooled("accounts"), 1.0)
        mean = groups.pooled("log_load") / accounts
        variance = np.maximum(groups.pooled("log_load_squared") / accounts - mean**2, 0.0)
        return np.asarray(-np.sqrt(variance * accounts / np.maximum(accounts - 1, 1.0)))

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        return f"daily volumes of the accounts differ by a factor of {np.exp(-self.measure(groups)[index]):.1f} (one standard deviation)"


SIGNAL = EqualLoad()
