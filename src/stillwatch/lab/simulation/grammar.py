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

Rows are expanded level by level: all places of a batch that hold one symbol are drawn together and all texts with one
production are joined in one Arrow kernel, so the cost does not depend on how deep a grammar is nested.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from stillwatch.lab.simulation import chance
from stillwatch.lab.simulation.chance import Floats, Indices, Keys
from stillwatch.lab.simulation.mistakes import GrammarError

_REFERENCE = re.compile(r"\{([=#@]?)([a-z][a-z0-9_]*|\d+\.\.\d+)\}")
_COUNT = re.compile(r"^(\d+)\*\s*")
_SHARED = "shared"
_NOTHING = pa.scalar("", pa.string())
_WRITTEN_OUT = 2_000  # numbers of longer ranges are formatted when drawn


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

    def of(self, scope: str) -> Keys:
        """Return the key that decides in a scope: `=` row, `#` conversation, `@` owner."""
        return {"#": self.conversation, "@": self.owner}.get(scope, self.item)


@dataclass(frozen=True, slots=True)
class Place:
    """One reference in a production.

    Attributes:
        scope: Which key decides: empty for the place itself, `=` for the row, `#` conversation, `@` owner.
        symbol: The symbol referred to, or a range such as `2..90`.
        salt: What makes this place independent of every other.
    """

    scope: str
    symbol: str
    salt: int


Part = Place | Any
"""A place, or a literal as a `pyarrow.StringScalar`."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol with its productions compiled into literals and places."""

    productions: tuple[tuple[Part, ...], ...]
    weights: Floats | None
    terminal: pa.Array | None
    numbers: range | None = None

    def draw(self, keys: Keys) -> Indices:
        """Choose a production per key."""
        if self.weights is not None:
            return chance.choose_weighted(keys, self.weights)
        return chance.choose(keys, len(self.productions) if self.terminal is None else len(self.terminal))

    def write(self, keys: Keys) -> pa.StringArray:
        """Write one word or number per key, for a symbol that refers to nothing else."""
        if self.numbers is not None:
            return pa.array(chance.choose(keys, len(self.numbers)) + self.numbers.start).cast(pa.string())
        words: Any = self.terminal
        return words.take(pa.array(self.draw(keys)))


@dataclass(slots=True)
class _Asked:
    """Everything that a batch wants of one symbol: keys and the rows that they belong to, chunk by chunk."""

    keys: list[Keys] = field(default_factory=list)
    rows: list[Indices] = field(default_factory=list)
    size: int = 0

    def add(self, keys: Keys, rows: Indices) -> slice:
        """Ask for texts and learn where among the answers they will stand."""
        self.keys.append(keys)
        self.rows.append(rows)
        self.size += len(keys)
        return slice(self.size - len(keys), self.size)


class _Plan(NamedTuple):
    """What one symbol has to be assembled from: per production its rows, and where its parts will be found."""

    order: Indices
    parts: list[tuple[int, tuple[pa.StringScalar | tuple[str, slice], ...]]]


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
        self._add_ranges()
        self._order = self._sorted()

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
        if not len(keys.item):
            return pa.array([], pa.string())
        asked = {symbol: _Asked()}
        asked[symbol].add(chance.mix(keys.item, chance.salt(symbol)), np.arange(len(keys.item)))
        plans: dict[str, _Plan] = {}
        texts: dict[str, pa.StringArray] = {}
        for name in self._order:
            if name in asked:
                self._draw(name, asked, keys, plans, texts)
        for name in reversed(plans):
            texts[name] = _assembled(plans[name], texts)
        return texts[symbol]

    def _draw(
        self,
        name: str,
        asked: dict[str, _Asked],
        keys: TextKeys,
        plans: dict[str, _Plan],
        texts: dict[str, pa.StringArray],
    ) -> None:
        symbol = self._symbols[name]
        wanted = asked.pop(name)
        nodes = np.concatenate(wanted.keys)
        if not symbol.productions:
            texts[name] = symbol.write(nodes)
            return
        drawn = symbol.draw(nodes)
        order = np.argsort(drawn, kind="stable")
        plan = _Plan(order, [])
        nodes, rows, drawn = nodes[order], np.concatenate(wanted.rows)[order], drawn[order]
        bounds = np.searchsorted(drawn, np.arange(len(symbol.productions) + 1))
        for production, start, end in zip(symbol.productions, bounds[:-1], bounds[1:], strict=True):
            if end > start:
                found = tuple(
                    _ask(part, asked, nodes[start:end], rows[start:end], keys) for part in production
                )
                plan.parts.append((int(end - start), found))
        plans[name] = plan

    def _add_ranges(self) -> None:
        places = [
            (key, part)
            for key, symbol in self._symbols.items()
            for production in symbol.productions
            for part in production
            if isinstance(part, Place)
        ]
        for key, place in places:
            if place.symbol not in self._symbols and ".." in place.symbol:
                self._symbols[place.symbol] = _range(place.symbol)
            elif place.symbol not in self._symbols:
                raise GrammarError(
                    f"grammar {self.name}: {key} refers to {place.symbol}, which is not defined"
                )

    def _sorted(self) -> tuple[str, ...]:
        below = {
            key: {
                part.symbol
                for production in symbol.productions
                for part in production
                if isinstance(part, Place)
            }
            for key, symbol in self._symbols.items()
        }
        try:
            return tuple(reversed(tuple(TopologicalSorter(below).static_order())))
        except CycleError as error:
            circle = " > ".join(error.args[1])
            raise GrammarError(f"grammar {self.name}: a symbol cannot contain itself: {circle}") from error


