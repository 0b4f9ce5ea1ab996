"""Find the few of many million hashes that occur more than once, in little memory.

Nearly all prompts and template keys occur once in a window. Two bits for each of a few times as many places tell so for
certain; those that share a place with another hash by chance are looked at closer in vain, never the other way round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import uint64

from stillwatch.detect.fingerprints.tokens import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLACES_PER_HASH = 8  # one hash in nine is then looked at in vain
LARGEST_LOG2 = 31  # half a gigabyte; beyond that more are looked at in vain
SMALLEST_LOG2 = 12
SLOTS_PER_HASH = 4
LARGEST_SLOTS_LOG2 = 26  # a quarter of a gigabyte

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Occurrences:
    """Counts hashes up to two.

    Args:
        expected: About how many will be counted.
    """

    def __init__(self, expected: int) -> None:
        """Make room."""
        log2 = _log2(PLACES_PER_HASH * expected, LARGEST_LOG2)
        self._shift = np.uint64(64 - log2)
        self._pairs = np.zeros(1 << (log2 - 5), np.uint64)

    def count(self, hashes: NDArray[np.int64]) -> None:
        """Count each of `(n,)` hashes."""
        _count(hashes, self._pairs, self._shift)

    def repeated(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each of `(n,)` hashes whether it may have been counted more than once; false is certain."""
        return _repeated(hashes, self._pairs, self._shift)


class Holders:
    """Tells hashes of one holder from those of several.

    Args:
        expected: About how many different hashes will be noted.
    """

    def __init__(self, expected: int) -> None:
        """Make room."""
        log2 = _log2(SLOTS_PER_HASH * expected, LARGEST_SLOTS_LOG2)
        self._shift = np.uint64(64 - log2)
        self._slots = np.zeros(1 << log2, np.uint32)

    def note(self, hashes: NDArray[np.int64], holders: NDArray[np.int64]) -> None:
        """Note who holds each of `(n,)` hashes; holders are hashes as well."""
        _note(hashes, holders, self._slots, self._shift)

    def several(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each of `(n,)` hashes whether several holders may have it.

        False is certain, but for one pair of holders in two billion.
        """
        return _several(hashes, self._slots, self._shift)


def _log2(wanted: int, largest: int) -> int:
    return min(max(SMALLEST_LOG2, int(wanted).bit_length()), largest)


@compiled
def _count(hashes: NDArray[np.int64], pairs: NDArray[np.uint64], shift: np.uint64) -> None:
    for i in range(hashes.shape[0]):
        place = (uint64(hashes[i]) * _SPREAD) >> shift
        at = uint64(2) * (place & uint64(31))
        word = pairs[place >> uint64(5)]
        once = (word >> at) & uint64(1)
        pairs[place >> uint64(5)] = word | (uint64(1) << at) | (once << (at + uint64(1)))


@compiled
def _repeated(hashes: NDArray[np.int64], pairs: NDArray[np.uint64], shift: np.uint64) -> NDArray[np.bool_]:
    found = np.empty(hashes.shape[0], dtype=np.bool_)
    for i in range(hashes.shape[0]):
        place = (uint64(hashes[i]) * _SPREAD) >> shift
        at = uint64(2) * (place & uint64(31)) + uint64(1)
        found[i] = (pairs[place >> uint64(5)] >> at) & uint64(1)
    return found


_NOBODY, _SEVERAL = np.uint32(0), np.uint32(1)


@compiled
def _note(
    hashes: NDArray[np.int64], holders: NDArray[np.int64], slots: NDArray[np.uint32], shift: np.uint64
) -> None:
    for i in range(hashes.shape[0]):
        place = (uint64(hashes[i]) * _SPREAD) >> shift
        holder = np.uint32(uint64(holders[i]) & uint64(0xFFFFFFFF)) | np.uint32(2)
        known = slots[place]
        if known == _NOBODY:
            slots[place] = holder
        elif known != holder:
            slots[place] = _SEVERAL


@compiled
def _several(hashes: NDArray[np.int64], slots: NDArray[np.uint32], shift: np.uint64) -> NDArray[np.bool_]:
    found = np.empty(hashes.shape[0], dtype=np.bool_)
    for i in range(hashes.shape[0]):
        found[i] = slots[(uint64(hashes[i]) * _SPREAD) >> shift] == _SEVERAL
    return found
