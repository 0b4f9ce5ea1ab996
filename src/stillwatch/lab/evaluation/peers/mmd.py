"""The window detector of arXiv 2606.05725: is a window of traffic distributed as ordinary traffic is?

It says *unusual*, never *extraction*: a new product, an evaluation or a judge is as unusual as a campaign, and a
quiet account never fills a window.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from stillwatch.lab.evaluation.peers.features import Features

BANDWIDTH_FACTORS = (0.5, 1.0, 2.0, 4.0)  # x median distance, arXiv 2606.05725
WINDOW = 1_500
NULLS = 1_000
REFERENCES = 20
QUANTILE = 0.95
Vector = npt.NDArray[np.float64]


def mmd_squared(x: Features, y: Features, bandwidths: Vector) -> float:
    """Unbiased squared maximum mean discrepancy with a mean of RBF kernels; around 0 for equal distributions.

    Args:
        x: `(n, d)` vectors.
        y: `(m, d)` vectors.
        bandwidths: Standard deviations of the kernels.

    References:
        Gretton et al. (2012), "A kernel two-sample test", JMLR 13, equation 3.
    """
    return _unbiased(
        _off_diagonal(kernel(x, x, bandwidths)),
        _off_diagonal(kernel(y, y, bandwidths)),
        float(kernel(x, y, bandwidths).sum()),
        (len(x), len(y)),
    )


def kernel(x: Features, y: Features, bandwidths: Vector) -> Features:
    """`(n, m)` float32, the mean of exp(-distance² / 2 bandwidth²) over the bandwidths."""
    squared = _squared_distances(x, y)
    total = np.zeros_like(squared)
    for bandwidth in bandwidths:
        total += np.exp(squared * np.float32(-0.5 / bandwidth**2))
    return total / np.float32(len(bandwidths))


def median_bandwidths(sample: Features) -> Vector:
    """Median distance between two rows of the sample, times each factor."""
    squared = _squared_distances(sample, sample)
    above = squared[np.triu_indices(len(sample), k=1)]
    median = float(np.sqrt(np.median(above)))
    return np.array([factor * (median or 1.0) for factor in BANDWIDTH_FACTORS])


@dataclass(frozen=True)
class MmdDetector:
    """A fitted detector.

    Kernel sums over the benign pool are computed once; every null and every reference is then a sum over chosen
    rows of one matrix, which gives the published statistic at a small part of its cost.

    Args:
        pool: Benign vectors.
        bandwidths: Kernel bandwidths, from the pool.
        threshold: 95th percentile of the benign-vs-benign nulls.
        references: `(n_references, window)` row numbers of the pool.
        reference_sums: Off-diagonal kernel sum within each reference.
    """

    pool: Features
    bandwidths: Vector
    threshold: float
    references: npt.NDArray[np.intp]
    reference_sums: Vector

    @classmethod
    def fit(
        cls,
        benign: Features,
        rng: np.random.Generator,
        *,
        window: int = WINDOW,
        nulls: int = NULLS,
        references: int = REFERENCES,
    ) -> Self:
        """Fit on ordinary traffic.

        Args:
            benign: `(n, d)` vectors, at least two windows of them.
            rng: Chance.
            window: Requests in a window.
            nulls: Benign-vs-benign windows that the threshold is taken from.
            references: Benign windows that each tested window is compared with.
        """
        size = min(window, len(benign) // 2)
        bandwidths = median_bandwidths(benign[rng.permutation(len(benign))[:size]])
        gram = kernel(benign, benign, bandwidths)
        values = _nulls(gram, rng, size, nulls)
        chosen = np.array([rng.permutation(len(benign))[:size] for _ in range(references)])
        within = np.array([_off_diagonal(gram[np.ix_(rows, rows)]) for rows in chosen])
        return cls(benign, bandwidths, float(np.quantile(values, QUANTILE)), chosen, within)

    def score(self, window: Features) -> float:
        """Mean MMD² to the references; high means unlike ordinary traffic."""
        own = _off_diagonal(kernel(window, window, self.bandwidths))
        columns = kernel(window, self.pool, self.bandwidths).sum(axis=0, dtype=np.float64)
        sizes = (len(window), self.references.shape[1])
        values = [
            _unbiased(own, within, float(columns[rows].sum()), sizes)
            for rows, within in zip(self.references, self.reference_sums, strict=True)
        ]
        return float(np.mean(values))

    def is_flagged(self, window: Features) -> bool:
        """Whether the window is less like ordinary traffic than 95 % of the nulls."""
        return self.score(window) > self.threshold


def _nulls(gram: Features, rng: np.random.Generator, size: int, count: int) -> Vector:
    """MMD² between `count` pairs of disjoint benign windows, as sums over chosen rows of one kernel matrix."""
    first, second = (np.zeros((len(gram), count), np.float32) for _ in range(2))
    for pair in range(count):
        order = rng.permutation(len(gram))
        first[order[:size], pair] = 1
        second[order[size : 2 * size], pair] = 1
    toward_first = gram @ first
    own = np.diag(gram).sum(dtype=np.float64) / len(gram) * size  # the diagonal is constant: k(x, x) = 1
    within_first = (first * toward_first).sum(axis=0, dtype=np.float64) - own
    across = (second * toward_first).sum(axis=0, dtype=np.float64)
    within_second = (second * (gram @ second)).sum(axis=0, dtype=np.float64) - own
    values: Vector = (within_first + within_second) / (size * (size - 1)) - 2 * across / size**2
    return values


def _unbiased(within_x: float, within_y: float, across: float, sizes: tuple[int, int]) -> float:
    n, m = sizes
    return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * across / (n * m)


def _off_diagonal(gram: Features) -> float:
    return float(gram.sum(dtype=np.float64) - np.trace(gram, dtype=np.float64))


def _squared_distances(x: Features, y: Features) -> Features:
    squared = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None, :] - 2 * (x @ y.T)
    clipped: Features = np.maximum(squared, 0).astype(np.float32)  # rounding can fall below zero
    return clipped
