"""The phrases that rules are written in.

A phrase is plain text with five marks, chosen so that somebody who reads no regular expressions can write one
in their own language:

    (a|b)   one of these            rewrite the (question|prompt)
    [a|b]   one of these or none    step by step [reasoning]
    ~       up to 40 characters     translate ~ into french; `~80` allows 80, at most 200
    *       any ending of a word    rewrit* the prompt, (check*|verify); in front of a word: any beginning
    #       a number                write # questions

An `*` within brackets with words right behind them holds for every choice. ASCII letters match whole words unless `*` says otherwise. Case, quotation marks, hyphens, underscores and the
amount of white space do not matter (see `normalizing`). A backslash takes a mark literally.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from stillwatch.detect.fingerprints.elicitation.normalizing import prepare_text, squeeze_text

DEFAULT_GAP = 40
LARGEST_GAP = 200
LONGEST_ENDING = 20
LARGEST_EXPANSION = 600
# A phrase of shorter literals only would hit most texts.
SHORTEST_LITERAL_BYTES = 3
# Marks a spelling whose word may go on. Normalized text never holds it.
_OPEN = "\x01"
# Words that stand side by side are joined as long as that keeps the automaton small.
_JOINED_SPELLINGS = 60


class PhraseSyntaxError(Exception):
    """A phrase cannot be read. Caught where rules are loaded and told with file and field."""


@dataclass(frozen=True, slots=True)
class Words:
    """Literal text in one or more spellings; an empty one means that it may be absent."""

    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Up to `limit` characters of anything."""

    limit: int


@dataclass(frozen=True, slots=True)
class Number:
    """One to six digits between other characters."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The rest of a word."""


Item = Words | Gap | Number | Ending


@dataclass(frozen=True, slots=True)
class Spelling:
    """One text that a part may be, and whether a word has to begin and to end with it."""

    text: str
    whole_start: bool
    whole_end: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One literal or number of a phrase, and how it follows the part before.

    Args:
        spellings: The texts it may be; empty for a number.
        gap: Characters allowed since the part before.
        unbroken: No space among them.
    """

    spellings: tuple[Spelling, ...]
    gap: int
    unbroken: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as written, and its parts in order."""

    source: str
    parts: tuple[Part, ...]

    @property
    def pattern(self) -> str:
        """The same meaning as a regular expression of Python over normalized text: slow, plain, and what tests compare with."""
        return "".join(
            ("" if index == 0 else _between(part)) + _part_pattern(part)
            for index, part in enumerate(self.parts)
        )


@lru_cache(maxsize=4096)
def compile_phrase(source: str) -> Phrase:
    """Compile one phrase.

    Raises:
        PhraseSyntaxError: The phrase has a stray or nested bracket, no literal of `SHORTEST_LITERAL_BYTES` bytes, a
            gap beyond `LARGEST_GAP`, or too many words that may be absent side by side.
    """
    items = _trimmed(_merge(_take_in_spaces(list(_parse(prepare_text(source))))))
    if not items or isinstance(items[0], Gap) or isinstance(items[-1], Gap):
        raise PhraseSyntaxError(f"{source!r} begins or ends with a gap, or holds nothing")
    parts = tuple(_parts(items))
    if not any(_selective(part) for part in parts):
        raise PhraseSyntaxError(
            f"{source!r} has no part of which every spelling is at least {SHORTEST_LITERAL_BYTES} bytes long"
        )
    lone = [
        spelling.text
        for part in parts
        for spelling in part.spellings
        if len(spelling.text.strip().encode()) == 1
    ]
    if lone:
        raise PhraseSyntaxError(
            f"{source!r} looks for {lone[0]!r} by itself, which is everywhere; join it to a word"
        )
    if any(not spelling.text for part in parts for spelling in part.spellings):
        raise PhraseSyntaxError(f"{source!r} has words that may be absent and no words beside them")
    return Phrase(source, parts)


def is_word_character(character: str) -> bool:
    """Whether a character of normalized text belongs to an ASCII word; only these have word edges."""
    return character.isascii() and character.isalnum()


def _selective(part: Part) -> bool:
    lengths = [len(spelling.text.strip().encode()) for spelling in part.spellings]
    return bool(lengths) and min(lengths) >= SHORTEST_LITERAL_BYTES


def _parse(source: str) -> Iterator[Item]:
    for mark in _tokens(source):
        if mark == "*":
            yield Ending()
        elif mark == "#":
            yield Number()
        elif mark.startswith("~"):
            yield _gap(source, mark)
        elif mark[0] in "([" and len(mark) > 1:
            choices = [_choice(source, choice) for choice in re.split(r"(?<!\\)\|", mark[1:-1])]
            yield Words(tuple(dict.fromkeys(choices if mark[0] == "(" else [*choices, ""])))
        else:
            yield Words((_plain(mark),))


_TOKEN = re.compile(r"~\d*|\*|#|\((?:\\.|[^()\[\]\\])*\)|\[(?:\\.|[^()\[\]\\])*\]|(?:\\.|[^~*#()\[\]|\\])+")


def _tokens(source: str) -> Iterator[str]:
    position = 0
    while position < len(source):
        found = _TOKEN.match(source, position)
        if found is None:
            rest = source[position:]
            raise PhraseSyntaxError(
                f"cannot read {source!r} from {rest!r} on: a bracket is open, nested or stray"
            )
        yield found.group()
        position = found.end()


