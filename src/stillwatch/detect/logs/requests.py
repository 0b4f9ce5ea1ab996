"""Request logs of any known format, read into canonical batches."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from pyarrow import fs as pafs

from stillwatch.detect.logs.reading.admission import Admission
from stillwatch.detect.logs.reading.formats import (
    LogFormat,
    Reading,
    head_of,
    log_format_named,
    recognize,
)
from stillwatch.detect.logs.reading.joining import joined, refuse_damage, rereadable
from stillwatch.detect.logs.reading.limits import ReadLimits
from stillwatch.detect.logs.reading.opened import OpenedFile, open_source
from stillwatch.detect.logs.reading.rejected import Place, Reason, RejectedLog
from stillwatch.detect.logs.reading.sources import Source, find_sources, partition_of
from stillwatch.detect.logs.reading.summary import ReadSummary
from stillwatch.domain.requests import REQUESTS
from stillwatch.errors import (
    InputError,
    MissingColumnsError,
    NothingToReadError,
    UnknownLogFormatError,
    UsageError,
)

_DEFAULT_LIMITS = ReadLimits()


@dataclass(slots=True)
class RequestBatches:
    """Canonical batches as they are read, and what was counted on the way.

    Iterate once. `summary` is complete when the iteration ends.
    """

    batches: Iterator[pa.RecordBatch]
    summary: ReadSummary = field(default_factory=ReadSummary)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Return itself."""
        return self

    def __next__(self) -> pa.RecordBatch:
        """Return the next batch."""
        return next(self.batches)


def read_requests(
    sources: Sequence[str | Path],
    *,
    log_format: str | None = None,
    rejected: RejectedLog,
    now: datetime,
    limits: ReadLimits = _DEFAULT_LIMITS,
    columns: Collection[str] | None = None,
    columns_map: Mapping[str, str] | None = None,
    filesystem: pafs.FileSystem | None = None,
) -> RequestBatches:
    """Read request logs.

    Args:
        sources: Files, folders, globs, `-` for standard input, or URIs that PyArrow's file systems know.
        log_format: Name of the format; None recognizes each file by its content.
        rejected: Where everything that is refused goes.
        now: The moment of the scan. A request more than `limits.future_tolerance` later is refused.
        limits: What is believed, and how much memory may be used.
        columns: Canonical columns to fill; the others stay null. None fills all. Fewer are read faster.
        columns_map: Own name of a canonical column, where it differs. A dotted path in JSON formats.
        filesystem: Where the sources live; None takes the local disk and URIs.

    Returns:
        Batches with the schema `REQUESTS`, in the order of the sources, and their summary.

    Raises:
        UsageError: The format or a column does not exist.
        InputError: A named file is missing, of no known format, or lacks required columns.
        NothingToReadError: There are no files, or no request in any of them.
    """
    forced = None if log_format is None else log_format_named(log_format)
    _check_names((*(columns or ()), *(columns_map or {})))
    summary = ReadSummary()
    reading = Reading(
        limits, now, rejected, summary, Admission(limits, now, columns), dict(columns_map or {})
    )
    found = find_sources(sources, filesystem=filesystem)
    return RequestBatches(_all_batches(found, forced, reading), summary)


def _check_names(names: Collection[str]) -> None:
    """Refuse columns that do not exist."""
    unknown = sorted(set(names) - set(REQUESTS.names))
    if unknown:
        raise UsageError(
            f"unknown columns: {', '.join(unknown)}", hint=f"canonical columns: {', '.join(REQUESTS.names)}"
        )


def _all_batches(
    sources: Sequence[Source], forced: LogFormat | None, reading: Reading
) -> Iterator[pa.RecordBatch]:
    """Read file after file, and at the end those that only make sense together."""
    with ExitStack() as stack:
        jobs: dict[str, list[Source]] = {}
        for source in sources:
            opened = open_source(source)
            with closing(opened):
                reading.summary.files += 1
                log_format = _format_of(opened, forced, reading)
                if log_format is not None and log_format.parse_half is not None:
                    jobs.setdefault(log_format.name, []).append(rereadable(opened, reading, stack))
                else:
                    yield from _batches_of(opened, log_format, reading)
        for name, files in jobs.items():
            yield from _counted(name, joined(files, log_format_named(name), reading), reading)
    if not reading.summary.rows:
        if reading.passed_over and len(reading.passed_over) == reading.summary.files:
            raise reading.passed_over[0]
        raise NothingToReadError(_nothing(reading.summary))


def _batches_of(
    opened: OpenedFile, log_format: LogFormat | None, reading: Reading
) -> Iterator[pa.RecordBatch]:
    """Read one file, and say what was wrong with it as a whole."""
    if log_format is not None and log_format.read is not None:
        inside = replace(reading, partition=partition_of(opened.source))
        try:
            yield from _counted(log_format.name, log_format.read(opened, inside), reading)
        except MissingColumnsError as error:
            if opened.source.explicit or len(error.missing) == 1:
                raise
            _pass_over(opened, reading, error)
    refuse_damage(opened, reading)


def _counted(name: str, batches: Iterator[pa.RecordBatch], reading: Reading) -> Iterator[pa.RecordBatch]:
    """Count what a reader yields."""
    for batch in batches:
        if batch.num_rows:
            reading.summary.count(batch, name)
            yield batch


def _format_of(opened: OpenedFile, forced: LogFormat | None, reading: Reading) -> LogFormat | None:
    """Return how to read a file; None when there is nothing in it or it is no log."""
    if forced is not None:
        return forced
    if not opened.head.strip():
        if not opened.damage:
            reading.summary.note(f"{opened.source.name} is empty")
        return None
    head = head_of(opened.head, reading.columns_map)
    log_format = recognize(head)
    if log_format is None:
        error = UnknownLogFormatError(_unknown(opened, head.records))
        if opened.source.explicit:
            raise error
        _pass_over(opened, reading, error)
    return log_format


def _unknown(opened: OpenedFile, records: Sequence[Mapping[str, object]]) -> str:
    """Say that a file is in no known format, and what its lines look like if they are JSON."""
    fields = ", ".join(sorted(records[0])) if records else ""
    tail = f"; its first line holds the fields {fields}" if fields else ""
    return f"{opened.source.name} is in no log format that is known{tail}"


def _pass_over(opened: OpenedFile, reading: Reading, error: InputError) -> None:
    """Leave out a file that a folder holds besides its logs, and say so."""
    reading.passed_over.append(error)
    reading.summary.skipped.append(opened.source.name)
    reading.refuse(Place(opened.source.name), Reason.NOT_A_LOG)


def _nothing(summary: ReadSummary) -> str:
    """Say how there came to be nothing."""
    if summary.rejected:
        return f"no requests in {summary.files:,} files; {summary.rejected:,} lines or files were rejected"
    return f"no requests in {summary.files:,} files"
