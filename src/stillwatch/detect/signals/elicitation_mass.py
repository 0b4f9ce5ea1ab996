"""How much of the pooled demand asks for training material, in nats per request."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups, wilson_low

if TYPE_CHECKING:
    from numpy.typing import NDArray

HARVESTING_BIT = 6  # parameters, not words: tested by `sample_harvesting`


class ElicitationMass:
    """Mean surprise of the elicitation kinds in the pooled demand.

    High: most requests carry a kind (reasoning traces, rubric grading, instruction synthesis, …) that few ordinary
    accounts' requests carry. Fails on paraphrase that no rule knows, and on people whose trade it is: judges,
    evaluations and synthetic-data users score as high, so that it convicts nobody without coordination or scale.
    Range: 0 to about 10 nats per request. Cost: one product of a sparse and a dense matrix.
    """

    name: ClassVar[str] = "elicitation_mass"
    title: ClassVar[str] = "requests that elicit training material"
    speaks_for: ClassVar[str] = "distillation"
    needs: ClassVar[tuple[str, ...]] = ("kinds", "elicited", "requests")
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"kinds": [[2] + [0] * 11], "elicited": [2], "requests": [100]},
            much={"kinds": [[95] + [0] * 11], "elicited": [95], "requests": [100]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return how far each kind's share exceeds the ordinary one, summed over the two strongest kinds.

        The excess is the lower bound of the share times the log of its ratio to the ordinary share: nats per request by
        which the demand is told from ordinary demand. What is as common elsewhere is worth nothing.
        """
        counts = groups.pooled("kinds")
        requests = groups.pooled("requests")[:, None]
        share = wilson_low(counts, np.broadcast_to(requests, counts.shape))
        lift = np.log(np.maximum(share, 1e-12)) + groups.measures.kind_nats
        nats = share * np.maximum(lift, 0.0)
        nats[:, HARVESTING_BIT] = 0.0
        return np.asarray(np.sort(nats, axis=1)[:, -2:].sum(axis=1))

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        share = float(groups.share("elicited")[index])
        return f"{share:.0%} of the requests ask for training material, {self.measure(groups)[index]:.1f} nats each"


SIGNAL = ElicitationMass()
