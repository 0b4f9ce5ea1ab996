"""Severity says how bad, confidence says how sure; neither says the other."""

import inspect

import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.findings.severity import Gravity, confidence
from stillwatch.domain.findings import Confidence, Severity


@pytest.mark.parametrize(
    ("exchanges", "accounts", "controls", "expected"),
    [
        (300, 0, (), Severity.LOW),
        (300, 2, (), Severity.LOW),
        (2_000, 0, (), Severity.LOW),
        (2_000, 4, (), Severity.LOW),
        (2_000, 5, (), Severity.MEDIUM),
        (300, 3, ("ban evasion",), Severity.MEDIUM),
        (5_000, 0, (), Severity.MEDIUM),
        (5_000, 14, (), Severity.MEDIUM),
        (30_000, 14, (), Severity.HIGH),
        (30_000, 600, ("ban evasion",), Severity.CRITICAL),
        (13_000_000, 600, ("ban evasion", "identity checks"), Severity.CRITICAL),
    ],
)
def test_severity_grows_with_scale_coordination_and_controls(
    exchanges: float, accounts: int, controls: tuple[str, ...], expected: Severity
) -> None:
    assert Gravity(exchanges, accounts, controls).severity is expected


@given(st.floats(0, 1e8), st.integers(0, 30_000), st.floats(1, 100), st.integers(0, 1_000))
def test_more_of_anything_is_never_less_severe(
    exchanges: float, accounts: int, factor: float, more: int
) -> None:
    base = Gravity(exchanges, accounts, ()).severity.rank
    assert Gravity(exchanges * factor, accounts, ()).severity.rank >= base
    assert Gravity(exchanges, accounts + more, ()).severity.rank >= base
    assert Gravity(exchanges, accounts, ("ban evasion",)).severity.rank >= base


def test_severity_does_not_see_the_evidence() -> None:
    assert set(inspect.signature(Gravity).parameters) == {"exchanges", "coordinated_accounts", "controls"}


def test_confidence_does_not_see_the_scale() -> None:
    assert set(inspect.signature(confidence).parameters) == {"q_value", "supporting"}


@pytest.mark.parametrize(
    ("q_value", "supporting", "expected"),
    [
        (0.0001, 3, Confidence.HIGH),
        (0.0001, 2, Confidence.MODERATE),
        (0.04, 5, Confidence.MODERATE),
        (0.04, 0, Confidence.LOW),
    ],
)
def test_confidence_needs_both_a_small_q_value_and_supporting_signals(
    q_value: float, supporting: int, expected: Confidence
) -> None:
    assert confidence(q_value, supporting) is expected


def test_every_severity_has_its_reasons_in_sentences() -> None:
    reasons = Gravity(30_000, 40, ("ban evasion: 3 accounts were closed",)).reasons
    assert reasons == (
        "scale: 30,000 exchanges",
        "coordination: 40 accounts appear to have one operator",
        "control got around: ban evasion: 3 accounts were closed",
    )


def test_what_is_only_observed_says_why() -> None:
    gravity = Gravity(2_000, 0, ())
    assert gravity.severity is Severity.LOW
    assert len(gravity.reasons) == 1
    assert "2,000 exchanges" in gravity.reasons[0]
    assert "observe only" in gravity.reasons[0]
