"""The window detector follows the published formula, holds its level and has power."""

import math

import numpy as np
import pytest

from stillwatch.lab.evaluation.peers.features import Features
from stillwatch.lab.evaluation.peers.mmd import MmdDetector, _nulls, kernel, median_bandwidths, mmd_squared


def by_the_formula(x: list[list[float]], y: list[list[float]], bandwidths: list[float]) -> float:
    """Gretton et al. (2012), equation 3, term by term."""

    def k(a: list[float], b: list[float]) -> float:
        squared = sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
        return sum(math.exp(-squared / (2 * s**2)) for s in bandwidths) / len(bandwidths)

    n, m = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return xx + yy - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


def normal(rng: np.random.Generator, count: int, shift: float = 0.0) -> Features:
    return (rng.normal(size=(count, 8)) + shift).astype(np.float32)


def test_the_statistic_is_the_published_formula_on_a_tiny_input() -> None:
    x, y = [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [3.0, 0.0]]
    bandwidths = [0.5, 1.0, 2.0, 4.0]
    got = mmd_squared(np.array(x, np.float32), np.array(y, np.float32), np.array(bandwidths))
    assert got == pytest.approx(by_the_formula(x, y, bandwidths), abs=1e-6)


def test_bandwidths_are_the_median_distance_times_the_factors() -> None:
    # Distances 3, 4 and 5: the median is 4.
    corners = np.array([[0, 0], [3, 0], [0, 4]], np.float32)
    assert median_bandwidths(corners) == pytest.approx([2.0, 4.0, 8.0, 16.0])


def test_a_vector_is_wholly_like_itself() -> None:
    x = normal(np.random.default_rng(1), 5)
    assert np.diag(kernel(x, x, np.array([1.0]))) == pytest.approx(np.ones(5), abs=1e-5)


def test_the_fitted_detector_scores_what_the_formula_gives_against_its_references() -> None:
    rng = np.random.default_rng(2)
    detector = MmdDetector.fit(normal(rng, 60), rng, window=20, nulls=10, references=3)
    window = normal(rng, 15)
    slow = [mmd_squared(window, detector.pool[rows], detector.bandwidths) for rows in detector.references]
    assert detector.score(window) == pytest.approx(float(np.mean(slow)), abs=1e-6)


def test_the_nulls_are_the_formula_between_disjoint_halves_of_the_pool() -> None:
    pool = normal(np.random.default_rng(9), 30)
    bandwidths = median_bandwidths(pool)
    fast = _nulls(kernel(pool, pool, bandwidths), np.random.default_rng(10), 15, 4)
    rng = np.random.default_rng(10)
    orders = [rng.permutation(30) for _ in range(4)]
    slow = [mmd_squared(pool[order[:15]], pool[order[15:]], bandwidths) for order in orders]
    assert fast == pytest.approx(slow, abs=1e-5)


@pytest.fixture(scope="module")
def detector() -> MmdDetector:
    rng = np.random.default_rng(3)
    return MmdDetector.fit(normal(rng, 2_000), rng, window=200, nulls=400, references=20)


def test_ordinary_windows_are_flagged_at_the_level_or_below(detector: MmdDetector) -> None:
    rng = np.random.default_rng(4)
    flagged = sum(detector.is_flagged(normal(rng, 200)) for _ in range(200))
    # The level is 5 %; 20 of 200 would be more than four standard deviations above it.
    assert flagged <= 20


def test_one_reference_alone_is_exceeded_at_about_the_level(detector: MmdDetector) -> None:
    rng = np.random.default_rng(5)
    values = [mmd_squared(normal(rng, 200), normal(rng, 200), detector.bandwidths) for _ in range(300)]
    share = float(np.mean(np.array(values) > detector.threshold))
    assert 0.015 <= share <= 0.10


def test_the_statistic_is_centered_on_zero_under_the_null(detector: MmdDetector) -> None:
    rng = np.random.default_rng(6)
    values = [mmd_squared(normal(rng, 100), normal(rng, 100), detector.bandwidths) for _ in range(200)]
    assert abs(float(np.mean(values))) < 4 * float(np.std(values)) / math.sqrt(200)


def test_shifted_windows_are_flagged(detector: MmdDetector) -> None:
    rng = np.random.default_rng(7)
    assert all(detector.is_flagged(normal(rng, 200, shift=0.4)) for _ in range(20))


def test_a_small_window_of_a_small_shift_is_missed_more_often_than_a_large_one(detector: MmdDetector) -> None:
    rng = np.random.default_rng(8)
    power = [sum(detector.is_flagged(normal(rng, size, shift=0.2)) for _ in range(40)) for size in (10, 200)]
    assert power[0] < power[1]
