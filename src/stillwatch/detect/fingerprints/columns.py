"""Hash Arrow string columns with the compiled kernel."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Coded:
    """A column that repeats its values, as distinct values and where they stand.

    Args:
        values: `(n_distinct,)` strings.
        codes: `(n,)` which value each row has; `n_distinct` where it has none.
    """

    values: pa.Array
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, column: pa.Array) -> Coded:
        """Find the distinct values of a string column."""
        encoded = column.dictionary_encode()
        codes = pc.fill_null(encoded.indices, len(encoded.dictionary))
        return cls(encoded.dictionary, codes.to_numpy(zero_copy_only=False).astype(np.int64, copy=False))

    @classmethod
    def of_pairs(cls, left: Coded, right: Coded, separator: str) -> Coded:
        """Join two columns row by row; no value where both have none."""
        width = len(right.values) + 1
        pairs = pa.array(left.codes * width + right.codes).dictionary_encode()
        firsts, seconds = np.divmod(pairs.dictionary.to_numpy(), width)
        parts = [_or_empty(left.values, firsts), _or_empty(right.values, seconds)]
        texts = pc.binary_join_element_wise(*parts, separator)
        neither = (firsts == len(left.values)) & (seconds == len(right.values))
        values = pc.if_else(pa.array(neither), pa.scalar(None, pa.string()), texts)
        return cls(values, pairs.indices.to_numpy().astype(np.int64))

    def spread(self, of_value: NDArray[Any], missing: Any = 0) -> NDArray[Any]:
        """Give each row what its value has.

        Args:
            of_value: `(n_distinct,)` of any type.
            missing: What rows without a value get.
        """
        spread: NDArray[Any] = np.append(of_value, of_value.dtype.type(missing))[self.codes]
        return spread

    def counts(self) -> NDArray[np.int64]:
        """Count the rows of each value."""
        counts: NDArray[np.int64] = np.bincount(self.codes, minlength=len(self.values) + 1)
        return counts[: len(self.values)]


def _or_empty(values: pa.Array, codes: NDArray[np.int64]) -> pa.Array:
    return pc.fill_null(values.take(pa.array(codes, mask=codes == len(values))), "")


def hash_by_value(values: pa.Array) -> NDArray[np.int64]:
    """Hash a column that repeats its values.

    Args:
        values: `(n,)` string.

    Returns:
        `(n,)` int64, 0 where there is no value.
    """
    coded = Coded.of(values)
    return coded.spread(hash_column(coded.values))


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
