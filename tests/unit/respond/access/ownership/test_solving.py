"""The least solution of an ownership system, whatever its circles look like."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse
from tests.unit.respond.access.ownership.test_attribution import exact, graph_of

from stillwatch.respond.access.ownership import solving
from stillwatch.respond.access.ownership.attribution import proportional, system_of
from stillwatch.respond.access.ownership.solving import least_solution


@st.composite
def systems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draw a matrix whose rows add up to 1 at most, and a constant that fits into what is left."""
    count = draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    parts = rng.random((count, count + 2)) * (rng.random((count, count + 2)) < 0.4)
    totals = np.maximum(parts.sum(axis=1, keepdims=True), 1e-9)
    shares = parts / totals * (parts.sum(axis=1, keepdims=True) > 0)
    return shares[:, :count], shares[:, count]


def risen(weights: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Rise from below by repeated squaring: 2^20 rounds."""
    count = len(constant)
    step = np.block([[weights, constant[:, None]], [np.zeros((1, count)), np.ones((1, 1))]])
    power = np.linalg.matrix_power(step, 1 << 20)
    return np.asarray(power[:count, count])


@settings(deadline=None, max_examples=200)
@given(systems())
def test_it_is_what_iteration_from_below_rises_to(system: tuple[np.ndarray, np.ndarray]) -> None:
    weights, constant = system
    assert least_solution(sparse.csr_matrix(weights), constant) == pytest.approx(
        risen(weights, constant), abs=1e-8
    )


@settings(deadline=None, max_examples=50)
@given(systems())
def test_large_circles_are_iterated_to_the_same_solution(system: tuple[np.ndarray, np.ndarray]) -> None:
    weights, constant = system
    weights, constant = weights * 0.9, constant * 0.9
    exact = least_solution(sparse.csr_matrix(weights), constant)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solving, "LARGEST_CIRCLE", 0)
        assert least_solution(sparse.csr_matrix(weights), constant) == pytest.approx(exact, abs=1e-10)


def test_a_circle_without_an_outside_owner_is_nothing() -> None:
    ring = sparse.csr_matrix(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert least_solution(ring, np.zeros(2)).tolist() == [0.0, 0.0]


def test_a_circle_that_leaks_hardly_anything_is_still_exact() -> None:
    ring = sparse.csr_matrix(np.array([[0.0, 1.0 - 1e-9], [1.0, 0.0]]))
    assert least_solution(ring, np.array([1e-9, 0.0])) == pytest.approx([1.0, 1.0], abs=1e-6)


def test_a_large_circle_that_does_not_settle_still_ends_with_a_lower_bound() -> None:
    count = solving.LARGEST_CIRCLE + 1
    names = [f"c{number}" for number in range(count)]
    ring = dict.fromkeys([*pairwise(names), (names[-1], names[0])], 1.0 - 1e-9)
    places: dict[str, str | None] = {**dict.fromkeys(names, "XB"), "u": "XA"}
    graph = graph_of(places, exact({**ring, (names[0], "u"): 1e-9}))
    found = proportional(system_of(graph)).unsupported
    assert (found[: count - 1] > 0.0).all()
    assert (found <= 1.0).all()
