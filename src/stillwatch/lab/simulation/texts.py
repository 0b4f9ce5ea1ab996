"""Kinds of text: which grammar writes them, in which languages, and how long their answers are."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stillwatch.lab.simulation.chance import Indices
from stillwatch.lab.simulation.grammar import Grammar, TextKeys, grammar_names, load_grammar
from stillwatch.lab.simulation.names import packaged_table
from stillwatch.lab.simulation.places import LANGUAGES


class TextKind(NamedTuple):
    """One kind of text.

    Attributes:
        name: The grammar's name, without a language.
        grammars: The grammar's name per language, in the order of `LANGUAGES`.
        output_tokens: Median length of an answer.
        sigma: Deviation of its logarithm.
        talk: People type it, each in a style of their own.
        follows: Later turns are follow-ups; otherwise the calls of a session have nothing to do with each other.
    """

    name: str
    grammars: tuple[str, ...]
    output_tokens: float
    sigma: float
    talk: bool
    follows: bool


@cache
def text_kinds() -> tuple[TextKind, ...]:
    """List every kind of text, in a fixed order."""
    return tuple(
        TextKind(
            name,
            _grammars(name),
            entry["output_tokens"],
            entry.get("sigma", 0.8),
            entry.get("talk", False),
            entry.get("follows", False),
        )
        for name, entry in packaged_table("texts").items()
    )


def text_indices(weights: dict[str, float]) -> Indices:
    """Turn names of text kinds into their positions."""
    names = [kind.name for kind in text_kinds()]
    return np.array([names.index(name) for name in weights], dtype=np.int64)


def _grammars(name: str) -> tuple[str, ...]:
    known = grammar_names()
    fallback = name if name in known else f"{name}-en"
    return tuple(
        f"{name}-{language}" if f"{name}-{language}" in known else fallback for language in LANGUAGES
    )


def write(kind: Indices, language: Indices, turn: Indices, keys: TextKeys) -> pa.StringArray:
    """Write the prompts of calls.

    Args:
        kind: `(n,)` index into `text_kinds()`.
        language: `(n,)` index into `LANGUAGES`.
        turn: `(n,)` position in the conversation.
        keys: The keys that decide the words.
    """
    return _scattered(kind, language, keys, np.minimum(turn, 1), ("root", "follow_up"))


def write_system(kind: Indices, language: Indices, keys: TextKeys) -> pa.StringArray:
    """Write the system texts; null where a kind has none."""
    return _scattered(kind, language, keys, np.zeros(len(kind), np.int64), ("system",))


def _scattered(
    kind: Indices, language: Indices, keys: TextKeys, which: Indices, symbols: tuple[str, ...]
) -> pa.StringArray:
    code = (kind.astype(np.int64) * len(LANGUAGES) + language) * len(symbols) + which
    order = np.argsort(code, kind="stable")
    pieces: list[pa.Array] = []
    unique, starts = np.unique(code[order], return_index=True)
    for value, rows in zip(unique, np.split(order, starts[1:]), strict=True):
        rest, symbol = divmod(int(value), len(symbols))
        grammar = load_grammar(text_kinds()[rest // len(LANGUAGES)].grammars[rest % len(LANGUAGES)])
        pieces.append(_written(grammar, symbols[symbol], keys.take(rows)))
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_arrays(pieces).take(pa.array(back)) if pieces else pa.array([], pa.string())


def _written(grammar: Grammar, symbol: str, keys: TextKeys) -> pa.Array:
    if symbol in grammar:
        return grammar.expand(symbol, keys)
    if symbol == "system":
        return pa.nulls(len(keys.item), pa.string())
    return grammar.expand("root", keys)
