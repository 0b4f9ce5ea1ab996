"""How far the elicited demand keeps to few capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CapabilityConcentration:
    """Share of all requests that fall on the commonest kinds, by the Herfindahl index of the kinds.

    High: one or two kinds of training material make up the whole demand. Fails on campaigns that collect everything.
    Range: 0 to 1.
    """

    name: ClassVar[str] = "capability_concentration"
    title: ClassVar[str] = "few capabilities asked for"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = ("kinds", "elicited", "requests")
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"kinds": [[10] * 12], "elicited": [90], "requests": [100]},
            much={"kinds": [[90] + [0] * 11], "elicited": [90], "requests": [100]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return the elicited share times the Herfindahl index of the kinds."""
        kinds = groups.pooled("kinds")
        total = np.maximum(kinds.sum(axis=1), 1.0)
        concentration = ((kinds / total[:, None]) ** 2).sum(axis=1)
        return np.asarray(groups.share("elicited") * concentration)

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        kinds = groups.pooled("kinds")[index]
        used = int((kinds > 0.01 * max(kinds.sum(), 1.0)).sum())
        return f"elicited demand keeps to {used} kinds; concentration {self.measure(groups)[index]:.2f} of 1"


SIGNAL = CapabilityConcentration()
