"""What the `prompts` tables of a window say of each account, read in a few passes that keep only what repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.detect.profiles.numbering import Numbering
from stillwatch.detect.profiles.occurrences import Holders, Occurrences

if TYPE_CHECKING:
    from numpy.typing import NDArray

Columns = dict[str, Any]

_BATCH_ROWS = 131_072
_REPEATED_SHARE = 4  # of this many template keys about one is of a template
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)  # an odd number: joins two hashes to one


def prompts_by_account(files: Sequence[str], accounts: Numbering) -> NDArray[np.int64]:
    """Count the different prompts of each account and day, summed over days.

    Args:
        files: `prompts` tables, one for each day.
        accounts: The accounts.

    Returns:
        `(n_accounts,)` int64.
    """
    counts = np.zeros(accounts.size, np.int64)
    for file in files:
        # A prompt has several rows on a day only if it came with several system instructions.
        again = Occurrences(_rows([file]))
        for columns in _batches([file], "account", "content"):
            again.count(_joined(columns))
        unsure: list[NDArray[np.int64]] = []
        for columns in _batches([file], "account", "content"):
            repeated = again.repeated(_joined(columns))
            counts += _tally(accounts.of(columns["account"][~repeated]), accounts.size)
            unsure.append(np.stack([columns["account"][repeated], columns["content"][repeated]], axis=1))
        if unsure:
            counts += _tally(accounts.of(_distinct(np.concatenate(unsure))[:, 0].copy()), accounts.size)
    return counts


def repeats_by_account(files: Sequence[str], accounts: Numbering) -> dict[str, NDArray[np.float64]]:
    """Count repeatable prompts, the different ones among them, and those that other accounts sent as well.

    Args:
        files: `prompts` tables, one for each day.
        accounts: The accounts.

    Returns:
        `prompts`, `different_prompts` and `shared_prompts`, each `(n_accounts,)`.
    """
    names = ("account", "content", "requests", "repeatable")
    again = Occurrences(_rows(files))
    for columns in _batches(files, "content", "repeatable"):
        again.count(columns["content"][columns["repeatable"] == 1])
    prompts, different = np.zeros(accounts.size), np.zeros(accounts.size)
    unsure = [np.empty((0, 2), np.int64)]
    for columns in _batches(files, *names):
        own = columns["repeatable"] == 1
        account, content = accounts.of(columns["account"][own]), columns["content"][own]
        prompts += np.bincount(account, columns["requests"][own], accounts.size)
        repeated = again.repeated(content)
        different += _tally(account[~repeated], accounts.size)
        unsure.append(np.stack([content[repeated], account[repeated]], axis=1))
    pairs = _distinct(np.concatenate(unsure))
    starts = (
        np.flatnonzero(np.append(True, pairs[1:, 0] != pairs[:-1, 0])) if len(pairs) else np.empty(0, int)
    )
    holders = np.diff(np.append(starts, len(pairs)))
    shared = pairs[np.repeat(holders > 1, holders), 1]
    different += _tally(pairs[:, 1], accounts.size)
    return {
        "prompts": prompts,
        "different_prompts": different,
        "shared_prompts": _tally(shared, accounts.size).astype(np.float64),
    }


def shared_template_rows(files: Sequence[str]) -> pa.Table:
    """Collect the prompts behind template keys that several accounts may share; most keys occur once and are left out.

    Args:
        files: `prompts` tables, one for each day.

    Returns:
        Rows of `account` (hash), `day`, `key`, `content`, `requests` and `elicited`.
    """
    expected = _keys(files)
    again, holders = Occurrences(expected), Holders(expected // _REPEATED_SHARE)
    for columns in _batches(files, "keys"):
        again.count(columns["keys"])
    for columns in _batches(files, "account", "keys"):
        repeated = np.flatnonzero(again.repeated(columns["keys"]))
        holders.note(columns["keys"][repeated], columns["account"][columns["row"][repeated]])
    found = [_TEMPLATE_ROWS.empty_table()]
    for columns in _batches(files, "account", "day", "content", "requests", "elicited", "keys"):
        kept = np.flatnonzero(holders.several(columns["keys"]))
        kept = kept[again.repeated(columns["keys"][kept])]
        row = columns["row"][kept]
        arrays = {
            name: columns["keys"][kept] if name == "key" else columns[name][row]
            for name in _TEMPLATE_ROWS.names
        }
        found.append(pa.table(arrays, schema=_TEMPLATE_ROWS))
    return pa.concat_tables(found)


_TEMPLATE_ROWS: pa.Schema = pa.schema(
    [(name, pa.int64()) for name in ("account", "day", "key", "content", "requests", "elicited")]
)


def _batches(files: Sequence[str], *names: str) -> Iterator[Columns]:
    """Read columns as arrays; the lists of `keys` laid end to end, with the `row` of each."""
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=list(names), use_threads=False):
                columns: Columns = {name: batch.column(name).to_numpy() for name in names if name != "keys"}
                if "keys" in names:
                    lists = batch.column("keys")
                    offsets = lists.offsets.to_numpy()
                    columns["keys"] = lists.values.to_numpy()[offsets[0] : offsets[-1]]
                    columns["row"] = np.repeat(np.arange(len(lists)), np.diff(offsets))
                yield columns


def _rows(files: Sequence[str]) -> int:
    return sum(pq.read_metadata(file).num_rows for file in files)


def _keys(files: Sequence[str]) -> int:
    """Return about how many template keys the files hold."""
    total = 0
    for file in files:
        metadata = pq.read_metadata(file)
        for group in range(metadata.num_row_groups):
            columns = [metadata.row_group(group).column(one) for one in range(metadata.num_columns)]
            total += sum(one.num_values for one in columns if one.path_in_schema.startswith("keys"))
    return total


def _joined(columns: Columns) -> NDArray[np.int64]:
    account, content = columns["account"].view(np.uint64), columns["content"].view(np.uint64)
    joined: NDArray[np.int64] = (account * _PAIR + content).view(np.int64)
    return joined


def _tally(numbers: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bincount(numbers, minlength=size)
    return counts


def _distinct(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the different rows of `(n, 2)` integers, sorted."""
    ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    if len(ordered) == 0:
        return ordered
    new = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    distinct: NDArray[np.int64] = ordered[new]
    return distinct
