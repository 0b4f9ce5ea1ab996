"""The scores that decide: how far a cluster is a campaign of one label or the other.

Each score is a geometric mean of two things in nats, so that it is high only where both are. What is decided by it is
whether a cluster is told apart from ordinary clusters at all; how strong the case is, is said by every signal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.signals.elicitation_mass import SIGNAL as ELICITATION
from stillwatch.detect.signals.groups import Groups
from stillwatch.detect.signals.many_hands import SIGNAL as MANY_HANDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUP_ACCOUNTS = 3  # from here on a cluster is tested for coordination, below as a lone account


@dataclass(frozen=True)
class Scores:
    """Scores of clusters, `(n_clusters,)` float64 each, in nats.

    Args:
        coordination: How far the accounts share both access and prompts.
        distillation: Coordination and elicitation together.
        resale: Coordination and many hands together.
        lone: What one account by itself has drawn: log of the nats of elicitation times the tokens of its answers.
    """

    coordination: NDArray[np.float64]
    distillation: NDArray[np.float64]
    resale: NDArray[np.float64]
    lone: NDArray[np.float64]


def score(groups: Groups, coordination: NDArray[np.float64]) -> Scores:
    """Score clusters.

    Args:
        groups: The clusters.
        coordination: `(n_clusters,)` nats, see `campaigns.cohesion`.
    """
    elicitation = ELICITATION.measure(groups)
    hands = MANY_HANDS.measure(groups)
    mixed = groups.measures["mixed_modes"]
    rarity = -np.log(max(float(mixed.mean()), 1.0 / (len(mixed) + 1)))
    # What is taken is text: the answers to different prompts. What others ask word for word is a benchmark or a
    # textbook, and does not count.
    own_prompts = np.maximum(groups.pooled("different_prompts") - groups.pooled("shared_prompts"), 0.0)
    drawn = own_prompts * groups.share("output_tokens")
    return Scores(
        coordination=coordination,
        distillation=np.sqrt(coordination * elicitation),
        resale=np.sqrt(coordination * hands * rarity),
        lone=np.log1p(elicitation * drawn),
    )
