"""Grammars write the same text for the same key and say what is wrong with them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from stillwatch.lab.simulation import chance
from stillwatch.lab.simulation.grammar import Grammar, TextKeys, grammar_names, load_grammar
from stillwatch.lab.simulation.mistakes import GrammarError
from stillwatch.lab.simulation.places import LANGUAGES
from stillwatch.lab.simulation.texts import text_kinds


def keys(count: int, *, owners: int = 5, seed: int = 1) -> TextKeys:
    item = chance.key_range(0, count, seed)
    return TextKeys(
        item, chance.mix(item, 2), chance.mix(np.arange(count, dtype=np.uint64) % np.uint64(owners), 3)
    )


@pytest.mark.parametrize("name", sorted(grammar_names() - {"shared", "registration"}))
def test_every_packaged_grammar_writes_texts_without_holes(name: str) -> None:
    grammar = load_grammar(name)
    for symbol in ("root", "system", "follow_up"):
        if symbol in grammar:
            texts = grammar.expand(symbol, keys(400)).to_pylist()
            assert all(text and "{=" not in text and "{@" not in text for text in texts)


@pytest.mark.parametrize("name", [f"chat-{language}" for language in LANGUAGES])
def test_people_of_every_language_rarely_say_the_same(name: str) -> None:
    texts = load_grammar(name).expand("root", keys(2000)).to_pylist()
    assert len(set(texts)) > 0.97 * len(texts)


def test_every_kind_of_text_has_a_grammar_for_every_language() -> None:
    for kind in text_kinds():
        assert set(kind.grammars) <= grammar_names()


@given(st.integers(0, 2**63), st.integers(1, 40))
def test_a_row_is_written_the_same_alone_and_in_company(seed: int, count: int) -> None:
    grammar = load_grammar("pipeline-en")
    together = keys(count, seed=seed)
    texts = grammar.expand("root", together).to_pylist()
    for row in range(count):
        assert grammar.expand("root", together.take(np.array([row]))).to_pylist() == [texts[row]]


def test_marks_decide_what_stays_the_same() -> None:
    grammar = Grammar(
        "g", {"root": ["{w}|{w}|{=w}|{=w}|{#w}|{@w}|{=1..900}"], "w": [str(n) for n in range(500)]}
    )
    rows = [text.split("|") for text in grammar.expand("root", keys(300, owners=3)).to_pylist()]
    assert sum(row[0] == row[1] for row in rows) < 10
    assert all(row[2] == row[3] for row in rows)
    assert len({row[5] for row in rows}) <= 3
    assert len({row[4] for row in rows}) > 100


def test_what_stands_in_an_owners_text_is_the_owners() -> None:
    grammar = Grammar("g", {"root": ["{@t}"], "t": ["{w} {1..900}"], "w": [str(n) for n in range(500)]})
    assert len(set(grammar.expand("root", keys(300, owners=4)).to_pylist())) <= 4


def test_counts_and_zipf_weigh_productions() -> None:
    grammar = Grammar("g", {"root": ["9*a", "b"], "z": {"zipf": 1.0, "of": ["1", "2", "3", "4"]}})
    texts = grammar.expand("root", keys(4000)).to_pylist()
    assert 0.87 < texts.count("a") / 4000 < 0.93
    ranks = grammar.expand("z", keys(4000)).to_pylist()
    assert ranks.count("1") > ranks.count("2") > ranks.count("4")


def test_braces_are_written_twice() -> None:
    assert Grammar("g", {"root": ['{{"a": {2..2}}}']}).expand("root", keys(1)).to_pylist() == ['{"a": 2}']


def test_no_rows_give_no_texts() -> None:
    assert load_grammar("chat-en").expand("root", keys(0)).to_pylist() == []


@pytest.mark.parametrize(
    ("symbols", "said"),
    [
        ({"root": ["{missing}"]}, "missing"),
        ({"root": ["{a}"], "a": ["{root}"]}, "cannot contain itself"),
        ({"root": []}, "list of texts"),
        ({"root": "text"}, "list of texts"),
    ],
)
def test_a_broken_grammar_is_refused(symbols: dict[str, object], said: str) -> None:
    with pytest.raises(GrammarError, match=said):
        Grammar("g", symbols)


def test_an_unknown_grammar_is_refused() -> None:
    with pytest.raises(GrammarError, match="no grammar"):
        load_grammar("chat-xx")
