"""Hash Arrow string columns with the compiled kernel."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detect.fingerprints import kernel
from stillwatch.detect.fingerprints.tokens import GOLDEN, PRIME

if TYPE_CHECKING:
    from numpy.typing import NDArray


def text_buffers(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """Look at an Arrow string array as bytes, offsets and validity, without copying the text.

    Args:
        texts: `(n,)` string or large_string.

    Returns:
        Bytes uint8, offsets `(n + 1,)` int64, validity `(n,)` bool.
    """
    width: Any = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    _, offsets_buffer, data_buffer = texts.buffers()
    valid = np.asarray(texts.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)
    if offsets_buffer is None or len(texts) == 0:
        return np.empty(0, np.uint8), np.zeros(len(texts) + 1, np.int64), valid
    offsets = np.frombuffer(offsets_buffer, dtype=width)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.empty(0, np.uint8)
    return data, offsets.astype(np.int64), valid


def hash_column(values: pa.Array) -> NDArray[np.int64]:
    """Hash each value of a string column; equal values have equal hashes on every machine.

    Args:
        values: `(n,)` string.

    Returns:
        `(n,)` int64, 0 where the value is null.
    """
    return kernel.hash_values(*text_buffers(values))


def hash_by_value(values: pa.Array, value_of: Any = None) -> NDArray[np.int64]:
    """Hash a column that repeats its values, after an optional function of each distinct value.

    Args:
        values: `(n,)` string.
        value_of: What to hash instead of the value itself, as `str -> str | None`.

    Returns:
        `(n,)` int64, 0 where there is no value.
    """
    encoded = values.dictionary_encode()
    distinct = encoded.dictionary
    if value_of is not None:
        distinct = pa.array([value_of(value) for value in distinct.to_pylist()], type=pa.string())
    hashes = np.append(hash_column(distinct), np.int64(0))
    index = pc.fill_null(encoded.indices, len(distinct)).to_numpy(zero_copy_only=False)
    hashed: NDArray[np.int64] = hashes[index]
    return hashed


@lru_cache(maxsize=200_000)
def network_of(address: str) -> str | None:
    """Name the network that one party usually holds: a /24 of IPv4, a /48 of IPv6 (RFC 6177).

    Anything that is no address (a proxy's name, say) stands for itself.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address or None
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


def joined(columns: list[pa.Array]) -> pa.Array:
    """Join several columns into one string column; null where all of them are null.

    Args:
        columns: Arrays of one length and any type.

    Returns:
        `(n,)` string, the parts separated by a unit separator.
    """
    parts = [pc.fill_null(pc.cast(column, pa.string()), "") for column in columns]
    text = pc.binary_join_element_wise(*parts, "\x1f")
    empty = "\x1f" * (len(columns) - 1)
    return pc.if_else(pc.equal(text, empty), pa.scalar(None, pa.string()), text)


def hash_rows(columns: list[pa.Array]) -> NDArray[np.int64]:
    """Hash several columns into one value per row, without writing numbers out.

    Args:
        columns: Strings, numbers or booleans of one length.

    Returns:
        `(n,)` int64, 0 where all of them are null.
    """
    state: NDArray[np.uint64] = np.full(len(columns[0]), GOLDEN, dtype=np.uint64)
    present = np.zeros(len(columns[0]), dtype=np.bool_)
    for column in columns:
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        state = np.multiply(state ^ np.where(valid, _bits(column), _ABSENT), PRIME)
        state ^= state >> np.uint64(29)
        present |= valid
    return np.where(present, (state >> np.uint64(1)).astype(np.int64), 0)


_ABSENT = np.uint64(0x5851F42D4C957F2D)  # no number that a log would hold


def _bits(column: pa.Array) -> NDArray[np.uint64]:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return hash_by_value(column).view(np.uint64)
    numbers = pc.fill_null(pc.cast(column, pa.float64()), 0.0).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(numbers).view(np.uint64)
