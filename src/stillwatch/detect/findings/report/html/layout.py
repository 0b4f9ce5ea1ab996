"""Where to draw the nodes of a small graph.

A force layout (Fruchterman and Reingold, *Software: Practice and Experience* 21, 1991) from a fixed start, so the
same graph always looks the same. Every iteration compares all pairs: fine for the few hundred nodes that a
reader can tell apart, and no more.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_ITERATIONS: Final = 260
_FIRST_STEP: Final = 0.12
"""How far a node may move at first, as part of the drawing; it shrinks to nothing."""

_GOLDEN_ANGLE: Final = np.pi * (3.0 - np.sqrt(5.0))
_GRAVITY: Final = 1.1
"""Pull towards the middle, so that parts without a link stay on the page."""

Floats = NDArray[np.float64]


def place_nodes(count: int, pairs: NDArray[np.int64], weight: Floats) -> Floats:
    """Return a place for each node.

    Args:
        count: number of nodes.
        pairs: `(n_edges, 2)` node numbers that a link joins.
        weight: `(n_edges,)` how strongly each link pulls, positive.

    Returns:
        `(count, 2)` coordinates between 0 and 1.
    """
    places = _spiral(count)
    if count < 2:
        return places
    ideal = np.sqrt(1.0 / count) * 0.9
    for iteration in range(_ITERATIONS):
        force = (
            _repulsion(places, ideal) + _attraction(places, pairs, weight, ideal) - _GRAVITY * (places - 0.5)
        )
        length = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        step = _FIRST_STEP * (1.0 - iteration / _ITERATIONS) ** 1.5
        places = places + force / length * np.minimum(length * ideal, step)
    return _fill(places)


def _spiral(count: int) -> Floats:
    """Return a sunflower: evenly spread, without a random number."""
    number = np.arange(count) + 0.5
    radius = 0.5 * np.sqrt(number / max(count, 1))
    angle = number * _GOLDEN_ANGLE
    spread = np.column_stack((np.cos(angle), np.sin(angle))) * radius[:, None]
    return 0.5 + (spread if count > 1 else np.zeros((count, 2)))


def _repulsion(places: Floats, ideal: float) -> Floats:
    """Push every pair apart, by the inverse of its distance."""
    point = places[:, 0] + 1j * places[:, 1]
    delta = np.conj(point[:, None] - point[None, :])
    delta[delta == 0] = np.inf  # a node does not push itself
    pushed = (1.0 / delta).sum(axis=1) * ideal
    return np.column_stack((pushed.real, pushed.imag))


def _attraction(places: Floats, pairs: NDArray[np.int64], weight: Floats, ideal: float) -> Floats:
    """Pull linked nodes together, by the square of their distance."""
    pulled = np.zeros_like(places)
    if len(pairs) == 0:
        return pulled
    delta = places[pairs[:, 1]] - places[pairs[:, 0]]
    strength = np.linalg.norm(delta, axis=1) * weight / weight.mean() / ideal
    np.add.at(pulled, pairs[:, 0], delta * strength[:, None])
    np.add.at(pulled, pairs[:, 1], -delta * strength[:, None])
    return pulled


def _fill(places: Floats) -> Floats:
    """Stretch the drawing to the unit square."""
    low, high = places.min(axis=0), places.max(axis=0)
    filled: Floats = (places - low) / np.maximum(high - low, 1e-9)
    return filled
