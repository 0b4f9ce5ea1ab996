"""Chance that is a function: the same key and the same salt always draw the same value.

A request's text, a customer's template and a benchmark's item all come from 64-bit keys. Two rows that carry the
same key get the same text, whatever day, chunk or machine writes them. That is what makes a stream of any length
reproducible without keeping anything: repeated questions, shared exercises and sweeps of a data set are repeated keys.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# Constants of splitmix64: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 17.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


def salt(*parts: object) -> int:
    """Turn names and numbers into a 64-bit salt that is the same in every process."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def mix(keys: Keys, by: int = 0) -> Keys:
    """Scramble keys with a salt (splitmix64's finalizer).

    Args:
        keys: `(n,)` uint64.
        by: A salt; different salts give independent values for the same key.

    Returns:
        `(n,)` uint64, uniform over all 64-bit values for distinct keys.
    """
    # Unsigned arrays wrap around silently, which is what the generator wants.
    z = keys ^ np.uint64(by)
    z *= _GAMMA
    z += _GAMMA
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        z ^= z >> np.uint64(shift)
        z *= factor
    z ^= z >> np.uint64(31)
    return z


def combine(left: Keys, right: Keys) -> Keys:
    """Make one key per pair of keys. The order matters."""
    return mix(left ^ mix(right, 0x5BD1E995), 0x27D4EB2F)


def uniform(keys: Keys, by: int) -> Floats:
    """Draw from [0, 1), one value per key."""
    return _unit(mix(keys, by))


def pick(keys: Keys, by: int, choices: int) -> Indices:
    """Draw an index below `choices` per key, uniformly."""
    return choose(mix(keys, by), choices)


def pick_weighted(keys: Keys, by: int, weights: Sequence[float] | Floats) -> Indices:
    """Draw an index per key with the given weights, which need not sum to one."""
    return choose_weighted(mix(keys, by), weights)


def choose(mixed: Keys, choices: int) -> Indices:
    """Draw an index below `choices` from keys that are already mixed for this purpose."""
    return (_unit(mixed) * choices).astype(np.int64)


def choose_weighted(mixed: Keys, weights: Sequence[float] | Floats) -> Indices:
    """Draw a weighted index from keys that are already mixed for this purpose."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(cumulative, _unit(mixed) * cumulative[-1], side="right")
    return np.asarray(np.minimum(drawn, len(cumulative) - 1), dtype=np.int64)


def _unit(mixed: Keys) -> Floats:
    return (mixed >> np.uint64(11)).astype(np.float64) * _TO_UNIT


def zipf_rank(keys: Keys, by: int, sizes: Indices | int, exponent: float) -> Indices:
    """Draw a rank from 0, small ranks far likelier, by inverting the continuous Zipf distribution.

    Args:
        keys: `(n,)` uint64.
        by: The salt.
        sizes: How many ranks there are, one number or one per key.
        exponent: 1 is the classical law. Larger means more repetition of the first ranks.

    Returns:
        `(n,)` int64, each below its size.
    """
    top = np.asarray(sizes, dtype=np.float64) + 1.0
    u = uniform(keys, by)
    power = 1.0 - exponent
    near_one = abs(power) < 1e-9
    rank = np.exp(u * np.log(top)) if near_one else (1.0 + u * (top**power - 1.0)) ** (1.0 / power)
    return np.minimum(rank - 1.0, top - 2.0).astype(np.int64).clip(0)


def normal(keys: Keys, by: int) -> Floats:
    """Draw from the standard normal distribution, one value per key (Box-Muller)."""
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(keys, by)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(keys, by ^ 0x51ED27)), dtype=np.float64)


def log_normal(keys: Keys, by: int, median: float | Floats, sigma: float | Floats) -> Floats:
    """Draw from a log-normal distribution by its median and the deviation of its logarithm."""
    return np.asarray(median * np.exp(sigma * normal(keys, by)), dtype=np.float64)


def key_range(start: int, count: int, by: int) -> Keys:
    """Make `count` distinct keys that belong to the salt, from position `start` of its endless sequence."""
    return mix(np.arange(start, start + count, dtype=np.uint64), by)
