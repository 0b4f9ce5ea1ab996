"""Compare rows of sparse matrices for many pairs of accounts, compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def _merge(a_ptr, a_ind, a_dat, b_ptr, b_ind, b_dat, left, right, largest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    out = np.zeros(left.shape[0])
    for k in range(left.shape[0]):
        i, i_end = a_ptr[left[k]], a_ptr[left[k] + 1]
        j, j_end = b_ptr[right[k]], b_ptr[right[k] + 1]
        value = 0.0
        while i < i_end and j < j_end:
            if a_ind[i] < b_ind[j]:
                i += 1
            elif a_ind[i] > b_ind[j]:
                j += 1
            else:
                product = a_dat[i] * b_dat[j]
                if not largest:
                    value += product
                elif product > value:
                    value = product
                i += 1
                j += 1
        out[k] = value
    return out


def _run(
    a: sp.csr_matrix, b: sp.csr_matrix, left: NDArray[np.int64], right: NDArray[np.int64], *, largest: bool
) -> NDArray[np.float64]:
    a.sort_indices()
    b.sort_indices()
    return np.asarray(_merge(a.indptr, a.indices, a.data, b.indptr, b.indices, b.data, left, right, largest))


def pair_sum(
    a: sp.csr_matrix, b: sp.csr_matrix, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the inner products of rows `left` of `a` with rows `right` of `b`, `(m,)` float64."""
    return _run(a, b, left, right, largest=False)


def pair_max(
    a: sp.csr_matrix, b: sp.csr_matrix, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the largest common product of rows `left` of `a` with rows `right` of `b`, `(m,)` float64, 0 if none."""
    return _run(a, b, left, right, largest=True)


@njit(cache=True, nogil=True)
def holder_pairs(indptr, indices, order, all_pairs, ring, n_accounts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Pair the holders of each value: all pairs of a few, neighbors on a ring of many.

    Args:
        indptr: `(n_values + 1,)` where each value's holders begin and end.
        indices: `(n,)` holders.
        order: `(n_accounts,)` a random rank of each account, the place on the rings.
        all_pairs: Holders up to which all pairs are made.
        ring: Neighbors that each holder is paired with otherwise.
        n_accounts: Accounts in the population.

    Returns:
        `(m,)` int64 pairs as `left * n_accounts + right`, left below right; pairs may repeat.
    """
    total = 0
    for value in range(indptr.shape[0] - 1):
        held = indptr[value + 1] - indptr[value]
        total += held * (held - 1) // 2 if held <= all_pairs else held * ring
    out = np.empty(total, dtype=np.int64)
    place = 0
    for value in range(indptr.shape[0] - 1):
        holders = indices[indptr[value] : indptr[value + 1]].astype(np.int64)
        held = holders.shape[0]
        if held > all_pairs:
            holders = holders[np.argsort(order[holders])]
        for i in range(held):
            last = held if held <= all_pairs else i + 1 + ring
            for j in range(i + 1, last):
                a, b = holders[i], holders[j % held]
                out[place] = min(a, b) * n_accounts + max(a, b)
                place += 1
    return out[:place]
