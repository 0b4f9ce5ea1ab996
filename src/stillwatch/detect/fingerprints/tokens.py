"""Cut UTF-8 text into hashed tokens, compiled.

Words are runs of letters and digits. Letters are folded to lower case where one rule does it (ASCII, Latin-1, Greek,
Cyrillic); words with digits in them are one and the same token. Scripts without spaces between words (Chinese, Japanese,
Korean, Thai, Lao, Burmese, Khmer) are cut into overlapping pairs of characters, so that what stands before a text does
not change how it is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np
from numba import int64, njit, uint64

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEAD_BYTES = 6_000  # text beyond the head and the tail is content, not template
TAIL_BYTES = 600

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
PRIME = np.uint64(0x100000001B3)  # Fowler, Noll and Vo, FNV-1a 64
MASKED = np.uint64(0x5851F42D4C957F2D)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)  # Steele et al. 2014, SplitMix64
_MIX_2 = np.uint64(0x94D049BB133111EB)

_LETTER, _GLYPH, _BREAK = 0, 1, 2

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function on first use and keep the machine code; it runs without the interpreter lock."""
    fast: Callable[P, R] = njit(cache=True, nogil=True)(function)
    return fast


def _folded() -> NDArray[np.uint8]:
    """Return, for each ASCII byte, the letter or digit it counts as; 0 for everything else."""
    table = np.zeros(256, dtype=np.uint8)
    for byte in range(128):
        character = chr(byte).lower()
        if character.isalnum():
            table[byte] = ord(character)
    return table


FOLDED = _folded()
"""The letter or digit that each byte of ASCII counts as; 0 for everything else."""


@compiled
def mix(value: np.uint64) -> np.uint64:
    """Spread a value over all 64 bits."""
    value = (value ^ (value >> uint64(30))) * _MIX_1
    value = (value ^ (value >> uint64(27))) * _MIX_2
    spread: np.uint64 = value ^ (value >> uint64(31))
    return spread


@compiled
def _two_bytes(point: int) -> tuple[int, int, bool]:
    """Classify a character of two bytes: (class, lower case, whether it is a digit)."""
    if point < 192 or point in (215, 247):  # Latin-1 signs
        return _BREAK, point, False
    if point <= 0xDE or 0x391 <= point <= 0x3A9 or 0x410 <= point <= 0x42F:
        return _LETTER, point + 32, False
    if 0x400 <= point <= 0x40F:
        return _LETTER, point + 80, False
    if 0x660 <= point <= 0x669 or 0x6F0 <= point <= 0x6F9:  # Arabic and Persian digits
        return _LETTER, point, True
    if point in (1548, 1563, 1567, 1748):  # Arabic punctuation
        return _BREAK, point, False
    return _LETTER, point, False


@compiled
def _three_bytes(point: int) -> tuple[int, int, bool]:
    """Classify a character of three bytes: (class, lower case, whether it is a digit)."""
    if 0x966 <= point <= 0x96F:  # Devanagari digits
        return _LETTER, point, True
    if 0xE00 <= point <= 0xEFF or 0x1000 <= point <= 0x109F or 0x1780 <= point <= 0x17FF:
        return _GLYPH, point, False  # Thai, Lao, Burmese, Khmer
    if point in (2404, 2405) or 8192 <= point < 11264 or 12288 <= point <= 12351:
        return _BREAK, point, False  # dandas, punctuation and signs, ideographic punctuation
    if 0x3040 <= point <= 0xD7AF:
        return _GLYPH, point, False  # kana, ideographs, Hangul
    if point >= 0xD800:  # private use, presentation and full-width forms
        return _BREAK, point, False
    return _LETTER, point, False


@compiled
def tokenize(  # noqa: C901, PLR0912, PLR0915 - one state machine: calls per byte would cost more than the work
    data: NDArray[np.uint8], start: int, end: int, tokens: NDArray[np.uint64], line_starts: NDArray[np.int64]
) -> tuple[int, int, np.uint64]:
    """Hash the tokens of one text.

    Args:
        data: Bytes uint8.
        start: Where the text begins.
        end: Where it ends.
        tokens: Takes the hashes; room for the head, the tail and one more.
        line_starts: Takes the numbers of the tokens that begin the first lines.

    Returns:
        Number of tokens, number of lines, and the content hash (0 = no word at all).
    """
    count = 0
    lines = 0
    content = GOLDEN
    word = uint64(0)  # running hash of the word being read, 0 = none
    masked = False
    glyph = 0  # the character before, in a script without spaces
    alone = False  # nothing was made of it yet
    fresh_line = True
    limit = min(end, start + HEAD_BYTES)
    tail_start = max(limit, end - TAIL_BYTES)
    while tail_start < end and tail_start > limit and (data[tail_start] & 0xC0) == 0x80:
        tail_start += 1  # do not begin inside a character
    i = start
    while True:
        kind = _BREAK
        point = 32
        width = 1
        digit = False
        if i < limit:
            byte = data[i]
            folded = FOLDED[byte]
            if folded != 0:
                kind = _LETTER
            elif byte < 0x80:
                point = int64(byte)
            elif byte < 0xE0:
                width = 2
                if i + 1 < end:
                    kind, point, digit = _two_bytes((int64(byte & 0x1F) << 6) | int64(data[i + 1] & 0x3F))
            elif byte < 0xF0:
                width = 3
                if i + 2 < end:
                    high, low = int64(data[i + 1] & 0x3F), int64(data[i + 2] & 0x3F)
                    kind, point, digit = _three_bytes((int64(byte & 0x0F) << 12) | (high << 6) | low)
            else:
                width = 4
        else:
            folded = FOLDED[0]
        if kind != _GLYPH and glyph != 0:
            if alone:
                tokens[count] = mix(uint64(glyph))
                count += 1
            glyph = 0
        if kind != _LETTER and word != 0:
            content = (content ^ mix(word)) * PRIME
            tokens[count] = MASKED if masked else mix(word)
            count += 1
            word = uint64(0)
        if kind == _BREAK:
            if i >= limit:
                if limit == end:
                    break
                for j in range(
                    limit, tail_start
                ):  # the middle of a very long text counts for its content only
                    content = (content ^ uint64(data[j])) * PRIME
                i = tail_start
                limit = end
                continue
            fresh_line = fresh_line or point == 10
            i += width
            continue
        if fresh_line:
            if lines < line_starts.shape[0]:
                line_starts[lines] = count
            lines += 1
            fresh_line = False
        if kind == _GLYPH:
            content = (content ^ uint64(point)) * PRIME
            alone = glyph == 0
            if not alone:
                tokens[count] = mix((uint64(glyph) << uint64(32)) | uint64(point))
                count += 1
            glyph = point
            i += width
            continue
        if word == 0:
            word = GOLDEN
            masked = False
        if folded == 0:
            word = (word ^ uint64(point)) * PRIME
            masked = masked or digit
            i += width
            continue
        while folded != 0:
            word = (word ^ uint64(folded)) * PRIME
            masked = masked or folded < 58
            i += 1
            if i >= limit:
                break
            folded = FOLDED[data[i]]
    return count, lines, mix(content) if count > 0 else uint64(0)
