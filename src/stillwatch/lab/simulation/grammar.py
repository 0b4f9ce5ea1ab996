"""Text from grammars, thousands of rows at a time.

A grammar is a YAML file of symbols. A symbol is a list of productions, each a text with references to other symbols:

    `{word}`    drawn afresh for every row at every place
    `{=word}`   the same wherever it stands in one row
    `{#word}`   the same in one conversation
    `{@word}`   the same for one owner: the customer whose template, product and company this is
    `{2..90}`   a number; the marks above work here as well: `{=2..90}`, `{@2..90}`

A symbol may also be a mapping: `{zipf: 1.1, of: [...]}` prefers the first productions, `{split: "..."}` is a list
written as one text with `|` between the productions (short words would drown in YAML otherwise).
A production that starts with `3*` counts three times. A literal brace is written twice.

Rows are expanded column by column: all rows that drew one production are joined in one Arrow kernel, so the cost is
a few hundred nanoseconds for each place in a text and does not depend on Python's speed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from stillwatch.lab.simulation import chance
from stillwatch.lab.simulation.chance import Floats, Indices, Keys
from stillwatch.lab.simulation.mistakes import GrammarError

_REFERENCE = re.compile(r"\{([=#@]?)([a-z][a-z0-9_]*|-?\d+\.\.\d+)\}")
_COUNT = re.compile(r"^(\d+)\*\s*")
_SHARED = "shared"
_NOTHING = pa.scalar("", pa.string())


class TextKeys(NamedTuple):
    """The three keys behind a row's text, each `(n,)` uint64.

    Attributes:
        item: The question itself: equal keys, equal texts (for the same owner and conversation).
        conversation: What stays the same while people talk.
        owner: What stays the same for a customer.
    """

    item: Keys
    conversation: Keys
    owner: Keys

    def take(self, rows: Indices) -> "TextKeys":
        """Keep some rows only."""
        return TextKeys(self.item[rows], self.conversation[rows], self.owner[rows])


@dataclass(frozen=True, slots=True)
class Place:
    """One reference in a production.

    Attributes:
        scope: Which key decides: empty or `=` for the row, `#` conversation, `@` owner.
        symbol: The symbol referred to, or a range such as `2..90`.
    """

    scope: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol with its productions compiled into literals and places."""

    productions: tuple[tuple[pa.StringScalar | Place, ...], ...]
    weights: Floats | None
    terminal: pa.Array | None

    def draw(self, keys: Keys, by: int) -> Indices:
        """Choose a production per row."""
        if self.weights is None:
            return chance.pick(keys, by, len(self.productions))
        return chance.pick_weighted(keys, by, self.weights)


class Grammar:
    """A compiled grammar.

    Args:
        name: Its file name without the ending, for messages.
        symbols: What the YAML file held, together with the symbols it includes.
    """

    def __init__(self, name: str, symbols: Mapping[str, Any]) -> None:
        """Compile every symbol once, so that a typing mistake shows at loading."""
        self.name = name
        self._symbols = {key: _compiled(name, key, value) for key, value in symbols.items()}
        for key, symbol in self._symbols.items():
            self._require_known(key, symbol)

    def __contains__(self, symbol: str) -> bool:
        """Say whether the grammar has the symbol."""
        return symbol in self._symbols

    def expand(self, symbol: str, keys: TextKeys) -> pa.StringArray:
        """Write one text per row.

        Args:
            symbol: Where to start, usually `root`, `system` or `follow_up`.
            keys: The keys of the rows.

        Returns:
            `(n,)` string array. Equal keys give equal texts.
        """
        return self._expand(symbol, keys, chance.salt(symbol), "")

    def _expand(self, name: str, keys: TextKeys, path: int, scope: str) -> pa.StringArray:
        symbol = self._symbols[name]
        drawn = symbol.draw(_deciding(keys, scope), path)
        if symbol.terminal is not None:
            return symbol.terminal.take(pa.array(drawn))
        order = np.argsort(drawn, kind="stable")
        bounds = np.searchsorted(drawn[order], np.arange(len(symbol.productions) + 1))
        pieces = [
            self._produce(symbol.productions[index], keys.take(order[start:end]), chance.salt(path, index), scope)
            for index, (start, end) in enumerate(zip(bounds[:-1], bounds[1:], strict=True))
            if end > start
        ]
        if not pieces:
            return pa.array([], pa.string())
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_arrays(pieces).take(pa.array(back))

    def _produce(
        self, parts: tuple[pa.StringScalar | Place, ...], keys: TextKeys, path: int, scope: str
    ) -> pa.StringArray:
        columns = [
            self._fill(part, keys, chance.salt(path, index), scope) if isinstance(part, Place) else part
            for index, part in enumerate(parts)
        ]
        if not any(isinstance(part, Place) for part in parts):
            return pa.repeat(columns[0] if columns else _NOTHING, len(keys.item))
        if len(columns) == 1:
            return columns[0]
        # Ready-made scalars and the bare kernel: the convenient wrapper spends ten times as long on its arguments.
        return pc.call_function("binary_join_element_wise", [*columns, _NOTHING])

    def _fill(self, place: Place, keys: TextKeys, path: int, outer: str) -> pa.StringArray:
        # Inside a text that belongs to the owner everything is the owner's, unless it says otherwise.
        scope = place.scope or outer
        by = chance.salt(place.symbol) if place.scope else path
        if ".." in place.symbol:
            low, high = map(int, place.symbol.split(".."))
            number = chance.pick(_deciding(keys, scope), by, high - low + 1) + low
            return pa.array(number).cast(pa.string())
        return self._expand(place.symbol, keys, by, scope)

    def _require_known(self, key: str, symbol: Symbol) -> None:
        for part in (part for production in symbol.productions for part in production):
            if isinstance(part, Place) and ".." not in part.symbol and part.symbol not in self._symbols:
                raise GrammarError(f"grammar {self.name}: {key} refers to {part.symbol}, which is not defined")


