"""Conformal p-values against clusters and accounts that were looked at in the same way.

The p-value of a score is the share of ordinary scores that are as high (Vovk, Gammerman and Shafer 2005, "Algorithmic
learning in a random world", eq. 2.20): uniform for what is ordinary itself, whatever the score means.

A campaign is coordinated *and* asks for what campaigns ask for. In ordinary traffic the one says nothing of the other:
that thirty accounts share an office and a product does not make them ask for training material. So a cluster's
coordination is set against that of all clusters, and its demand against that of everybody whom nothing coordinates,
and the p-value is the share of all pairs of the two that are as high together (a permutation test of independence,
Pitman 1937). The reference for demand therefore holds no coordinated cluster, hostile or not: with a third of the
accounts in campaigns it is as good as with none. Hostile accounts that nothing ties stay in it, and hostile clusters stay
among those whose coordination is compared: both make p-values larger, never smaller.

Where nothing is left to count, beyond the largest ordinary score of a lone account, each further nat is taken for what
it says, a factor e, and never for more.
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


def joint_p_values(
    coordination: NDArray[np.float64],
    demand: NDArray[np.float64],
    *,
    ordinary_coordination: NDArray[np.float64],
    ordinary_demand: NDArray[np.float64],
    among_them: bool,
) -> NDArray[np.float64]:
    """Return how rarely coordination and demand are as high together where the one does not depend on the other.

    Each cluster joins both references: with `n` clusters and `m` in the reference of demand the smallest p-value is
    `1 / n (m + 1)`, so that a few dozen clusters are told apart to a thousandth.

    Args:
        coordination: `(k,)` nats of the clusters that are tested.
        demand: `(k,)` nats of the same clusters.
        ordinary_coordination: `(n,)` nats of clusters, coordinated or not.
        ordinary_demand: `(m,)` nats of clusters and lone accounts that nothing coordinates; none of those tested.
        among_them: Whether the tested clusters are among the `n`.

    Returns:
        `(k,)` float64 in (0, 1].
    """
    ranked = np.sort(ordinary_demand)
    out = np.ones(len(coordination))
    for index, (own, asked) in enumerate(zip(coordination, demand, strict=True)):
        if own * asked <= 0:
            continue
        others = ordinary_coordination if among_them else np.append(ordinary_coordination, own)
        needed = own * asked * (1 - 1e-12) / np.maximum(others, 1e-300)
        as_high = len(ranked) - np.searchsorted(ranked, needed, side="left") + (asked >= needed)
        # A cluster that people called hostile is among no references, not even its own.
        out[index] = max(int(as_high.sum()), 1) / (max(len(others), 1) * (len(ranked) + 1))
    return np.minimum(out, 1.0)


def lone_p_values(
    scores: NDArray[np.float64], ordinary: NDArray[np.float64], *, among_them: bool
) -> NDArray[np.float64]:
    """Return conformal p-values of lone accounts; the largest of all is judged by how far it stands apart.

    With scores whose tail is exponential, as the log of a heavy-tailed volume has it (Zipf's law), the gap above the second
    largest of `n` is itself exponential and `exp(-gap) / n` a valid p-value.

    Args:
        scores: `(k,)` nats.
        ordinary: `(n,)` nats of what they are compared with.
        among_them: Whether the scores are among those.
    """
    ranked = np.sort(ordinary)
    size = len(ranked) - among_them
    if size <= 0:
        return np.ones(len(scores))
    as_high = len(ranked) - np.searchsorted(ranked, scores - 1e-12, side="left") - among_them
    next_best = ranked[size - 1]
    beyond = np.exp(-np.maximum(scores - next_best, 0.0) / MIN_SCALE_NATS)
    return np.asarray(np.where(as_high <= 0, beyond, 1 + as_high) / (size + 1))


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
