"""Hash text in one compiled pass over an Arrow buffer.

Everything that is kept of a prompt is made here: one hash of its exact content and a few hashes of short
token runs (shingles). The shingles that are kept are chosen so that two prompts made from one template keep
common ones whatever was put into the template's slots:

* the first and the last shingle of the text, and the first shingle of its next lines: fixed openings, endings
  and field labels survive any slot value;
* those shingles whose hash falls under a fixed threshold: a coordinated sample (Broder 1997, "On the
  resemblance and containment of documents", sec. 4) that survives paraphrased openings and added noise.

Hashes are our own, so that they are the same on every machine, engine and version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import uint64

from stillwatch.detect.fingerprints.ascii_tokens import is_ascii, tokenize_ascii
from stillwatch.detect.fingerprints.tokens import (
    GOLDEN,
    HEAD_BYTES,
    MASKED,
    PRIME,
    TAIL_BYTES,
    compiled,
    mix,
    tokenize,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHINGLE_TOKENS = 4  # shorter runs are ordinary phrases, longer ones break on a single changed word
MAX_KEYS = 12  # keys kept of one text, openings and endings first
MAX_LINE_STARTS = 4  # field labels sit in the first lines of a template
SAMPLE_SHIFT = 60  # one shingle in 16 is kept wherever it stands

# The places of a shingle, apart: odd numbers from the digits of pi, e, sqrt(2) and the golden ratio.
_FIRST, _SECOND = np.uint64(0x243F6A8885A308D3), np.uint64(0xB7E151628AED2A6B)
_THIRD, _FOURTH = np.uint64(0x6A09E667F3BCC909), np.uint64(0x9E3779B97F4A7C15)


@compiled
def _add_key(keys: NDArray[np.uint64], used: int, key: np.uint64) -> int:
    for j in range(used):
        if keys[j] == key:
            return used
    if used < keys.shape[0]:
        keys[used] = key
        return used + 1
    return used


@compiled
def _shingle(tokens: NDArray[np.uint64], at: int) -> np.uint64:
    """Hash one run of tokens; 0 where it is mostly numbers and names nothing."""
    first, second, third, fourth = tokens[at], tokens[at + 1], tokens[at + 2], tokens[at + 3]
    numbers = (first == MASKED) + (second == MASKED) + (third == MASKED) + (fourth == MASKED)
    if numbers > 1:
        return np.uint64(0)
    return mix(first * _FIRST + second * _SECOND + third * _THIRD + fourth * _FOURTH)


@compiled
def _select_keys(
    tokens: NDArray[np.uint64],
    count: int,
    line_starts: NDArray[np.int64],
    lines: int,
    keys: NDArray[np.uint64],
) -> int:
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
        if (value >> uint64(SAMPLE_SHIFT)) == 0 and value != 0:
            used = _add_key(keys, used, value)
    return used


@compiled
def fingerprint_texts(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.int32]]:
    """Fingerprint every text of a buffer.

    Args:
        data: `(n_bytes,)` uint8, the concatenated UTF-8 texts.
        offsets: `(n + 1,)` int64, where each text begins and ends.
        valid: `(n,)` bool, false where there is no text.

    Returns:
        Content hashes `(n,)` uint64 (0 = no words); key offsets `(n + 1,)` int64; keys `(n_keys,)` uint64; and
        tokens counted `(n,)` int32 (head and tail only).
    """
    n = offsets.shape[0] - 1
    content = np.zeros(n, dtype=np.uint64)
    sizes = np.zeros(n, dtype=np.int32)
    key_offsets = np.zeros(n + 1, dtype=np.int64)
    keys = np.empty(n * MAX_KEYS, dtype=np.uint64)
    tokens = np.empty(HEAD_BYTES + TAIL_BYTES + 8, dtype=np.uint64)
    masked = np.empty(tokens.shape[0], dtype=np.bool_)
    line_starts = np.empty(MAX_LINE_STARTS, dtype=np.int64)
    own = np.empty(MAX_KEYS, dtype=np.uint64)
    total = 0
    for i in range(n):
        if valid[i]:
            start, end = offsets[i], offsets[i + 1]
            if end - start <= HEAD_BYTES and is_ascii(data, start, end):
                count, lines, content[i] = tokenize_ascii(data, start, end, tokens, masked, line_starts)
            else:
                count, lines, content[i] = tokenize(data, start, end, tokens, line_starts)
            sizes[i] = count
            used = _select_keys(tokens, count, line_starts, lines, own)
            for j in range(used):
                keys[total + j] = own[j]
            total += used
        key_offsets[i + 1] = total
    return content, key_offsets, keys[:total].copy(), sizes


@compiled
def hash_values(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], valid: NDArray[np.bool_]
) -> NDArray[np.int64]:
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
            value = GOLDEN
            for j in range(offsets[i], offsets[i + 1]):
                value = (value ^ uint64(data[j])) * PRIME
            out[i] = np.int64(mix(value) >> uint64(1))
    return out


@compiled
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


@compiled
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
