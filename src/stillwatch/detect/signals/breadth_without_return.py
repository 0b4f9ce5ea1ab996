"""Whether ever new prompts are asked and none is come back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BreadthWithoutReturn:
    """Different prompts per request, among single questions.

    High: each question is new and is not followed up. Innocent: search boxes, pipelines. Range: 0 to 1.
    """

    name: ClassVar[str] = "breadth_without_return"
    title: ClassVar[str] = "breadth without return"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = (
        "contents",
        "requests",
        "single_turn",
    )
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"contents": [20], "requests": [100], "single_turn": [30]},
            much={"contents": [100], "requests": [100], "single_turn": [95]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return different prompts per request times the share of single-turn requests."""
        return np.minimum(groups.share("contents"), 1.0) * groups.share("single_turn")

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        return f"{min(groups.share('contents')[index], 1.0):.0%} of the prompts are new ones, {groups.share('single_turn')[index]:.0%} are not followed up"


SIGNAL = BreadthWithoutReturn()
