"""Log files of a folder, followed as they appear and grow.

Files of JSON lines, in any format that `scan` knows, are read line by line as they grow, also across rotation by
renaming. Other files (Parquet, CSV, compressed ones) are read as a whole once nobody writes to them any more.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import structlog

from stillwatch.detect.logs import ReadLimits, ReadSummary, RejectedLog, read_requests
from stillwatch.detect.logs.reading.admission import Admission
from stillwatch.detect.logs.reading.formats import LogFormat, Reading, head_of, recognize
from stillwatch.detect.logs.reading.opened import HEAD_BYTES, OpenedFile
from stillwatch.detect.logs.reading.sources import Source, partition_of
from stillwatch.errors import NothingToReadError, SpoolFullError, StillwatchError
from stillwatch.respond.ingest.counters import IngestCounters
from stillwatch.respond.ingest.intake import Disk
from stillwatch.respond.ingest.offsets import Offsets, Position
from stillwatch.respond.ingest.segment import encoded

log = structlog.get_logger()

SOURCE: Final = "folder"
_LIMITS: Final = ReadLimits(max_line_bytes=16 << 20)
_READ_BYTES: Final = 4 << 20  # of one file at a time; the next file gets its turn after that
_IDENTIFYING_BYTES: Final = 256
_QUIET_S: Final = 5.0  # a file that was not written to for so long is complete
_EVERY_S: Final = 1.0
_NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was found."""

    path: Path
    key: str
    size: int
    modified_ns: int
    head: bytes

    def is_quiet(self, now: datetime) -> bool:
        """Say whether nobody has written to it for a while."""
        return now.timestamp() - self.modified_ns / _NANOSECONDS > _QUIET_S

    def is_at(self, position: Position) -> bool:
        """Say whether a position was noted for this file, and not for one that had its number before."""
        return self.size >= position.offset and position.head == _print_of(self.head[: position.head_bytes])

    def position(self, offset: int, now: datetime) -> Position:
        """Say how far the file is read now."""
        shown = self.head[: min(_IDENTIFYING_BYTES, self.size)]
        return Position(offset, _print_of(shown), len(shown), self.modified_ns, now)


