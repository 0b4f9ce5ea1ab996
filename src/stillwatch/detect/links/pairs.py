"""Pairs of accounts that have something in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """Which account holds which values.

    Args:
        pointers: `(n_rows + 1,)` int64, where each row's values begin.
        values: `(n,)` int64, sorted within each row.
        n_values: Values there are.
    """

    pointers: NDArray[np.int64]
    values: NDArray[np.int64]
    n_values: int

    @classmethod
    def of(
        cls, accounts: Sequence[NDArray[np.int64]], values: Sequence[NDArray[np.int64]], n_accounts: int
    ) -> Rows:
        """Collect rows from pairs of account and value, no pair twice."""
        account = np.concatenate([np.empty(0, np.int64), *accounts])
        value = np.concatenate([np.empty(0, np.int64), *values])
        n_values = int(value.max()) + 1 if len(value) else 0
        order = np.argsort(account * n_values + value)
        pointers = np.concatenate([[0], np.cumsum(np.bincount(account, minlength=n_accounts))])
        return cls(pointers.astype(np.int64), value[order], n_values)

    def transposed(self) -> Rows:
        """Return the rows of the values: which accounts hold them."""
        account = np.repeat(np.arange(len(self.pointers) - 1), np.diff(self.pointers))
        order = np.argsort(self.values, kind="stable")
        pointers = np.concatenate([[0], np.cumsum(np.bincount(self.values, minlength=self.n_values))])
        return Rows(pointers.astype(np.int64), account[order], len(self.pointers) - 1)


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
