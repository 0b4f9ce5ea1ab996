"""Copy texts into the form that is scanned: one byte for each that counts, runs of white space as one.

Most text is plain ASCII and takes one compiled pass. Other rows, and long ones, are prepared first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from stillwatch.detect.fingerprints.columns import text_buffers
from stillwatch.detect.fingerprints.elicitation.normalizing import (
    BYTE_TABLE,
    HEAD_CHARACTERS,
    TAIL_CHARACTERS,
    prepare_texts,
)

_CODES = np.frombuffer(BYTE_TABLE, np.uint8)
_SPACE = 0x20
_ASCII = 0x80
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
    foreign, slow = _unlike(data, offsets, valid)
    prepared, prepared_offsets, _ = text_buffers(prepare_texts(texts.filter(pa.array(slow))))
    text, starts = _squeeze(data, offsets, valid, slow, prepared, prepared_offsets, _CODES)
    return Squeezed(text, starts, foreign)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _unlike(data: Any, offsets: Any, valid: Any) -> Any:
    """Find the rows with other than ASCII characters, and all that have to be prepared."""
    foreign = np.zeros(len(valid), np.bool_)
    slow = np.zeros(len(valid), np.bool_)
    for row in range(len(valid)):
        if valid[row]:
            together = np.uint8(0)
            for byte in data[offsets[row] : offsets[row + 1]]:
                together |= byte
            foreign[row] = together >= _ASCII
            slow[row] = foreign[row] or offsets[row + 1] - offsets[row] > _LONG
    return foreign, slow


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _squeeze(
    data: Any, offsets: Any, valid: Any, slow: Any, prepared: Any, prepared_offsets: Any, codes: Any
) -> Any:
    """Map every byte and join runs of spaces; rows without text are empty."""
    rows = len(valid)
    room = prepared_offsets[-1] - prepared_offsets[0] + 1
    for row in range(rows):
        if valid[row] and not slow[row]:
            room += offsets[row + 1] - offsets[row]
    text = np.empty(room, np.uint8)
    starts = np.zeros(rows + 1, np.int64)
    place = 0
    taken = 0
    for row in range(rows):
        if slow[row]:
            place = _squeeze_one(
                prepared[prepared_offsets[taken] : prepared_offsets[taken + 1]], text, place, codes
            )
            taken += 1
        elif valid[row]:
            place = _squeeze_one(data[offsets[row] : offsets[row + 1]], text, place, codes)
        starts[row + 1] = place
    return text, starts


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _squeeze_one(source: Any, text: Any, place: Any, codes: Any) -> Any:
    before = np.uint8(0)
    at = np.uintp(place)
    for byte in source:
        code = codes[byte]
        text[at] = code  # written over by the next byte if it is one space too many
        at += np.uintp(1) - np.uintp((code == _SPACE) & (before == _SPACE))
        before = code
    return np.int64(at)
