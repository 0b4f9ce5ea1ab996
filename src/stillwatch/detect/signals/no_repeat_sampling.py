"""Whether prompts repeat less than people and programs repeat theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class NoRepeatSampling:
    """Prompts that are repeated less than ordinary demand of the same kind repeats them, inside accounts.

    High: a data set is sampled without replacement. Compared with ordinary groups, which repeat greetings, tests and
    retries. Fails once a campaign goes over its data set again. Range: -1 (all repeated) to 0 (none).
    """

    name: ClassVar[str] = "no_repeat_sampling"
    title: ClassVar[str] = "hardly any prompt twice"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = (
        "prompts",
        "different_prompts",
    )
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"prompts": [100], "different_prompts": [60]},
            much={"prompts": [100], "different_prompts": [100]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return minus the share of prompts that repeat an earlier one, with half a repetition added."""
        prompts, different = groups.pooled("prompts"), groups.pooled("different_prompts")
        return -(prompts - different + 0.5) / (prompts + 1.0)

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        prompts, different = groups.pooled("prompts")[index], groups.pooled("different_prompts")[index]
        return (
            f"{prompts - different:,.0f} of {prompts:,.0f} prompts repeat an earlier one of the same account"
        )


SIGNAL = NoRepeatSampling()
