"""Whether the demand moves to a new model within two days of its first appearance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups, wilson_low

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ReleasePivot:
    """Share of requests in the two days after a model first appeared that went to it.

    High: the whole demand moves at once. Innocent: enthusiasts. Silent while no new model appears. Range: 0 to 1.
    """

    name: ClassVar[str] = "release_pivot"
    title: ClassVar[str] = "pivot to a new model"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = (
        "release_requests",
        "pivoted_requests",
    )
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"release_requests": [100], "pivoted_requests": [10]},
            much={"release_requests": [100], "pivoted_requests": [90]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return the lower bound of the share of requests that moved."""
        return wilson_low(groups.pooled("pivoted_requests"), groups.pooled("release_requests"))

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        moved, all_requests = (
            groups.pooled("pivoted_requests")[index],
            groups.pooled("release_requests")[index],
        )
        return f"{moved:,.0f} of {all_requests:,.0f} requests in the two days after a release went to the new model"


SIGNAL = ReleasePivot()
