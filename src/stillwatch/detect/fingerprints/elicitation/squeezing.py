"""Copy texts into the form that is scanned: one byte for each that counts, runs of white space as one.

Most text takes one compiled pass, in whatever script. Long rows, and those with odd characters, are prepared first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from stillwatch.detect.fingerprints.columns import text_buffers
from stillwatch.detect.fingerprints.elicitation.normalizing import (
    BARRIER,
    BYTE_TABLE,
    CUT,
    HEAD_CHARACTERS,
    TAIL_CHARACTERS,
    lower_case,
    prepare_texts,
)

_CODES = np.frombuffer(BYTE_TABLE, np.uint8)
_SPACE = 0x20
_ASCII = 0x80
_SPACE_BYTE, _DELETE, _CUT_BYTE, _BARRIER_BYTE = (
    np.uint8(code) for code in (0x20, 0x7F, ord(CUT), BARRIER[0])
)
_STAR, _UNDERSCORE, _HYPHEN, _BACKTICK, _QUOTE = (np.uint8(ord(mark)) for mark in '*_-`"')
_APOSTROPHE, _HASH, _TILDE, _BAR, _EQUALS = (np.uint8(ord(mark)) for mark in "'#~|=")
_FIRST_CAPITAL, _LAST_CAPITAL = np.uint8(ord("A")), np.uint8(ord("Z"))
_THREE_BYTES, _FOUR_BYTES = 0xE0, 0xF0  # first bytes of characters of so many
_EMOJI = 0x1F000  # from here on there are signs and ideographs only
_LONG = HEAD_CHARACTERS + TAIL_CHARACTERS


@dataclass(frozen=True, slots=True)
class Squeezed:
    """Texts end to end.

    Args:
        text: `(n_bytes,)` uint8.
        starts: `(n_rows + 1,)` int64, where each begins and ends.
        foreign: `(n_rows,)` bool, whether a text has other than ASCII characters.
    """

    text: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    foreign: npt.NDArray[np.bool_]


def squeezed_texts(texts: pa.Array) -> Squeezed:
    """Normalize texts.

    Args:
        texts: `(n_rows,)` strings, null where there is none; less than 2 GiB of text.
    """
    data, offsets, valid = text_buffers(texts)
    lower = lower_case()
    foreign, slow = _unlike(data, offsets, valid, lower)
    prepared, prepared_offsets, _ = text_buffers(prepare_texts(texts.filter(pa.array(slow))))
    rows = (data, offsets, valid, foreign, slow)
    text, starts = _squeeze(rows, prepared, prepared_offsets, _CODES, lower)
    return Squeezed(text, starts, foreign)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _unlike(data: Any, offsets: Any, valid: Any, lower: Any) -> Any:
    """Find the rows with other than ASCII characters, and all that have to be prepared."""
    foreign = np.zeros(len(valid), np.bool_)
    slow = np.zeros(len(valid), np.bool_)
    for row in range(len(valid)):
        if valid[row]:
            source = data[offsets[row] : offsets[row + 1]]
            together = np.uint8(0)
            for byte in source:
                together |= byte
            foreign[row] = together >= _ASCII
            slow[row] = len(source) > _LONG or (foreign[row] and _is_odd(source, lower))
    return foreign, slow


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _is_odd(source: Any, lower: Any) -> bool:
    """Tell whether a text needs more than lower case."""
    place = 0
    while place < len(source):
        if source[place] < _ASCII:
            place += 1
            continue
        point, width = _character(source, place)
        place += width
        if point < 0 or (point < len(lower) and lower[point] < 0):
            return True
        if len(lower) <= point < _EMOJI:  # ancient scripts with capitals, and styled letters
            return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _character(source: Any, place: int) -> Any:
    """Decode the character of several bytes at a place: code point (-1 where it is cut off) and bytes."""
    byte = np.int64(source[place])
    width = 2 if byte < _THREE_BYTES else 3 if byte < _FOUR_BYTES else 4
    if place + width > len(source):
        return np.int64(-1), width
    point = byte & (0xFF >> (width + 1))
    for further in range(1, width):
        point = (point << 6) | (np.int64(source[place + further]) & 0x3F)
    return point, width


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _squeeze(rows: Any, prepared: Any, prepared_offsets: Any, codes: Any, lower: Any) -> Any:
    """Map every byte and join runs of spaces; rows without text are empty."""
    data, offsets, valid, foreign, slow = rows
    room = prepared_offsets[-1] - prepared_offsets[0] + 1
    for row in range(len(valid)):
        if valid[row] and not slow[row]:  # a small letter may take a byte more than its capital
            room += (offsets[row + 1] - offsets[row]) * (2 if foreign[row] else 1)
    text = np.empty(room, np.uint8)
    starts = np.zeros(len(valid) + 1, np.int64)
    place = 0
    taken = 0
    for row in range(len(valid)):
        if slow[row]:
            source = prepared[prepared_offsets[taken] : prepared_offsets[taken + 1]]
            place = _squeeze_one(source, text, place)
            taken += 1
        elif foreign[row]:
            place = _squeeze_foreign(data[offsets[row] : offsets[row + 1]], text, place, codes, lower)
        elif valid[row]:
            place = _squeeze_one(data[offsets[row] : offsets[row + 1]], text, place)
        starts[row + 1] = place
    return text, starts


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _squeeze_foreign(source: Any, text: Any, place: Any, codes: Any, lower: Any) -> Any:
    at = place
    before = np.uint8(0)
    index = 0
    while index < len(source):
        if source[index] < _ASCII:
            point, width = np.int64(codes[source[index]]), 1
        else:
            point, width = _character(source, index)
            if point < len(lower):
                point = np.int64(lower[point])
                if point < _ASCII:
                    point = np.int64(codes[point])
        index += width
        if point < _ASCII:
            text[at] = point
            at += not (point == _SPACE and before == _SPACE)
            before = np.uint8(point)
        else:
            at = _write(text, at, point)
            before = np.uint8(0)
    return at


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _write(text: Any, at: Any, point: int) -> Any:
    """Encode a character of several bytes, and return the place behind it."""
    width = 2 if point < 0x800 else 3 if point < 0x10000 else 4
    for further in range(width - 1, 0, -1):
        text[at + further] = 0x80 | (point & 0x3F)
        point >>= 6
    text[at] = (0xF00 >> width & 0xFF) | point
    return at + width


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _squeeze_one(source: Any, text: Any, place: Any) -> Any:
    target = text[place : place + len(source)]
    if _map_bytes(source, target):
        return place + _join_spaces(target)
    return place + len(source)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _map_bytes(source: Any, target: Any) -> bool:
    """Map every byte as `BYTE_TABLE` does, many at a time, and tell whether spaces meet."""
    for index in range(len(source)):
        byte = source[index]
        is_space = (
            (byte < _SPACE_BYTE)
            | (byte == _DELETE)
            | (byte == _STAR)
            | (byte == _UNDERSCORE)
            | (byte == _HYPHEN)
            | (byte == _BACKTICK)
            | (byte == _QUOTE)
            | (byte == _APOSTROPHE)
            | (byte == _HASH)
            | (byte == _TILDE)
            | (byte == _BAR)
            | (byte == _EQUALS)
        )
        small = byte | _SPACE_BYTE if (byte >= _FIRST_CAPITAL) & (byte <= _LAST_CAPITAL) else byte
        code = _SPACE_BYTE if is_space else small
        target[index] = _BARRIER_BYTE if byte == _CUT_BYTE else code
    meet = False
    for index in range(1, len(source)):
        here = np.uintp(index)
        meet |= (target[here] == _SPACE_BYTE) & (target[here - np.uintp(1)] == _SPACE_BYTE)
    return meet


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _join_spaces(text: Any) -> Any:
    """Make one space of several in a row, in place, and return how many bytes are left."""
    before = np.uint8(0)
    at = np.uintp(0)
    for byte in text:
        text[at] = byte  # written over by the next byte if it is one space too many
        at += np.uintp(1) - np.uintp((byte == _SPACE_BYTE) & (before == _SPACE_BYTE))
        before = byte
    return np.int64(at)
