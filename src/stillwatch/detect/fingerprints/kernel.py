"""Tokenize UTF-8 text and hash it, in one compiled pass over an Arrow buffer.

Everything that is kept of a prompt is made here: one hash of its exact content and a few hashes of short
token runs (shingles). The shingles that are kept are chosen so that two prompts made from one template keep
common ones whatever was put into the template's slots:

* the first and the last shingle of the text, and the first shingle of its next lines: fixed openings, endings
  and field labels survive any slot value;
* those shingles whose hash falls under a fixed threshold: a coordinated sample (Broder 1997, "On the
  resemblance and containment of documents", sec. 4) that survives paraphrased openings and added noise.

Letters are folded to lower case where UTF-8 makes that cheap (ASCII, Latin-1, Greek and Cyrillic capitals are
left as they are otherwise), digits are masked, Chinese, Japanese and Korean text is cut into pairs of characters.
Hashes are our own, so that they are the same on every machine, engine and version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit, uint64

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHINGLE_TOKENS = 4  # shorter runs are ordinary phrases, longer ones break on a single changed word
MAX_KEYS = 12  # keys kept of one text, openings and endings first
MAX_LINE_STARTS = 4  # field labels sit in the first lines of a template
SAMPLE_SHIFT = 60  # one shingle in 16 is kept wherever it stands
HEAD_BYTES = 6_000  # text beyond the head and the tail is content, not template
TAIL_BYTES = 600

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)  # Steele et al. 2014, SplitMix64
_MIX_2 = np.uint64(0x94D049BB133111EB)
_PRIME = np.uint64(0x100000001B3)  # Fowler, Noll and Vo, FNV-1a 64
_MASKED = np.uint64(0x5851F42D4C957F2D)


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> uint64(30))) * _MIX_1
    value = (value ^ (value >> uint64(27))) * _MIX_2
    return value ^ (value >> uint64(31))  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def _tokenize(data, start, end, tokens, line_starts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, C901, PLR0912, PLR0915
    """Hash the tokens of one text; returns (number of tokens, number of lines, content hash)."""
    count = 0
    lines = 0
    content = _GOLDEN
    word = uint64(0)  # running hash of the word being read, 0 = none
    exact = uint64(0)
    masked = False
    pair = uint64(0)  # first half of a pair of ideographs
    fresh_line = True
    head_end = min(end, start + HEAD_BYTES)
    tail_start = max(head_end, end - TAIL_BYTES)
    i = start
    while i <= end:
        if i == head_end and tail_start > head_end:
            # The middle of a very long text counts for its exact content only.
            for j in range(head_end, tail_start):
                content = (content ^ uint64(data[j])) * _PRIME
            i = tail_start
        byte = data[i] if i < end else 32
        width = 1
        if byte < 128:
            is_digit = 48 <= byte <= 57
            if 65 <= byte <= 90:
                byte += 32
            if is_digit or 97 <= byte <= 122:
                if pair != 0:
                    tokens[count] = _mix(pair)
                    count += 1
                    pair = uint64(0)
                if exact == 0:
                    exact = _GOLDEN
                    word = _GOLDEN
                    masked = False
                exact = (exact ^ uint64(byte)) * _PRIME
                word = exact
                masked = masked or is_digit
                i += 1
                if fresh_line:
                    if lines < line_starts.shape[0]:
                        line_starts[lines] = count
                    lines += 1
                    fresh_line = False
                continue
        elif byte >= 0xE3 and byte < 0xEE and i + 2 < end:
            # Kana, ideographs and Hangul syllables: no spaces between words, so pairs of characters.
            glyph = (uint64(data[i]) << uint64(16)) | (uint64(data[i + 1]) << uint64(8)) | uint64(data[i + 2])
            width = 3
            if not (data[i] == 0xE3 and data[i + 1] == 0x80):  # CJK punctuation separates
                if exact != 0:
                    content = (content ^ _mix(exact)) * _PRIME
                    tokens[count] = _MASKED if masked else _mix(word)
                    count += 1
                    exact = uint64(0)
                if fresh_line:
                    if lines < line_starts.shape[0]:
                        line_starts[lines] = count
                    lines += 1
                    fresh_line = False
                content = (content ^ glyph) * _PRIME
                if pair == 0:
                    pair = glyph
                else:
                    tokens[count] = _mix((pair << uint64(24)) | glyph)
                    count += 1
                    pair = uint64(0)
                i += 3
                if count >= tokens.shape[0] - 3:
                    break
                continue
        elif not (byte == 0xC2 or (byte == 0xE2 and i + 1 < end and data[i + 1] == 0x80) or byte >= 0xEE):
            # Any other letter: Latin with marks, Greek, Cyrillic, Hebrew, Arabic, Indic scripts, …
            if byte >= 0xE0:
                width = 3
            elif byte >= 0xC0:
                width = 2
            if exact == 0:
                exact = _GOLDEN
                masked = False
            for j in range(i, min(i + width, end)):
                low = uint64(data[j])
                if byte == 0xC3 and j > i and 0x80 <= data[j] <= 0x9E:
                    low += uint64(0x20)  # Latin-1 capitals
                exact = (exact ^ low) * _PRIME
            word = exact
            i += width
            if fresh_line:
                if lines < line_starts.shape[0]:
                    line_starts[lines] = count
                lines += 1
                fresh_line = False
            continue
        else:
            width = 2 if byte < 0xE0 else (3 if byte < 0xF0 else 4)
        # A separator: close what is open.
        if exact != 0:
            content = (content ^ _mix(exact)) * _PRIME
            tokens[count] = _MASKED if masked else _mix(word)
            count += 1
            exact = uint64(0)
        if pair != 0:
            tokens[count] = _mix(pair)
            count += 1
            pair = uint64(0)
        if byte == 10:
            fresh_line = True
        if count >= tokens.shape[0] - 3:
            break
        i += width
    return count, lines, _mix(content)


@njit(cache=True, nogil=True)
def _add_key(keys, used, key):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for j in range(used):
        if keys[j] == key:
            return used
    if used < keys.shape[0]:
        keys[used] = key
        return used + 1
    return used


@njit(cache=True, nogil=True)
def _shingle(tokens, at):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Hash one run of tokens; 0 where it is mostly numbers and names nothing."""
    value = _GOLDEN
    masked = 0
    for j in range(at, at + SHINGLE_TOKENS):
        value = (value ^ tokens[j]) * _PRIME
        value ^= value >> uint64(29)
        if tokens[j] == _MASKED:
            masked += 1
    return uint64(0) if masked > 1 else _mix(value)


