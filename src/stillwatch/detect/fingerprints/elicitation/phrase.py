"""The phrases that rules are written in, compiled to literals and RE2 patterns.

A phrase is plain text with five marks, chosen so that somebody who reads no regular expressions can write one
in their own language:

    (a|b)   one of these            rewrite the (question|prompt)
    [a]     may be there            step by step [reasoning]
    ~       up to 40 characters     translate ~ into french; `~80` allows 80, at most 200
    *       any ending of a word    rewrit* the prompt; at the beginning: any beginning
    #       a number                write # questions

Letters that are ASCII match whole words unless `*` says otherwise. Case, quotation marks, hyphens, underscores and
the amount of white space do not matter (see `normalizing`). A backslash takes a mark literally.

Every phrase names literals of which one must occur wherever it matches, so that a scanner for literals can pass
over nearly all text before any pattern runs.
"""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stillwatch.detect.fingerprints.elicitation.normalizing import normalize_phrase

DEFAULT_GAP = 40
LARGEST_GAP = 200
LARGEST_EXPANSION = 600
SHORTEST_LITERAL_BYTES = 4
_ENDING = r"[^ \n]{0,20}"
_RE2_MARKS = frozenset(r"\.+*?()|[]{}^$")


class PhraseSyntaxError(Exception):
    """A phrase cannot be read. Caught where rules are loaded and told with file and field."""


@dataclass(frozen=True, slots=True)
class Words:
    """Literal text in one or more spellings."""

    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Up to `limit` characters of anything."""

    limit: int


@dataclass(frozen=True, slots=True)
class Number:
    """One to six digits."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The rest of a word."""


Item = Words | Gap | Number | Ending


