"""How much text each request draws from the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OutputHunger:
    """Log of the mean output tokens per request, limits reached included.

    High: answers are long and run into their limit. Innocent: writers, coding agents. Range: 0 to about 10.
    """

    name: ClassVar[str] = "output_hunger"
    title: ClassVar[str] = "long answers"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = (
        "output_tokens",
        "requests",
        "saturated",
    )
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"output_tokens": [10_000], "requests": [100], "saturated": [0]},
            much={"output_tokens": [200_000], "requests": [100], "saturated": [20]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return log(1 + mean output tokens), raised by the share of answers cut at their limit."""
        return np.log1p(groups.share("output_tokens")) * (1 + groups.share("saturated"))

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        tokens, cut = groups.share("output_tokens")[index], groups.share("saturated")[index]
        return f"{tokens:,.0f} output tokens per request; {cut:.1%} of the answers ran into their limit"


SIGNAL = OutputHunger()