@njit(cache=True, nogil=True)
def _select_keys(tokens, count, line_starts, lines, keys):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    used = 0
    last = count - SHINGLE_TOKENS
    if last < 0:
        return 0
    for at in (0, last):
        value = _shingle(tokens, at)
        if value != 0:
            used = _add_key(keys, used, value)
    for j in range(min(lines, line_starts.shape[0])):
        if line_starts[j] <= last:
            value = _shingle(tokens, line_starts[j])
            if value != 0:
                used = _add_key(keys, used, value)
    for at in range(1, last):
        value = _shingle(tokens, at)
        if value != 0 and (value >> uint64(SAMPLE_SHIFT)) == 0:
            used = _add_key(keys, used, value)
    return used


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fingerprint_texts(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.int32]]:
    """Fingerprint every text of a buffer.

    Args:
        data: `(n_bytes,)` uint8, the concatenated UTF-8 texts.
        offsets: `(n + 1,)` int64, where each text begins and ends.
        valid: `(n,)` bool, false where there is no text.

    Returns:
        Content hashes `(n,)` uint64 (0 = no text); key offsets `(n + 1,)` int64; keys `(n_keys,)` uint64; and
        tokens counted `(n,)` int32 (head and tail only).
    """
    n = offsets.shape[0] - 1
    content = np.zeros(n, dtype=np.uint64)
    sizes = np.zeros(n, dtype=np.int32)
    key_offsets = np.zeros(n + 1, dtype=np.int64)
    keys = np.empty(n * MAX_KEYS, dtype=np.uint64)
    tokens = np.empty(HEAD_BYTES + TAIL_BYTES + 8, dtype=np.uint64)
    line_starts = np.empty(MAX_LINE_STARTS, dtype=np.int64)
    own = np.empty(MAX_KEYS, dtype=np.uint64)
    total = 0
    for i in range(n):
        if valid[i]:
            count, lines, content[i] = _tokenize(data, offsets[i], offsets[i + 1], tokens, line_starts)
            sizes[i] = count
            used = _select_keys(tokens, count, line_starts, lines, own)
            for j in range(used):
                keys[total + j] = own[j]
            total += used
        key_offsets[i + 1] = total
    return content, key_offsets, keys[:total].copy(), sizes


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def hash_values(data: NDArray[np.uint8], offsets: NDArray[np.int64], valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Hash whole values (ids, addresses, user agents) byte by byte.

    Args:
        data: `(n_bytes,)` uint8, the concatenated UTF-8 values.
        offsets: `(n + 1,)` int64, where each value begins and ends.
        valid: `(n,)` bool, false where there is no value.

    Returns:
        `(n,)` int64, 0 = no value.
    """
    n = offsets.shape[0] - 1
    out = np.zeros(n, dtype=np.int64)
    for i in range(n):
        if valid[i]:
            value = _GOLDEN
            for j in range(offsets[i], offsets[i + 1]):
                value = (value ^ uint64(data[j])) * _PRIME
            out[i] = np.int64(_mix(value) >> uint64(1))
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def spread_keys(
    index: NDArray[np.int32], offsets: NDArray[np.int64], keys: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Repeat the keys of distinct texts for the rows that carry them.

    Args:
        index: `(n,)` int, which distinct text a row carries, -1 = none.
        offsets: `(n_distinct + 1,)` int64.
        keys: `(n_keys,)` uint64.

    Returns:
        Row offsets `(n + 1,)` int64 and row keys uint64.
    """
    n = index.shape[0]
    out_offsets = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        size = offsets[index[i] + 1] - offsets[index[i]] if index[i] >= 0 else 0
        out_offsets[i + 1] = out_offsets[i] + size
    out = np.empty(out_offsets[n], dtype=np.uint64)
    for i in range(n):
        if index[i] >= 0:
            out[out_offsets[i] : out_offsets[i + 1]] = keys[offsets[index[i]] : offsets[index[i] + 1]]
    return out_offsets, out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def merge_keys(
    offsets: NDArray[np.int64],
    keys: NDArray[np.uint64],
    system_offsets: NDArray[np.int64],
    system_keys: NDArray[np.uint64],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Join the keys of prompts and system instructions row by row; the lowest bit tells them apart.

    Args:
        offsets: `(n + 1,)` int64 into `keys`.
        keys: Keys of the prompts, uint64.
        system_offsets: `(n + 1,)` int64 into `system_keys`.
        system_keys: Keys of the system instructions, uint64.

    Returns:
        Offsets `(n + 1,)` int32 and keys int64, never negative.
    """
    n = offsets.shape[0] - 1
    out_offsets = np.zeros(n + 1, dtype=np.int32)
    out = np.empty(keys.shape[0] + system_keys.shape[0], dtype=np.int64)
    total = 0
    for i in range(n):
        for j in range(offsets[i], offsets[i + 1]):
            out[total] = np.int64((keys[j] >> uint64(2)) << uint64(1))
            total += 1
        for j in range(system_offsets[i], system_offsets[i + 1]):
            out[total] = np.int64(((system_keys[j] >> uint64(2)) << uint64(1)) | uint64(1))
            total += 1
        out_offsets[i + 1] = total
    return out_offsets, out
