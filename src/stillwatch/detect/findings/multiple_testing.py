"""False-discovery control over clusters of very unlike size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def weighted_q_values(p_values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust p-values by Benjamini and Hochberg's procedure with weights.

    A cluster's weight is its share of the demand: thousands of one-person clusters must not drown the few that
    matter, and the weights are fixed before any evidence is looked at. With equal weights this is the ordinary
    procedure.

    Args:
        p_values: `(n,)` float64.
        weights: `(n,)` float64, not negative; scaled here to a mean of one.

    Returns:
        `(n,)` float64 q-values; rejecting those up to a level keeps the false-discovery rate at that level.

    References:
        Genovese, Roeder and Wasserman, 2006, "False discovery control with p-value weighting", Biometrika 93, eq. 3.
    """
    count = len(p_values)
    if count == 0:
        return np.empty(0)
    mean = weights.mean()
    scaled = weights / mean if mean > 0 else np.ones(count)
    adjusted = p_values / np.maximum(scaled, 1e-12)
    order = np.argsort(adjusted, kind="stable")
    ranked = adjusted[order] * count / np.arange(1, count + 1)
    monotone = np.minimum.accumulate(ranked[::-1])[::-1]
    out = np.empty(count)
    out[order] = np.minimum(monotone, 1.0)
    return out
