"""A policy is read strictly: a list that is not understood would clear everybody."""

import re
from pathlib import Path

import pytest

from stillwatch.errors import OwnershipError
from stillwatch.respond.access.ownership.policy import OwnershipPolicy, read_policy
from stillwatch.respond.access.ownership.regions import Standing, place_in


def read(tmp_path: Path, text: str) -> OwnershipPolicy:
    """Write and read a policy."""
    path = tmp_path / "policy.yml"
    path.write_text(text)
    return read_policy(path)


def test_codes_are_read_in_any_case(tmp_path: Path) -> None:
    assert read(tmp_path, "unsupported: [xa, XB-01]").unsupported == {"XA", "XB-01"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "unsupported: []",
        "unsupported: [Atlantis]",
        "unsupported: XA",
        "unsupported: [no]",
        "unsupported: [XA]\nthreshold_percent: 100",
        "unsupported: [XA]\nreading: strict",
        "unsupported: [XA]\nbases: []",
        "unsupported: [XA]\nunsuported: [XB]",
        "unsupported: [XA",
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(OwnershipError, match=re.escape("policy.yml")) as caught:
        read(tmp_path, text)
    assert "docs/access.md" in caught.value.hint


def test_a_missing_policy_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(OwnershipError, match="cannot be read"):
        read_policy(tmp_path / "nothing.yml")


@pytest.mark.parametrize(
    ("place", "standing"),
    [
        ("XA", Standing.UNSUPPORTED),
        ("xa-05", Standing.UNSUPPORTED),
        ("XB-01", Standing.UNSUPPORTED),
        ("XB-02", Standing.SUPPORTED),
        ("XB", Standing.UNKNOWN),
        ("XC", Standing.SUPPORTED),
        ("GR", Standing.UNSUPPORTED),
        ("EL", Standing.UNSUPPORTED),
        ("Atlantis", Standing.UNKNOWN),
        ("XC-", Standing.UNKNOWN),
        ("", Standing.UNKNOWN),
        (None, Standing.UNKNOWN),
    ],
)
def test_a_place_is_compared_by_country_and_subdivision(place: str | None, standing: Standing) -> None:
    assert place_in(place, {"XA", "XB-01", "GR"}) is standing
