"""Turn texts into short vectors by hashing their n-grams: no vocabulary, no model weights."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Features = npt.NDArray[np.float32]

DIMENSIONS = 256
_GRAM_BYTES = 4  # long enough to tell words apart, short enough to fill 256 buckets from one sentence
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing, Knuth (1973), vol. 3, 6.4
_BATCH = 4_096


def hashed_ngrams(texts: Sequence[str], dimensions: int = DIMENSIONS) -> Features:
    """Count hashed byte 4-grams with random signs, and scale each row to length 1.

    Fails on texts that share words and not meaning, and on paraphrases: they look new.

    Args:
        texts: What to turn into vectors; texts under four bytes become zero.
        dimensions: Buckets; a power of two.

    Returns:
        `(n_texts, dimensions)` float32, rows of Euclidean length 1 (or 0).

    References:
        Weinberger et al. (2009), "Feature hashing for large scale multitask learning", arXiv 0902.2206.
    """
    parts = [_batch(texts[start : start + _BATCH], dimensions) for start in range(0, len(texts), _BATCH)]
    return np.concatenate(parts) if parts else np.zeros((0, dimensions), np.float32)


def _batch(texts: Sequence[str], dimensions: int) -> Features:
    encoded = [text.lower().encode("utf-8", "surrogatepass") for text in texts]
    sizes = np.array([len(text) for text in encoded])
    joined = np.frombuffer(b"".join(encoded) + b"\0" * _GRAM_BYTES, np.uint8)
    row = np.repeat(np.arange(len(texts)), sizes)
    # A gram belongs to a text only if it ends inside it.
    room = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(row))
    bucket, sign = _hash_grams(joined, dimensions)
    inside = room >= _GRAM_BYTES
    cells = row[inside] * dimensions + bucket[: len(row)][inside]
    counts = np.bincount(cells, sign[: len(row)][inside], minlength=len(texts) * dimensions)
    matrix: Features = counts.reshape(len(texts), dimensions).astype(np.float32)
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    scaled: Features = np.divide(matrix, length, out=np.zeros_like(matrix), where=length > 0)
    return scaled


def _hash_grams(joined: npt.NDArray[np.uint8], dimensions: int) -> tuple[npt.NDArray[np.int64], Features]:
    """Bucket and sign of the 4-gram that starts at each byte."""
    gram = np.zeros(len(joined) - _GRAM_BYTES, np.uint64)
    for offset in range(_GRAM_BYTES):
        gram = (gram << np.uint64(8)) | joined[offset : offset + len(gram)]
    mixed = gram * _MIX
    bucket = (mixed >> np.uint64(40)).astype(np.int64) & (dimensions - 1)
    sign = ((mixed >> np.uint64(63)).astype(np.float32) * 2 - 1).astype(np.float32)
    return bucket, sign
