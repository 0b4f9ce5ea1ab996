"""Whether accounts share fewer prompts with others than ordinary accounts do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class DisjointPrompts:
    """Prompts of the group that no other account sent, set against what ordinary accounts have in common.

    High: one prompt set was dealt out without overlap. Fails where each customer has data of its own. Range: -1 to 0.
    """

    name: ClassVar[str] = "disjoint_prompts"
    title: ClassVar[str] = "prompt sets split without overlap"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = (
        "different_prompts",
        "shared_prompts",
    )
    min_accounts: ClassVar[int] = 3

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"different_prompts": [50, 50, 50], "shared_prompts": [20, 20, 20]},
            much={"different_prompts": [50, 50, 50], "shared_prompts": [0, 0, 0]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return minus the share of different prompts that some other account sent too."""
        different, shared = groups.pooled("different_prompts"), groups.pooled("shared_prompts")
        return -(shared + 0.5) / (different + 1.0)

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        different, shared = groups.pooled("different_prompts")[index], groups.pooled("shared_prompts")[index]
        return f"{shared:,.0f} of {different:,.0f} different prompts were sent by any other account"


SIGNAL = DisjointPrompts()