def _ask(
    part: Part, asked: dict[str, _Asked], nodes: Keys, rows: Indices, keys: TextKeys
) -> pa.StringScalar | tuple[str, slice]:
    if not isinstance(part, Place):
        return part
    # A place without a mark derives from the text it stands in, so what belongs to the owner stays the owner's.
    deciding = keys.of(part.scope)[rows] if part.scope else nodes
    return part.symbol, asked.setdefault(part.symbol, _Asked()).add(chance.mix(deciding, part.salt), rows)


def _assembled(plan: _Plan, texts: Mapping[str, pa.StringArray]) -> pa.StringArray:
    pieces = []
    for size, parts in plan.parts:
        columns = [
            texts[part[0]].slice(part[1].start, size) if isinstance(part, tuple) else part for part in parts
        ]
        pieces.append(_joined(columns, size))
    back = np.empty(len(plan.order), dtype=np.int64)
    back[plan.order] = np.arange(len(plan.order))
    return pa.concat_arrays(pieces).take(pa.array(back))


def _joined(columns: list[Any], size: int) -> pa.StringArray:
    if not any(isinstance(column, pa.Array) for column in columns):
        return pa.repeat(columns[0] if columns else _NOTHING, size)
    if len(columns) == 1:
        return columns[0]
    # Ready-made scalars and the bare kernel: the convenient wrapper spends ten times as long on its arguments.
    return pc.call_function("binary_join_element_wise", [*columns, _NOTHING])


@cache
def _range(name: str) -> Symbol:
    low, high = map(int, name.split(".."))
    if high - low > _WRITTEN_OUT:
        return Symbol((), None, None, range(low, high + 1))
    return Symbol((), None, pa.array([str(number) for number in range(low, high + 1)], pa.string()))


def _compiled(grammar: str, name: str, value: Any) -> Symbol:
    options, weights = _options(grammar, name, value)
    productions = tuple(tuple(_parts(option, f"{name}/{index}")) for index, option in enumerate(options))
    if any(isinstance(part, Place) for parts in productions for part in parts):
        return Symbol(productions, weights, None)
    literals: list[Any] = [parts[0] if parts else _NOTHING for parts in productions]
    words = [literal.as_py() for literal in literals]
    return Symbol((), weights, pa.array(words, pa.string()))


def _options(grammar: str, name: str, value: Any) -> tuple[list[str], Floats | None]:
    zipf = 0.0
    if isinstance(value, dict) and set(value) <= {"zipf", "of", "split"}:
        zipf = float(value.get("zipf", 0.0))
        value = value["of"] if "of" in value else [word.strip(" ") for word in value["split"].split("|")]
    if not isinstance(value, list) or not value:
        raise GrammarError(f"grammar {grammar}: {name} must be a list of texts")
    counted = [_COUNT.match(str(option)) for option in value]
    texts = [str(option)[match.end() if match else 0 :] for option, match in zip(value, counted, strict=True)]
    weights = np.array([float(match[1]) if match else 1.0 for match in counted])
    if zipf:
        weights = weights * np.arange(1.0, len(texts) + 1.0) ** -zipf
    return texts, None if bool((weights == 1.0).all()) else weights


def _parts(text: str, where: str) -> Iterator[Part]:
    end = 0
    for number, match in enumerate(_REFERENCE.finditer(text)):
        if match.start() > end:
            yield _literal(text[end : match.start()])
        # A marked place is the same wherever its symbol stands; an unmarked one is like no other.
        yield Place(match[1], match[2], chance.salt(match[2]) if match[1] else chance.salt(where, number))
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
    return frozenset(
        entry.name.removesuffix(".yml") for entry in folder.iterdir() if entry.name.endswith(".yml")
    )


def _read(name: str) -> dict[str, Any]:
    if name not in grammar_names():
        raise GrammarError(f"there is no grammar {name}")
    text = (files("stillwatch.lab.simulation") / "grammars" / f"{name}.yml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(yaml.load(text, Loader=loader))  # noqa: S506 - both loaders are the safe ones
