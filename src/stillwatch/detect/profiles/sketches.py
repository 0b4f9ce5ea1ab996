"""Sketches of which prompts an account sent on a day: small, mergeable, and enough to tell how far accounts overlap.

A theta sketch holds the smallest hashes of a set. Sketches of many accounts and days merge into the sketch of their
union, whatever the machine or engine they were made on, so that overlap is estimated without the prompts' hashes
themselves. They are made from the `prompts` table, which every engine writes, and so are the same for every engine.

References:
    Dasgupta, Lang, Rhodes and Thaler, 2016, "A framework for estimating stream expression cardinalities",
    arXiv 1510.01455; Apache DataSketches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import datasketches
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LOG2_HASHES = 9  # 512 hashes, 4 kB: a standard error of 4.4 % for larger sets, exact for smaller ones
MIN_PROMPTS = 8  # fewer different prompts a day say nothing of overlap, and most account-days have fewer
MERGED_LOG2_HASHES = 14  # 16,384 hashes: a standard error of 0.8 % for the union of a cluster

SKETCHES: pa.Schema = pa.schema([("account_id", pa.string()), ("day", pa.int64()), ("prompts", pa.binary())])
"""One row per account and day with enough different prompts."""


@dataclass(frozen=True)
class Overlap:
    """How far some sets of prompts overlap.

    Args:
        sent: Different prompts of each set, summed.
        different: Different prompts of all sets together.
    """

    sent: float
    different: float

    @property
    def share(self) -> float:
        """Return the share of prompts that another set has too: 0 = a split without overlap, near 1 = one and the same."""
        return min(max(1.0 - self.different / self.sent, 0.0), 1.0) if self.sent else 0.0


def sketch_day(prompts: Path, accounts: Path) -> pa.Table:
    """Sketch the prompts of every account of one day.

    Args:
        prompts: The `prompts` table of a day.
        accounts: The `accounts` table of the day.

    Returns:
        Rows of `SKETCHES`, sorted by account. Prompts too short for a repetition to mean something are left out.
    """
    table = pq.read_table(prompts, columns=["account", "day", "content", "repeatable"])
    table = table.filter(pc.equal(table["repeatable"], 1)).select(["account", "day", "content"])
    table = table.group_by(["account", "day", "content"]).aggregate([])  # once, whatever it came with
    table = table.join(pq.read_table(accounts), "account", join_type="inner").drop_columns("account")
    busy = table.group_by(["account_id", "day"]).aggregate([("content", "count")])
    busy = busy.filter(pc.greater_equal(busy["content_count"], MIN_PROMPTS)).select(["account_id", "day"])
    rows = table.join(busy, ["account_id", "day"], join_type="inner")
    if rows.num_rows == 0:
        return SKETCHES.empty_table()
    # In order: a sketch does not depend on it, but its bytes might.
    rows = rows.sort_by([("account_id", "ascending"), ("day", "ascending"), ("content", "ascending")])
    return _sketch_sorted(rows)


def _sketch_sorted(rows: pa.Table) -> pa.Table:
    account = rows["account_id"].combine_chunks().dictionary_encode()
    code, day = account.indices.to_numpy(zero_copy_only=False), rows["day"].to_numpy()
    content = rows["content"].to_numpy()
    begins = np.flatnonzero((np.diff(code, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0))
    ends = np.append(begins[1:], len(content))
    sketches = [sketch(content[first:last].tolist()) for first, last in zip(begins, ends, strict=True)]
    names = account.dictionary.take(pa.array(code[begins]))
    columns = [names.cast(pa.string()), pa.array(day[begins]), pa.array(sketches, pa.binary())]
    return pa.table(columns, schema=SKETCHES)


def sketch(prompts: Iterable[int]) -> bytes:
    """Sketch one set of content hashes.

    Returns:
        A compact theta sketch as Apache DataSketches writes it, for any of its languages.
    """
    update = datasketches.update_theta_sketch(LOG2_HASHES)
    for prompt in prompts:
        update.update(prompt)
    update.trim()
    return bytes(update.compact().serialize())


def merge(sketches: Iterable[bytes]) -> bytes:
    """Merge sketches into that of the union of their sets."""
    union = datasketches.theta_union(MERGED_LOG2_HASHES)
    for one in sketches:
        union.update(datasketches.compact_theta_sketch.deserialize(one))
    return bytes(union.get_result().serialize())


def estimate(one: bytes) -> float:
    """Return how many different prompts a sketch stands for."""
    return float(datasketches.compact_theta_sketch.deserialize(one).get_estimate())


def overlap(sketches: Iterable[bytes]) -> Overlap:
    """Estimate how far sets overlap, such as the prompts of the accounts of one cluster.

    Args:
        sketches: One sketch per set; merge the days of an account first.
    """
    sets = list(sketches)
    return Overlap(sum(estimate(one) for one in sets), estimate(merge(sets)))
