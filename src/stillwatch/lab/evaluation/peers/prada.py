"""PRADA: do the distances between a client's queries look normal? Extraction, it says, makes them look chosen.

It needs one client with many queries, and takes any narrow product (a judge, a pipeline) for an attack.
"""

import warnings

import numpy as np
from scipy import stats

from stillwatch.lab.evaluation.peers.features import Features

MIN_QUERIES = 100  # arXiv 1805.02628: no verdict before 100 distances
MAX_QUERIES = 1_000  # distances to all earlier queries: cost grows with the square
_OUTLIER_DEVIATIONS = 3.0  # arXiv 1805.02628, algorithm 1


def prada_score(queries: Features) -> float | None:
    """1 - W of the Shapiro-Wilk test on nearest-earlier-query distances; high means not normal.

    Args:
        queries: `(n, d)` vectors of one client in the order they were sent.

    Returns:
        0 to 1, or None with fewer than 100 queries.

    References:
        Juuti et al. (2019), "PRADA: protecting against DNN model stealing attacks", arXiv 1805.02628.
    """
    if len(queries) <= MIN_QUERIES:
        return None
    distances = _nearest_earlier(queries[:MAX_QUERIES])
    spread = distances.std()
    kept = distances[np.abs(distances - distances.mean()) <= _OUTLIER_DEVIATIONS * spread]
    if spread == 0 or np.ptp(kept) == 0:
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of ties and near-constant input, which are the finding
        return 1.0 - float(stats.shapiro(kept).statistic)


def _nearest_earlier(queries: Features) -> Features:
    """Distance of each query but the first to the nearest that came before it."""
    cosine = queries @ queries.T
    earlier = np.tril(np.ones_like(cosine, dtype=bool), k=-1)
    nearest = np.where(earlier, cosine, -np.inf)[1:].max(axis=1)
    distances: Features = np.sqrt(np.maximum(0, 2 - 2 * nearest)).astype(np.float32)
    return distances
