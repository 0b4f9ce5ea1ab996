"""Everybody above an organization: all owners of owners, over all registers at once.

The registers may hold millions of rows; the part above a few organizations is small. It is cut out with arrays,
and only what was cut out becomes objects.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stillwatch.respond.access.ownership.tables import Register

Indices = NDArray[np.int64]


def holdings_above(targets: Iterable[str], registers: Sequence[Register]) -> list[pa.Table]:
    """Cut out the holdings in the targets, in their owners, in the owners of these, and so on.

    Args:
        targets: Entity ids.
        registers: Where holdings are claimed.

    Returns:
        One table for each register, schema `HOLDINGS`, in the register's order.
    """
    tables = [register.holdings for register in registers]
    subjects, owners, names = _coded(tables)
    wanted = _codes_of(set(targets), names)
    reached = _reach(wanted, subjects, owners, len(names))
    kept = reached[subjects]
    parts, start = [], 0
    for table in tables:
        parts.append(table.filter(pa.array(kept[start : start + table.num_rows])))
        start += table.num_rows
    return parts


def _coded(tables: Sequence[pa.Table]) -> tuple[Indices, Indices, pa.Array]:
    """Number the ids of all tables together: the subjects, the owners, and the id behind each number."""
    columns = [
        chunk
        for name in ("subject", "owner")
        for table in tables
        for chunk in table.column(name).cast(pa.string()).chunks
    ]
    if not columns:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, pa.array([], pa.string())
    encoded = pa.chunked_array(columns).combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    half = len(codes) // 2
    return codes[:half], codes[half:], encoded.dictionary


def _codes_of(ids: set[str], names: pa.Array) -> Indices:
    """Return the numbers of the ids that occur."""
    found = pa.compute.index_in(pa.array(sorted(ids), pa.string()), value_set=names)
    codes: Indices = found.drop_null().to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _reach(start: Indices, subjects: Indices, owners: Indices, count: int) -> NDArray[np.bool_]:
    """Walk from subjects to owners until nobody new is met; `(count,)` bool, who was met."""
    order = np.argsort(subjects, kind="stable")
    first = np.searchsorted(subjects[order], np.arange(count + 1))
    above = owners[order]
    reached = np.zeros(count, dtype=bool)
    frontier = start
    while len(frontier):
        reached[frontier] = True
        begins, lengths = first[frontier], first[frontier + 1] - first[frontier]
        steps = np.repeat(begins - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
        met = np.unique(above[steps + np.arange(lengths.sum())])
        frontier = met[~reached[met]]
    return reached
