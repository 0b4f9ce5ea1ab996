"""Each benchmark rewrites its own section of the results page and no other."""

from pathlib import Path

from benchmarks.claims import Claim, print_claims
from benchmarks.results import write_section


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    write_section("one", "First", "old figures", page=page)
    write_section("two", "Second", "other figures", page=page)
    write_section("one", "First", r"new figures with \1 in them", page=page)
    text = page.read_text()
    assert "old figures" not in text
    assert r"new figures with \1 in them" in text
    assert "other figures" in text
    assert text.count("## First") == 1
    assert text.index("## First") < text.index("## Second")


def test_one_missed_claim_fails_and_one_that_could_not_be_measured_does_not() -> None:
    assert print_claims([Claim("a", "1", holds=True), Claim("b", "-", holds=None)]) == 0
    assert print_claims([Claim("a", "1", holds=True), Claim("b", "0", holds=False)]) == 1
