"""Conditions of rules combine searches as they read."""

import numpy as np
import pytest

from stillwatch.detect.fingerprints.elicitation.condition import (
    ConditionSyntaxError,
    evaluate,
    parse_condition,
)

NAMES = ["asks", "layout_a", "layout_b", "homework"]
HITS = {
    "asks": np.array([True, True, False, False]),
    "layout_a": np.array([False, True, True, False]),
    "layout_b": np.array([False, True, False, False]),
    "homework": np.array([False, True, False, True]),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("asks", [1, 1, 0, 0]),
        ("asks and layout_a", [0, 1, 0, 0]),
        ("asks or layout_a and layout_b", [1, 1, 0, 0]),
        ("(asks or layout_a) and not homework", [1, 0, 1, 0]),
        ("1 of them", [1, 1, 1, 1]),
        ("2 of them", [0, 1, 0, 0]),
        ("all of layout*", [0, 1, 0, 0]),
        ("1 of layout* and not homework", [0, 0, 1, 0]),
    ],
)
def test_a_condition_means_what_it_says(text: str, expected: list[int]) -> None:
    assert evaluate(parse_condition(text, NAMES), HITS).tolist() == [bool(value) for value in expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "asks and",
        "unknown",
        "asks homework",
        "(asks",
        "5 of them",
        "0 of them",
        "1 of nothing*",
        "x of them",
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConditionSyntaxError):
        parse_condition(text, NAMES)


def test_a_condition_that_holds_for_everything_is_refused() -> None:
    with pytest.raises(ConditionSyntaxError, match="every request"):
        parse_condition("not homework", NAMES)
