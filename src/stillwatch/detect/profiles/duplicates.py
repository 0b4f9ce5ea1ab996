"""Which rows of facts repeat a request id that another row has.

Ids are compared as hashes, sorted in parts that fit in memory. Only the rows of ids that occur twice are looked at closer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from numpy.typing import NDArray

IDS_AT_ONCE = 32_000_000  # 256 MB of hashes
ORDER = ("request", "time_us", "account_id", "content", "file", "row")


def repeated_rows(files: Sequence[Path]) -> dict[Path, NDArray[np.int64]]:
    """Find the rows to leave out so that each request id counts once.

    Of the rows with one id the earliest stays, then the one of the smallest account id, then of the smallest content,
    then the one in the first file.

    Args:
        files: Files of facts, those that are kept anyway first.

    Returns:
        Row numbers to leave out, ascending, of the files that have any.
    """
    repeated = _repeated_ids(files)
    if len(repeated) == 0:
        return {}
    rows = pa.concat_tables([_rows_of(path, number, repeated) for number, path in enumerate(files)])
    rows = rows.sort_by([(name, "ascending") for name in ORDER])
    request = rows["request"].to_numpy()
    later = np.zeros(len(request), dtype=np.bool_)
    later[1:] = request[1:] == request[:-1]
    file, row = rows["file"].to_numpy()[later], rows["row"].to_numpy()[later]
    return {files[number]: np.sort(row[file == number]) for number in np.unique(file).tolist()}


def _repeated_ids(files: Sequence[Path]) -> NDArray[np.int64]:
    """Return the ids that occur more than once, sorted."""
    total = sum(pq.read_metadata(path).num_rows for path in files)
    parts = max(1, -(-total // IDS_AT_ONCE))
    found = [_repeated_in_part(files, part, parts) for part in range(parts)]
    return np.unique(np.concatenate(found))


def _repeated_in_part(files: Sequence[Path], part: int, parts: int) -> NDArray[np.int64]:
    columns = [_ids(path) for path in files]
    if parts > 1:
        columns = [ids[ids % parts == part] for ids in columns]
    ids = np.concatenate(columns) if columns else np.empty(0, np.int64)
    ids.sort()
    repeats: NDArray[np.int64] = ids[1:][ids[1:] == ids[:-1]]
    return repeats


def _ids(path: Path) -> NDArray[np.int64]:
    return np.asarray(pq.read_table(path, columns=["request"])["request"].to_numpy())


def _rows_of(path: Path, number: int, repeated: NDArray[np.int64]) -> pa.Table:
    """Return what decides between rows of repeated ids, and where they stand."""
    ids = _ids(path)
    place = np.minimum(np.searchsorted(repeated, ids), len(repeated) - 1)
    row = np.flatnonzero(repeated[place] == ids)
    if len(row) == 0:
        table = pq.read_schema(path).empty_table().select(["request", "time_us", "account_id", "content"])
    else:
        table = pq.read_table(path, columns=["request", "time_us", "account_id", "content"]).take(
            pa.array(row)
        )
    table = table.append_column("file", pa.array(np.full(len(row), number, np.int64)))
    return table.append_column("row", pa.array(row))
