"""The other end of the spool: sealed segments into facts. Prompts end here.

A segment is deleted only when the facts made of it are durable. Whatever stops in between, the segment is read again,
and since each request id counts once, the profiles come out the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from stillwatch.detect.fingerprints.facts import Matcher
from stillwatch.detect.fingerprints.stage import fingerprinted
from stillwatch.detect.logs import ReadSummary
from stillwatch.detect.profiles.state import State
from stillwatch.respond.ingest.segment import batches_of, extent_of
from stillwatch.respond.ingest.spool import sealed_segments, sync_folder

ROWS_AT_ONCE: Final = 32_768  # one fingerprinting call, as the readers of files make them
_PATIENCE: Final = 3  # deaths over one segment
ROWS_PER_PASS: Final = 2_000_000  # facts settled together: what fits in memory and in one round


@dataclass(frozen=True, slots=True)
class Consumed:
    """What one pass over the spool did.

    Args:
        segments: Segments read and deleted.
        rows: Requests in them.
        days: Days whose facts changed, in days since 1970.
        damaged: Segments that the disk had damaged or that could not be read, and are kept as `.bad`.
    """

    segments: int = 0
    rows: int = 0
    days: frozenset[int] = frozenset()
    damaged: int = 0


def consume(
    folder: Path,
    state: State,
    matcher: Matcher,
    *,
    threads: int,
    summary: ReadSummary | None = None,
    crashes: int = 0,
) -> Consumed:
    """Read sealed segments into a state, up to about `ROWS_PER_PASS` requests, and delete them.

    Args:
        folder: The spool.
        state: Where facts go; it must be durable.
        matcher: The elicitation rules.
        threads: Worker threads.
        summary: Counts which columns have values.
        crashes: How often in a row the process that did this has died. Then segments are read one by one, and one
            over which it dies again and again is set aside, so that it does not hold up all that come after it.
    """
    mark = folder / "reading"
    poisoned = crashes >= _PATIENCE and _set_aside(folder, mark)
    segments = _pass(sealed_segments(folder), ROWS_PER_PASS if crashes == 0 else 1)
    if not segments:
        return Consumed(damaged=int(poisoned))
    mark.write_text(segments[0].name, encoding="ascii")
    rows = 0
    for facts, names in fingerprinted(_batches(segments, summary), matcher, threads=threads):
        state.add(facts)
        state.add_names(names)
        rows += facts.num_rows
    days = state.settle()
    state.write_names()
    damaged = poisoned + sum(_put_away(segment) for segment in segments)
    mark.unlink(missing_ok=True)
    sync_folder(folder)
    return Consumed(len(segments), rows, frozenset(days), damaged)


def _set_aside(folder: Path, mark: Path) -> bool:
    """Keep the segment that was being read when the process died, and read it no more.

    Returns:
        Whether there was one.
    """
    name = mark.read_text(encoding="ascii") if mark.exists() else ""
    mark.unlink(missing_ok=True)
    segment = folder / name
    if segment not in sealed_segments(folder):
        return False
    segment.replace(segment.with_suffix(".bad"))
    return True


def _pass(segments: Sequence[Path], most_rows: int) -> list[Path]:
    """Choose the oldest segments that make one pass."""
    chosen: list[Path] = []
    rows = 0
    for segment in segments:
        chosen.append(segment)
        rows += extent_of(segment).rows
        if rows >= most_rows:
            break
    return chosen


def _batches(segments: Sequence[Path], summary: ReadSummary | None) -> Iterator[pa.RecordBatch]:
    """Yield what the segments hold in batches of a good size, however small the deliveries were."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for segment in segments:
        for batch in batches_of(segment):
            if summary is not None:
                summary.count(batch, "live")
            waiting.append(batch)
            rows += batch.num_rows
            if rows >= ROWS_AT_ONCE:
                yield _one(waiting)
                waiting, rows = [], 0
    if waiting:
        yield _one(waiting)


def _one(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _put_away(segment: Path) -> bool:
    """Delete a segment that was read, or set it aside if the disk has damaged it.

    Returns:
        Whether it was damaged.
    """
    if extent_of(segment).is_whole:
        segment.unlink()
        return False
    segment.replace(segment.with_suffix(".bad"))
    return True
