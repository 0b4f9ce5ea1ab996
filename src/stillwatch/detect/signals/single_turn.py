"""How much of the demand is single questions that nobody follows up."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups, wilson_low

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SingleTurn:
    """Share of requests without earlier turns.

    High: prompts are asked once and left. Innocent: every pipeline and evaluation. Range: 0 to 1.
    """

    name: ClassVar[str] = "single_turn"
    title: ClassVar[str] = "questions without a conversation"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = (
        "single_turn",
        "requests",
    )
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"single_turn": [40], "requests": [100]},
            much={"single_turn": [98], "requests": [100]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return the lower bound of the share of single-turn requests."""
        return wilson_low(groups.pooled("single_turn"), groups.pooled("requests"))

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        return f"{groups.share('single_turn')[index]:.0%} of the requests are single questions without a conversation"


SIGNAL = SingleTurn()
