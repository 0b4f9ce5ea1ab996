"""Cut plain ASCII text into the same tokens as `tokens.tokenize`, in a third of the time.

Most text is ASCII. Without other scripts to tell apart, one byte takes the same few operations whatever it is, and no
branch has to be guessed at the end of each word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import int64, uint64

from stillwatch.detect.fingerprints.tokens import FOLDED, GOLDEN, MASKED, PRIME, compiled, mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEW_LINE = 10
_ASCII = 0x80
_NEITHER, _ONE, _PAST_DIGITS = np.uint64(0), np.uint64(1), np.uint64(ord("9") + 1)


@compiled
def is_ascii(data: NDArray[np.uint8], start: int, end: int) -> bool:
    """Tell whether a stretch of bytes is plain ASCII."""
    together = np.uint8(0)
    for byte in data[start:end]:
        together |= byte
    return bool(together < _ASCII)


@compiled
def tokenize_ascii(
    data: NDArray[np.uint8],
    start: int,
    end: int,
    tokens: NDArray[np.uint64],
    masked: NDArray[np.bool_],
    line_starts: NDArray[np.int64],
) -> tuple[int, int, np.uint64]:
    """Hash the tokens of one ASCII text that is no longer than the head.

    Args:
        data: Bytes uint8.
        start: Where the text begins.
        end: Where it ends.
        tokens: Takes the hashes; room for the text and one more.
        masked: As long as `tokens`; for use in here.
        line_starts: Takes the numbers of the tokens that begin the first lines.

    Returns:
        Number of tokens, number of lines (no more than there is room for), and the content hash (0 = no word at all).
    """
    count = np.uintp(0)
    lines = 0
    line_starts[0] = 0
    word, digits, inside = GOLDEN, _NEITHER, _NEITHER
    for i in range(np.uintp(start), np.uintp(end)):
        folded = uint64(FOLDED[data[i]])
        letter = uint64(folded != _NEITHER)
        chosen = _NEITHER - letter  # all bits set within a word
        count += np.uintp(inside & (letter ^ _ONE))
        word = (((word ^ folded) * PRIME) & chosen) | (GOLDEN & ~chosen)
        digits = (digits | uint64(folded < _PAST_DIGITS)) & chosen
        tokens[count] = word  # written over until the word ends
        masked[count] = digits != _NEITHER
        inside = letter
        if data[i] == _NEW_LINE and int64(count) != line_starts[lines] and lines + 1 < line_starts.shape[0]:
            lines += 1
            line_starts[lines] = int64(count)
    total = int64(count + np.uintp(inside))
    lines += line_starts[lines] < total  # a line without tokens is none
    return total, lines, _finish(tokens, masked, total)


@compiled
def _finish(tokens: NDArray[np.uint64], masked: NDArray[np.bool_], count: int) -> np.uint64:
    """Spread the hashes of the words, and hide those with digits from the tokens but not from the content."""
    content = GOLDEN
    for i in range(count):
        word = mix(tokens[i])
        content = (content ^ word) * PRIME
        tokens[i] = MASKED if masked[i] else word
    return mix(content) if count > 0 else _NEITHER
