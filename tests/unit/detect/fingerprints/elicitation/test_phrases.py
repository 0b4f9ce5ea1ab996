"""Phrases mean what their marks say, whoever finds them."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.fingerprints.elicitation import load_rules
from stillwatch.detect.fingerprints.elicitation.normalizing import prepare_text, squeeze_text
from stillwatch.detect.fingerprints.elicitation.phrase import PhraseSyntaxError, compile_phrase
from stillwatch.detect.fingerprints.elicitation.scanning import PhraseScanner


def found(phrase: str, text: str | None) -> bool:
    hits = PhraseScanner([[compile_phrase(phrase)]]).scan(pa.array([text], pa.string()))
    return bool(hits[0, 0])


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("step by step", "Solve it STEP-by-step."),
        ("step by step", "step \t\n  by   **step**"),
        ("step by step", "s\u200btep by s\u00adtep"),
        ("step by step", "\uff53\uff54\uff45\uff50 by step"),  # full-width letters
        ("step by step", "\U0001d42c\U0001d42d\U0001d41e\U0001d429 by step"),  # mathematical letters
        ("(good|bad) answer", "a bad answer"),
        ("the [whole] answer", "the answer"),
        ("the [whole|full] answer", "the full answer"),
        ("step by step [reasoning]", "step by step"),
        ("translate ~ french", "translate the following into French"),
        ("translate ~80 french", "translate " + "x" * 70 + " french"),
        ("rewrit* the prompt", "rewriting the prompt"),
        ("(check*|verify) it twice", "checking it twice"),
        ("*logprobs", "toplogprobs"),
        ("write # questions", "write 25 questions"),
        ("перепиши ~ запрос", "ПЕРЕПИШИ этот запрос"),
        ("思考过程", "请写出思考过程。"),
        ("추론 과정", "\u110e\u116e\u1105\u1169\u11ab 과정"),  # decomposed Hangul
        (r"\[inst\]", "[INST] hello"),
    ],
)
def test_a_phrase_is_found_whatever_the_spelling(phrase: str, text: str) -> None:
    assert found(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("rate it", "narrate it"),
        ("rate it", "rate items"),
        ("translate ~5 french", "translate the following into French"),
        ("rewrit* the prompt", "rewrit ing the prompt"),
        ("(check*|verify)", "verifying"),
        ("write # questions", "write many questions"),
        ("write # questions", "write 12345678 questions"),
        ("question ~ answer", "answer the question"),
        ("question ~ answer", None),
        ("question ~ answer", ""),
    ],
)
def test_a_phrase_is_not_found_in_what_only_resembles_it(phrase: str, text: str | None) -> None:
    assert not found(phrase, text)


@pytest.mark.parametrize(
    "phrase",
    [
        "(open",
        "close)",
        "a|b",
        "(a (b|c) d)",
        "[",
        "~500 words",
        "x ~ y",
        "",
        "~",
        "(a#|b) word",
        "(it|b) ~ rubric",
    ],
)
def test_a_phrase_that_cannot_be_meant_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseSyntaxError):
        compile_phrase(phrase)


def test_only_the_head_and_the_tail_of_a_long_text_are_examined() -> None:
    assert found("score rubric", "score rubric " + "x " * 9_000)
    assert found("score rubric", "x " * 9_000 + "score rubric")
    assert not found("score rubric", "x " * 4_500 + "score rubric " + "x " * 4_500)


def test_no_phrase_reaches_across_the_middle_that_was_cut_out() -> None:
    text = "y" * 1_990 + " compare " + "x" * 5_000 + " answers" + "y" * 491
    assert not found("compare ~ answers*", text)


def test_rows_do_not_run_into_each_other() -> None:
    scanner = PhraseScanner([[compile_phrase("score ~ rubric")]])
    assert not scanner.scan(pa.array(["the score", "rubric", None, "score", "a rubric"])).any()


def test_a_slice_of_an_array_is_read_as_the_slice() -> None:
    scanner = PhraseScanner([[compile_phrase("score rubric")]])
    texts = pa.array(["score rubric", "ordinary", "score rubric", "ordinary"])
    assert scanner.scan(texts.slice(1, 2)).tolist() == [[False, True]]


@given(st.lists(st.one_of(st.none(), st.text()), max_size=6))
def test_no_text_breaks_the_scanner(texts: list[str | None]) -> None:
    texts = [text if text is None else text.encode("utf-8", "ignore").decode() for text in texts]
    hits = PhraseScanner([[compile_phrase("思考 ~ # steps")], [compile_phrase("a word*")]]).scan(
        pa.array(texts, pa.string())
    )
    assert hits.shape == (2, len(texts))


SHIPPED = [
    phrase
    for rule in load_rules()
    for search in rule.searches.values()
    for phrases in search.phrase_fields.values()
    for phrase in phrases
]
SCANNER = PhraseScanner([[phrase] for phrase in SHIPPED])
PATTERNS = [re.compile(phrase.pattern) for phrase in SHIPPED]
PIECES = sorted(
    {spelling.text.strip() for phrase in SHIPPED for part in phrase.parts for spelling in part.spellings}
)


@st.composite
def texts_made_of_rules(draw: st.DrawFn) -> str:
    """Pieces of one or two phrases in any order, with noise between: far likelier to hit than random text."""
    chosen = draw(st.lists(st.sampled_from(SHIPPED), min_size=1, max_size=2))
    pieces = [
        draw(st.sampled_from([spelling.text for spelling in part.spellings] or ["7", "12"]))
        for phrase in chosen
        for part in phrase.parts
    ]
    noise = st.sampled_from([" ", "", "  ", " the ", "-", "\n", "。", " 3 ", "x" * 25, "\uff0c", ": ", "é"])
    words = [
        word + draw(noise) for word in (draw(st.permutations(pieces)) if draw(st.booleans()) else pieces)
    ]
    return "".join(words).upper() if draw(st.booleans()) else "".join(words)


@given(st.lists(st.one_of(texts_made_of_rules(), st.sampled_from(PIECES)), min_size=1, max_size=8))
def test_the_scanner_agrees_with_plain_regular_expressions(texts: list[str]) -> None:
    hits = SCANNER.scan(pa.array(texts, pa.string()))
    plain = [squeeze_text(prepare_text(text)) for text in texts]
    slow = np.array([[bool(pattern.search(text)) for text in plain] for pattern in PATTERNS])
    differing = [(SHIPPED[i].source, texts[j]) for i, j in zip(*np.nonzero(hits != slow), strict=True)]
    assert not differing