def _deciding(keys: TextKeys, scope: str) -> Keys:
    return {"#": keys.conversation, "@": keys.owner}.get(scope, keys.item)


def _compiled(grammar: str, name: str, value: Any) -> Symbol:
    options, weights = _options(grammar, name, value)
    productions = tuple(tuple(_parts(option)) for option in options)
    flat = all(len(parts) <= 1 and not any(isinstance(part, Place) for part in parts) for parts in productions)
    words = [parts[0].as_py() if parts else "" for parts in productions] if flat else []
    return Symbol(productions, weights, pa.array(words, pa.string()) if flat else None)


def _options(grammar: str, name: str, value: Any) -> tuple[list[str], Floats | None]:
    zipf = 0.0
    if isinstance(value, dict) and set(value) <= {"zipf", "of", "split"}:
        zipf = float(value.get("zipf", 0.0))
        value = value["of"] if "of" in value else [word.strip() for word in value["split"].split("|")]
    if not isinstance(value, list) or not value:
        raise GrammarError(f"grammar {grammar}: {name} must be a list of texts")
    counted = [_COUNT.match(str(option)) for option in value]
    texts = [str(option)[match.end() if match else 0 :] for option, match in zip(value, counted, strict=True)]
    weights = np.array([float(match[1]) if match else 1.0 for match in counted])
    if zipf:
        weights = weights * np.arange(1.0, len(texts) + 1.0) ** -zipf
    return texts, None if bool((weights == 1.0).all()) else weights


def _parts(text: str) -> Iterator[pa.StringScalar | Place]:
    end = 0
    for match in _REFERENCE.finditer(text):
        if match.start() > end:
            yield _literal(text[end : match.start()])
        yield Place(match[1], match[2])
        end = match.end()
    if end < len(text):
        yield _literal(text[end:])


def _literal(text: str) -> pa.StringScalar:
    return pa.scalar(text.replace("{{", "{").replace("}}", "}"), pa.string())


@cache
def load_grammar(name: str) -> Grammar:
    """Load a packaged grammar, with the shared word lists under it.

    Args:
        name: The file's name without `.yml`, such as `chat-en`.

    Raises:
        GrammarError: The grammar is not there, or a symbol in it is undefined.
    """
    return Grammar(name, {**_read(_SHARED), **_including(name)})


def _including(name: str) -> dict[str, Any]:
    own = _read(name)
    merged: dict[str, Any] = {}
    for included in own.pop("include", []):
        merged |= _including(included)
    return merged | own


@cache
def grammar_names() -> frozenset[str]:
    """Name every packaged grammar."""
    folder = files("stillwatch.lab.simulation") / "grammars"
    return frozenset(entry.name.removesuffix(".yml") for entry in folder.iterdir() if entry.name.endswith(".yml"))


def _read(name: str) -> dict[str, Any]:
    if name not in grammar_names():
        raise GrammarError(f"there is no grammar {name}")
    text = (files("stillwatch.lab.simulation") / "grammars" / f"{name}.yml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(yaml.load(text, Loader=loader))  # noqa: S506 - both loaders are the safe ones