class FolderFollower:
    """Follows the log files below some folders.

    Args:
        folders: The folders.
        offsets: How far each file was read.
        disk: Where accepted requests go.
        clock: Tells the time.
        counters: What is counted.
        columns_map: Own names of canonical columns.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        offsets: Offsets,
        disk: Disk,
        clock: Callable[[], datetime],
        counters: IngestCounters,
        columns_map: Mapping[str, str],
    ) -> None:
        self._folders = folders
        self._offsets = offsets
        self._disk = disk
        self._clock = clock
        self._counters = counters
        self._columns_map = columns_map
        self._complained: set[str] = set()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            try:
                more = await asyncio.to_thread(self.look)
            except SpoolFullError as error:
                log.warning("followed files wait", reason=error.message)
                more = False
            await asyncio.sleep(0 if more else _EVERY_S)

    def look(self) -> bool:
        """Read what is new, a piece of each file.

        Returns:
            Whether there is more to read at once.

        Raises:
            SpoolFullError: There is no room; the same pieces are read again later.
        """
        now = self._clock()
        more = False
        try:
            for file in self._files():
                more |= self._advance(file, now)
        finally:
            self._offsets.save(now)
        return more

    def _files(self) -> Iterator[_File]:
        for folder in self._folders:
            for path in sorted(folder.rglob("*")):
                if any(part.startswith((".", "_")) for part in path.relative_to(folder).parts):
                    continue
                try:
                    found = _found(path)
                except OSError:
                    continue  # renamed or deleted in between; the next look finds it again
                if found is not None:
                    yield found

    def _advance(self, file: _File, now: datetime) -> bool:
        """Read one piece of a file.

        Returns:
            Whether there is more of it.
        """
        position = self._offsets.get(file.key)
        if position is None or not file.is_at(position):
            position = file.position(0, now)
        if not file.head.strip():
            return False
        if _is_lines(file.head):
            end = self._read_lines(file, position.offset, now)
        else:
            end = self._read_whole(file, position, now)
        self._offsets.put(file.key, file.position(end, now))
        return position.offset < end < file.size

    def _read_lines(self, file: _File, offset: int, now: datetime) -> int:
        """Read the complete lines from an offset on, a few megabytes at most.

        Returns:
            The offset after them.
        """
        if offset >= file.size:
            return offset
        piece = _piece_of(file, offset, complete=file.is_quiet(now))
        if not piece:
            return offset
        log_format = recognize(head_of(file.head, self._columns_map))
        if log_format is None or log_format.read is None:
            self._complain(file, "it is in no format that can be followed; scan it instead")
            return offset + len(piece)
        rejected = RejectedLog()
        self._store(self._batches(file, log_format, piece, rejected, now), rejected)
        return offset + len(piece)

    def _batches(
        self, file: _File, log_format: LogFormat, piece: bytes, rejected: RejectedLog, now: datetime
    ) -> Iterator[pa.RecordBatch]:
        source = _source_of(file.path, piece)
        reading = Reading(
            _LIMITS,
            now,
            rejected,
            ReadSummary(),
            Admission(_LIMITS, now),
            dict(self._columns_map),
            partition_of(source),
        )
        opened = OpenedFile(source, io.BytesIO(piece), iter([piece]), piece[:HEAD_BYTES])
        if log_format.read is not None:
            yield from log_format.read(opened, reading)

    def _read_whole(self, file: _File, position: Position, now: datetime) -> int:
        """Read a file that cannot be read in pieces, once it is complete, and again if it was written to since.

        Returns:
            Its size once it is read, else 0.
        """
        if position.offset == file.size and position.modified_ns == file.modified_ns:
            return file.size
        if not file.is_quiet(now):
            return 0
        rejected = RejectedLog()
        try:
            batches = read_requests(
                [file.path], rejected=rejected, now=now, limits=_LIMITS, columns_map=self._columns_map
            )
            self._store(batches, rejected)
        except SpoolFullError:
            raise
        except NothingToReadError:
            self._counters.count(SOURCE, 0, (), 0)
        except StillwatchError as error:
            self._complain(file, error.message)
        return file.size

    def _store(self, batches: Iterator[pa.RecordBatch], rejected: RejectedLog) -> None:
        """Put batches on disk as they come.

        Raises:
            SpoolFullError: There is no room.
        """
        accepted = 0
        for batch in batches:
            if batch.num_rows:
                self._disk.append([encoded(batch)])
                accepted += batch.num_rows
        self._counters.count(SOURCE, accepted, (), 0)
        for reason, count in rejected.by_reason.items():
            self._counters.rejected[SOURCE, reason] += count

    def _complain(self, file: _File, why: str) -> None:
        """Say once what is wrong with a file."""
        if file.key not in self._complained:
            self._complained.add(file.key)
            log.warning("file not followed", file=file.path.name, why=why[:200])


def _found(path: Path) -> _File | None:
    """Look at a file; None if it is none."""
    if not path.is_file():
        return None
    with path.open("rb") as opened:
        status = os.fstat(opened.fileno())
        head = opened.read(HEAD_BYTES)
    return _File(path, f"{status.st_dev}:{status.st_ino}", status.st_size, status.st_mtime_ns, head)


def _print_of(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:32]


def _is_lines(head: bytes) -> bool:
    """Say whether a file holds one JSON object per line, judged by its first line."""
    first, feed, _ = head.lstrip().partition(b"\n")
    if not first.startswith(b"{"):
        return False
    try:
        msgspec.json.decode(first)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return not feed and len(head) >= HEAD_BYTES
    return True


def _piece_of(file: _File, offset: int, *, complete: bool) -> bytes:
    """Return complete lines from an offset on; the last one may lack its line feed if the file is complete."""
    with file.path.open("rb") as opened:
        if f"{os.fstat(opened.fileno()).st_dev}:{os.fstat(opened.fileno()).st_ino}" != file.key:
            return b""  # rotated in between
        opened.seek(offset)
        piece = opened.read(_READ_BYTES)
        while (
            b"\n" not in piece and len(piece) <= _LIMITS.max_line_bytes and (more := opened.read(_READ_BYTES))
        ):
            piece += more
        at_end = offset + len(piece) >= file.size
    if complete and at_end:
        return piece
    last = piece.rfind(b"\n") + 1
    if last == 0 and len(piece) > _LIMITS.max_line_bytes:
        return piece  # too long a line: its pieces are refused as they pass
    return piece[:last]


def _source_of(path: Path, piece: bytes) -> Source:
    return Source(str(path), path.as_posix(), explicit=False, open=lambda: io.BytesIO(piece), seekable=False)
