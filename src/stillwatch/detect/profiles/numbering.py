"""Number accounts by the hashes of their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import uint64

from stillwatch.detect.fingerprints.tokens import GOLDEN, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Numbering:
    """Finds the number of each of many accounts.

    Args:
        hashes: `(n_accounts,)` hashes of the ids, each once; the first is number 0.
    """

    def __init__(self, hashes: NDArray[np.int64]) -> None:
        """Build the table."""
        self.size = len(hashes)
        log2 = max(4, (2 * self.size).bit_length())
        self._shift = np.uint64(64 - log2)
        self._hashes = np.zeros(1 << log2, np.int64)
        self._numbers = np.full(1 << log2, -1, np.int64)
        _fill(np.ascontiguousarray(hashes), self._hashes, self._numbers, self._shift)

    def of(self, hashes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of each of `(n,)` accounts, -1 for one that is not known."""
        return _find(hashes, self._hashes, self._numbers, self._shift)


@compiled
def _fill(
    given: NDArray[np.int64], hashes: NDArray[np.int64], numbers: NDArray[np.int64], shift: np.uint64
) -> None:
    last = uint64(hashes.shape[0] - 1)
    for i in range(given.shape[0]):
        place = (uint64(given[i]) * GOLDEN) >> shift
        while numbers[place] >= 0:
            place = (place + uint64(1)) & last
        hashes[place] = given[i]
        numbers[place] = i


@compiled
def _find(
    wanted: NDArray[np.int64], hashes: NDArray[np.int64], numbers: NDArray[np.int64], shift: np.uint64
) -> NDArray[np.int64]:
    last = uint64(hashes.shape[0] - 1)
    found = np.empty(wanted.shape[0], dtype=np.int64)
    for i in range(wanted.shape[0]):
        place = (uint64(wanted[i]) * GOLDEN) >> shift
        while numbers[place] >= 0 and hashes[place] != wanted[i]:
            place = (place + uint64(1)) & last
        found[i] = numbers[place]
    return found
