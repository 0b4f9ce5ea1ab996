"""Solving v = W v + b for large sparse W whose rows add up to 1 at most: the least solution.

Companies are put in the order of their circles (strongly connected components, owners first), which makes I - W
block triangular: elimination fills in only inside a circle, so that chains and small circles are solved exactly in
about the time it takes to read them. Pivots are not needed, because I - W is diagonally dominant. A circle of
thousands of companies, which no published register holds, would fill its whole block; it is iterated from below
instead, v <- W v + b, which rises to the least solution and is a valid lower bound wherever it stops.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.sparse.linalg import splu

Shares = NDArray[np.float64]
Flags = NDArray[np.bool_]

LARGEST_CIRCLE: Final = 2_000
_ROUNDS: Final = 20_000
_SETTLED: Final = 1e-14


def least_solution(inner: Any, constant: Shares) -> Shares:
    """Solve v = W v + b.

    Args:
        inner: `(n, n)` sparse W, entries at least 0, rows that add up to 1 at most.
        constant: `(n,)` b, at least 0.

    Returns:
        `(n,)` the least solution; 0 for a node from which no share leads to anything, such as one of a circle
        that holds only itself.
    """
    values = np.zeros(len(constant))
    nodes = np.flatnonzero(_reaching(inner, constant > 0.0))
    if len(nodes):
        inside = sparse.csr_matrix(inner[nodes][:, nodes])
        values[nodes] = np.clip(_solved(inside, constant[nodes]), 0.0, 1.0)
    return values


def _solved(inner: Any, constant: Shares) -> Shares:
    """Eliminate where circles are small, iterate where they are not."""
    _, circle = connected_components(inner, directed=True, connection="strong")
    entries = inner.tocoo()
    owners_first = bool((circle[entries.row] >= circle[entries.col]).all())
    if np.bincount(circle).max() > LARGEST_CIRCLE or not owners_first:
        return _iterated(inner, constant)
    order = np.argsort(circle, kind="stable")
    matrix = sparse.csc_matrix((sparse.identity(len(constant)) - inner)[order][:, order])
    factors = splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    values = np.empty(len(constant))
    values[order] = factors.solve(constant[order])
    return values


def _iterated(inner: Any, constant: Shares) -> Shares:
    """Rise from below until nothing moves."""
    values = np.zeros(len(constant))
    for _ in range(_ROUNDS):
        risen: Shares = inner @ values + constant
        if (risen - values).max() <= _SETTLED:
            return risen
        values = risen
    return values


def _reaching(inner: Any, start: Flags) -> Flags:
    """Flag the nodes from which some share reaches a flagged one; only for these the system has one solution."""
    count = len(start)
    gate = sparse.csr_matrix(np.append(start, False).astype(float))  # one more node, whom all that start own
    owned = sparse.csr_matrix(sparse.block_diag((inner, sparse.csr_matrix((1, 1)))).T)
    downwards = sparse.vstack([owned[:count], gate]).tocsr()
    reaching = np.zeros(count + 1, dtype=bool)
    reaching[breadth_first_order(downwards, count, return_predecessors=False)] = True
    return reaching[:count]