def _choice(source: str, text: str) -> str:
    is_open = text.endswith("*") and not text.endswith("\\*")
    text = text[:-1] if is_open else text
    if re.search(r"(?<!\\)[~*#]", text):
        raise PhraseSyntaxError(
            f"{source!r} has a mark within brackets, where only `*` at the end of a word may stand"
        )
    return _plain(text) + _OPEN * is_open


def _plain(text: str) -> str:
    return squeeze_text(re.sub(r"\\(.)", r"\1", text))


def _gap(source: str, token: str) -> Gap:
    limit = int(token[1:] or DEFAULT_GAP)
    if not 0 < limit <= LARGEST_GAP:
        raise PhraseSyntaxError(
            f"a gap in {source!r} is {limit} characters, and 1 to {LARGEST_GAP} are allowed"
        )
    return Gap(limit)


def _take_in_spaces(items: list[Item]) -> list[Item]:
    """Give words that may be absent the space on one of their sides, so that no two spaces meet without them."""
    for index, item in enumerate(items):
        if not isinstance(item, Words) or "" not in item.spellings:
            continue
        before = items[index - 1] if index else None
        after = items[index + 1] if index + 1 < len(items) else None
        if not _ends_with_space(before):
            continue
        if isinstance(after, Words) and all(text.startswith(" ") for text in after.spellings):
            items[index] = Words(tuple(text + " " if text else "" for text in item.spellings))
            items[index + 1] = Words(tuple(text[1:] for text in after.spellings))
        elif isinstance(before, Words) and not isinstance(after, Words):
            items[index - 1] = Words(tuple(text.removesuffix(" ") for text in before.spellings))
            items[index] = Words(tuple(" " + text if text else "" for text in item.spellings))
    return items


def _ends_with_space(item: Item | None) -> bool:
    """Whether what stands before ends with a space or an edge, whichever spelling it takes."""
    if not isinstance(item, Words):
        return not isinstance(item, Ending | Number)
    return all(not text or text.endswith(" ") for text in item.spellings)


def _merge(items: Iterable[Item]) -> list[Item]:
    """Join words that may be absent with their neighbors, and other neighbors where that yields few spellings."""
    merged: list[Item] = []
    for item in items:
        before = merged[-1] if merged else None
        if isinstance(item, Words) and isinstance(before, Words):
            optional = "" in item.spellings or "" in before.spellings
            count = len(item.spellings) * len(before.spellings)
            if any(text.endswith(_OPEN) for text in before.spellings):
                merged += [Ending(), item]
                continue
            if optional and count > LARGEST_EXPANSION:
                raise PhraseSyntaxError(
                    f"{count} spellings side by side, and {LARGEST_EXPANSION} are allowed; split the phrase"
                )
            if optional or count <= _JOINED_SPELLINGS:
                merged[-1] = _product(before, item)
                continue
        merged.append(item)
    return merged


def _product(left: Words, right: Words) -> Words:
    joined = (first + second for first, second in itertools.product(left.spellings, right.spellings))
    return Words(tuple(dict.fromkeys(joined)))


def _trimmed(items: list[Item]) -> list[Item]:
    """Take the spaces beside a gap, and at both ends, into the gap."""
    for index, item in enumerate(items):
        if not isinstance(item, Words):
            continue
        texts = item.spellings
        if index == 0 or isinstance(items[index - 1], Gap):
            texts = tuple(text.lstrip(" ") for text in texts)
        if index == len(items) - 1 or isinstance(items[index + 1], Gap):
            texts = tuple(text.rstrip(" ") for text in texts)
        items[index] = Words(tuple(dict.fromkeys(texts)))
    return [item for item in items if item != Words(("",))]


def _parts(items: Sequence[Item]) -> Iterator[Part]:
    for index, item in enumerate(items):
        if isinstance(item, Words | Number):
            before = list(
                itertools.takewhile(lambda other: isinstance(other, Gap | Ending), reversed(items[:index]))
            )
            gaps = [other.limit for other in before if isinstance(other, Gap)]
            unbroken = bool(before) and not gaps
            yield Part(
                tuple(_spellings(items, index)),
                gap=min(sum(gaps), LARGEST_GAP) if gaps else LONGEST_ENDING * unbroken,
                unbroken=unbroken,
            )


def _spellings(items: Sequence[Item], index: int) -> Iterator[Spelling]:
    item = items[index]
    starts = index == 0 or isinstance(items[index - 1], Gap)
    ends = index == len(items) - 1 or isinstance(items[index + 1], Gap)
    for marked in item.spellings if isinstance(item, Words) else ():
        text = marked.removesuffix(_OPEN)
        whole_start = starts and bool(text) and is_word_character(text[0])
        whole_end = ends and text == marked and bool(text) and is_word_character(text[-1])
        yield Spelling(text, whole_start, whole_end)


def _between(part: Part) -> str:
    return (r"[^ \n]" if part.unbroken else ".") + f"{{0,{part.gap}}}"


def _part_pattern(part: Part) -> str:
    if not part.spellings:
        return "(?<![0-9])[0-9]{1,6}(?![0-9])"
    return "(?:" + "|".join(map(_edged, part.spellings)) + ")"


def _edged(spelling: Spelling) -> str:
    before = "(?<![a-z0-9])" if spelling.whole_start else ""
    behind = "(?![a-z0-9])" if spelling.whole_end else ""
    return before + re.escape(spelling.text) + behind