@dataclass(frozen=True, slots=True)
class Literal:
    """A text that must occur, and whether a word must begin before or end behind it."""

    text: str
    whole_start: bool
    whole_end: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled phrase.

    Args:
        source: As written in the rule.
        pattern: RE2 pattern over normalized text.
        literals: One of these occurs in every match.
        exact: The literals, with their word edges, say all; no pattern has to run.
    """

    source: str
    pattern: str
    literals: tuple[Literal, ...]
    exact: bool


def compile_phrase(source: str) -> Phrase:
    """Compile one phrase.

    Raises:
        PhraseSyntaxError: The phrase has unbalanced marks, no literal of `SHORTEST_LITERAL_BYTES` bytes, a gap beyond
            `LARGEST_GAP`, or stands for more than `LARGEST_EXPANSION` spellings.
    """
    items = _merge(_parse(source))
    anchor = _anchor(source, items)
    exact = all(isinstance(item, Words | Ending) for item in items) and _inner(items) == [items[anchor]]
    return Phrase(source, _pattern(items), _literals(items, anchor, exact=exact), exact)


def _inner(items: Sequence[Item]) -> list[Item]:
    """The items without an `*` at either end, which only lifts the word edge there."""
    trimmed = list(items)
    if trimmed and isinstance(trimmed[0], Ending):
        trimmed = trimmed[1:]
    if trimmed and isinstance(trimmed[-1], Ending):
        trimmed = trimmed[:-1]
    return trimmed


def _parse(source: str) -> Iterator[Item]:
    for token in _tokens(source):
        if token == "*":
            yield Ending()
        elif token == "#":
            yield Number()
        elif token.startswith("~"):
            yield _gap(source, token)
        elif token[0] in "([" and len(token) > 1:
            choices = [_unescape(choice) for choice in re.split(r"(?<!\\)\|", token[1:-1])]
            yield Words(tuple(choices) if token[0] == "(" else (*choices, ""))
        else:
            yield Words((_unescape(token),))


def _tokens(source: str) -> Iterator[str]:
    scanner = re.compile(r"~\d*|\*|#|\((?:\\.|[^()\[\]\\])*\)|\[(?:\\.|[^()\[\]\\])*\]|(?:\\.|[^~*#()\[\]|\\])+")
    position = 0
    while position < len(source):
        found = scanner.match(source, position)
        if found is None:
            raise PhraseSyntaxError(
                f"cannot read {source!r} from {source[position:]!r} on: a bracket is open, nested or stray"
            )
        yield found.group()
        position = found.end()


def _unescape(text: str) -> str:
    return normalize_phrase(re.sub(r"\\(.)", r"\1", text))


def _gap(source: str, token: str) -> Gap:
    limit = int(token[1:] or DEFAULT_GAP)
    if not 0 < limit <= LARGEST_GAP:
        raise PhraseSyntaxError(f"a gap in {source!r} is {limit} characters, and 1 to {LARGEST_GAP} are allowed")
    return Gap(limit)


def _merge(items: Iterator[Item]) -> list[Item]:
    """Join neighboring words into all their spellings, and take the spaces beside a gap into the gap."""
    merged: list[Item] = []
    for kind, group in itertools.groupby(items, key=lambda item: isinstance(item, Words)):
        members = list(group)
        merged += [_product([item for item in members if isinstance(item, Words)])] if kind else members
    last = len(merged) - 1
    for index, item in enumerate(merged):
        if isinstance(item, Words):
            before = index == 0 or isinstance(merged[index - 1], Gap)
            after = index == last or isinstance(merged[index + 1], Gap)
            merged[index] = _trim(item, start=before, end=after)
    return [item for item in merged if not (isinstance(item, Words) and item.spellings == ("",))]


def _product(words: Sequence[Words]) -> Words:
    count = math.prod(len(word.spellings) for word in words)
    if count > LARGEST_EXPANSION:
        raise PhraseSyntaxError(f"a phrase stands for {count} spellings, and {LARGEST_EXPANSION} are allowed; split it")
    joined = ("".join(parts) for parts in itertools.product(*(word.spellings for word in words)))
    return Words(tuple(dict.fromkeys(re.sub(" +", " ", text) for text in joined)))


def _trim(words: Words, *, start: bool, end: bool) -> Words:
    texts = (text.lstrip(" ") if start else text for text in words.spellings)
    return Words(tuple(dict.fromkeys(text.rstrip(" ") if end else text for text in texts)))


def _anchor(source: str, items: Sequence[Item]) -> int:
    """The item whose spellings are together the rarest, so that the pattern runs least often."""
    scored = [
        (sum(_commonness(text) for text in item.spellings), index)
        for index, item in enumerate(items)
        if isinstance(item, Words) and min(len(text.strip().encode()) for text in item.spellings) >= SHORTEST_LITERAL_BYTES
    ]
    if not scored:
        raise PhraseSyntaxError(
            f"{source!r} has no part of which every spelling is at least {SHORTEST_LITERAL_BYTES} bytes long"
        )
    return min(scored)[1]


def _commonness(text: str) -> float:
    """A rough relative frequency: long texts are rare, texts of only everyday words are not.

    Only the order matters, and only for speed. Per letter about 4.1 bits for independent English letters, less for
    the structure of words; a UTF-8 byte of another script carries about as much.
    """
    words = text.split()
    weight = sum(2.0 if word in _EVERYDAY else 2.4 * min(len(word.encode()), 8) for word in words)
    return float(2.0 ** -min(weight, 60.0))


_EVERYDAY = frozenset(
    "the this that these with from into your you for and not about answer answers question questions problem text "
    "write give make following each more most than best good better new list example examples think step steps "
    "explain language code data model using use format output input response task user assistant "
    "question: answer: please which between compare translate final first then only must".split()
)


def _literals(items: Sequence[Item], anchor: int, *, exact: bool) -> tuple[Literal, ...]:
    words = items[anchor]
    spellings = words.spellings if isinstance(words, Words) else ()
    start = exact and not isinstance(items[0], Ending)
    end = exact and not isinstance(items[-1], Ending)
    return tuple(
        Literal(text, start and is_word_character(text[0]), end and is_word_character(text[-1])) for text in spellings
    )


def is_word_character(character: str) -> bool:
    """Whether a character of normalized text belongs to an ASCII word; only these have word edges."""
    return character.isascii() and character.isalnum()


def _pattern(items: Sequence[Item]) -> str:
    parts = []
    for index, item in enumerate(items):
        starts = index == 0 or isinstance(items[index - 1], Gap)
        ends = index == len(items) - 1 or isinstance(items[index + 1], Gap)
        parts.append(_item_pattern(item, starts=starts, ends=ends))
    return "".join(parts)


def _item_pattern(item: Item, *, starts: bool, ends: bool) -> str:
    match item:
        case Gap(limit):
            return f".{{0,{limit}}}"
        case Ending():
            return "" if starts or ends else _ENDING
        case Number():
            return r"\b[0-9]{1,6}" if starts else "[0-9]{1,6}"
        case Words(spellings):
            return "(?:" + "|".join(_edged(text, starts=starts, ends=ends) for text in spellings) + ")"


def _edged(text: str, *, starts: bool, ends: bool) -> str:
    escaped = "".join("\\" + character if character in _RE2_MARKS else character for character in text)
    before = r"\b" if starts and text and is_word_character(text[0]) else ""
    after = r"\b" if ends and text and is_word_character(text[-1]) else ""
    return before + escaped + after
