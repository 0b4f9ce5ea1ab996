"""Conformal p-values against clusters built in the same way from ordinary accounts.

The p-value of a cluster is the share of ordinary clusters that score as high (Vovk, Gammerman and Shafer 2005,
"Algorithmic learning in a random world", eq. 2.20): uniform for a cluster that is ordinary itself, whatever the score
means. Beyond the largest ordinary score, where there is nothing left to count, each further nat is taken for what it
says, a factor e, and never for more.

A scan without a baseline calibrates on itself, and some of what it sees is hostile. Clusters whose score stands apart
from the lower two thirds, by more than one in a hundred ordinary ones would, are left out of the reference. With up to
a third of the clusters hostile the p-values stay valid: hostile clusters that remain in the reference can only make
them larger. They cost power, most of all in small logs, where a baseline of ordinary traffic serves better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRUSTED_SHARE = 2 / 3
TRIMMED = 0.01  # chance that an ordinary cluster is left out of the reference
MIN_SCALE_NATS = 1.0  # a score is in nats: one nat more is at most e times less likely


@dataclass(frozen=True)
class Reference:
    """Scores of ordinary clusters.

    Args:
        scores: `(n,)` float64, sorted.
        left_out: Share of the clusters that stand apart and were left out, beyond those that chance leaves out.
    """

    scores: NDArray[np.float64]
    left_out: float

    def p_values(
        self, scores: NDArray[np.float64], *, inside: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Return conformal p-values.

        Args:
            scores: `(m,)` float64, high = less ordinary.
            inside: `(m,)` bool, which of these scores are in the reference themselves (and do not count against
                themselves).

        Returns:
            `(m,)` float64 in (0, 1].
        """
        own = np.zeros(len(scores)) if inside is None else inside.astype(np.float64)
        as_high = len(self.scores) - np.searchsorted(self.scores, scores - 1e-12, side="left") - own
        size = len(self.scores) - own
        p_values = (1 + as_high) / (size + 1)
        if len(self.scores) == 0:
            return np.ones(len(scores))
        largest = self.scores[-1]
        beyond = (as_high <= 0) & (own == 0) & (scores > largest)
        return np.where(beyond, np.exp(-(scores - largest) / MIN_SCALE_NATS) / (size + 1), p_values)


def self_reference(scores: NDArray[np.float64]) -> tuple[Reference, NDArray[np.bool_]]:
    """Build a reference from the scanned clusters themselves.

    Args:
        scores: `(n,)` float64.

    Returns:
        The reference and which of the scores are in it.
    """
    if len(scores) == 0:
        return Reference(scores, 0.0), np.zeros(0, dtype=bool)
    low, high = np.quantile(scores, [TRUSTED_SHARE / 2, TRUSTED_SHARE])
    # Quantiles of an exponential distribution: the scale from the distance of two of them.
    scale = max(MIN_SCALE_NATS, float(high - low) / np.log((1 - TRUSTED_SHARE / 2) / (1 - TRUSTED_SHARE)))
    limit = high + scale * np.log((1 - TRUSTED_SHARE) / TRIMMED)
    inside = scores <= limit
    return Reference(np.sort(scores[inside]), max(0.0, 1 - float(inside.mean()) - TRIMMED)), inside


def given_reference(scores: NDArray[np.float64]) -> Reference:
    """Build a reference from a baseline, and say how much of it stands apart."""
    trimmed, _ = self_reference(scores)
    return Reference(np.sort(scores), trimmed.left_out)
