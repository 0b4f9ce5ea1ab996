"""The graph of accounts: each tied to those it shares most with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.links.membership import alone_nats

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBORS = 30  # ties kept for each account; a community shows in far fewer


def nearest_neighbors(evidence: LinkEvidence, rng: np.random.Generator) -> sp.csr_matrix:
    """Keep the strongest ties of each account.

    Args:
        evidence: The links.
        rng: Chance, for widely held values.

    Returns:
        `(n, n)` symmetric sparse matrix of nats in excess of what one link alone may be worth; positive only.
    """
    left, right = evidence.candidates(rng)
    left, right, nats = evidence.strong(left, right)
    # Equal ties must stay equal however their parts were added up, or rounding would choose the neighbors.
    excess = np.round(nats - alone_nats(evidence.size), 9)
    return _strongest(left, right, excess, evidence.size)


def _strongest(
    left: NDArray[np.int64], right: NDArray[np.int64], nats: NDArray[np.float64], size: int
) -> sp.csr_matrix:
    row, column = np.concatenate([left, right]), np.concatenate([right, left])
    weight = np.concatenate([nats, nats])
    order = np.lexsort((column, -weight, row))
    row, column, weight = row[order], column[order], weight[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    near = rank < NEIGHBORS
    graph = sp.csr_matrix((weight[near], (row[near], column[near])), shape=(size, size))
    return graph.maximum(graph.T).tocsr()
