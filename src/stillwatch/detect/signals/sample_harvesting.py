"""How often several choices or log-probabilities are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups, wilson_low

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SampleHarvesting:
    """Share of requests with `n` above one or log-probabilities.

    High: the answers are wanted as a distribution. Innocent: evaluations, classifiers that read scores. Range: 0 to 1.
    """

    name: ClassVar[str] = "sample_harvesting"
    title: ClassVar[str] = "several samples or log-probabilities"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = (
        "harvest",
        "requests",
    )
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"harvest": [1], "requests": [100]},
            much={"harvest": [60], "requests": [100]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return the lower bound of the share."""
        return wilson_low(groups.pooled("harvest"), groups.pooled("requests"))

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        return f"{groups.share('harvest')[index]:.1%} of the requests ask for several choices or log-probabilities"


SIGNAL = SampleHarvesting()
