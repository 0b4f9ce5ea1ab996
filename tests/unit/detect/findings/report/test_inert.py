import unicodedata

from hypothesis import given, strategies as st

from stillwatch.detect.findings.report.inert import inert


@given(st.text())
def test_nothing_that_acts_survives(text: str) -> None:
    safe = inert(text)
    joiners = "\u200c\u200d"
    acting = [c for c in safe if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c not in joiners]
    assert acting == []
    assert "\n" not in safe


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_in_any_script_is_untouched(text: str) -> None:
    assert inert(text) == text


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1), st.integers(2, 50))
def test_long_text_is_cut_to_the_limit(text: str, limit: int) -> None:
    assert len(inert(text, limit)) <= limit


def test_lines_and_tabs_become_single_spaces() -> None:
    assert inert("one\n\ttwo\r\n three") == "one two three"


def test_characters_beyond_the_first_plane_are_written_with_eight_digits() -> None:
    assert inert("\U000e0041") == "\\U000e0041"
