"""The audit says when accounts that write in another language are flagged more often."""

import pytest

from stillwatch.lab.evaluation.language_audit import audit_language, exact_p_value, rate_ratio
from stillwatch.lab.evaluation.truth import TrueAccount, Truth


def audit(other_flagged: int, rest_flagged: int) -> tuple[bool, float]:
    names = [f"o{index}" for index in range(20)] + [f"r{index}" for index in range(80)]
    accounts = {name: TrueAccount(name, "benign", None, "individual", 0.0) for name in names}
    letters = {name: 0.9 if name.startswith("o") else 0.01 for name in names}
    flagged = {f"o{index}" for index in range(other_flagged)} | {f"r{index}" for index in range(rest_flagged)}
    result = audit_language(Truth(accounts), letters, flagged, "low")
    return result.is_likelier, result.p_value


def test_five_of_twenty_against_one_of_eighty_is_likelier() -> None:
    is_likelier, p_value = audit(5, 1)
    assert is_likelier
    assert p_value < 0.01


def test_equal_rates_are_not() -> None:
    is_likelier, p_value = audit(2, 8)
    assert not is_likelier
    assert p_value == pytest.approx(1.0)


def test_a_lower_rate_is_not_however_significant() -> None:
    is_likelier, p_value = audit(0, 40)
    assert not is_likelier
    assert p_value < 0.05


def test_the_exact_test_gives_the_lady_who_tasted_tea_her_published_value() -> None:
    # Fisher (1935), The Design of Experiments, ch. 2: 3 of 4 right on both sides, one-sided 17/70.
    assert exact_p_value(3, 4, 1, 4) == pytest.approx(34 / 70)


def test_a_hostile_account_is_no_part_of_the_audit() -> None:
    accounts = {"h": TrueAccount("h", "distillation", "c", "c", 1.0)}
    result = audit_language(Truth(accounts), {"h": 0.9}, {"h"}, "low")
    assert (result.other_accounts, result.other_flagged) == (0, 0)


def test_the_ratio_is_not_defined_without_flags_among_the_rest() -> None:
    assert rate_ratio(1, 10, 0, 100) is None
    assert rate_ratio(1, 10, 1, 100) == pytest.approx(10.0)
