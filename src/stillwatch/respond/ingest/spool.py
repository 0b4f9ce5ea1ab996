"""The spool: what was accepted and is not yet in detection's state, on disk before anybody is told "accepted".

    SPOOL/0000000000000007.open   being written
    SPOOL/0000000000000006.seg    sealed; read into the state, then deleted
    SPOOL/0000000000000005.bad    damaged in the middle by the disk; what came before the damage was read

Prompts stand in here until they are fingerprinted, usually for one round of detection, in files that only their
owner can read. A power cut or `kill -9` leaves at most a torn record at the end of the `.open` file, which was never
acknowledged; it is cut off at the next start.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stillwatch.errors import SpoolError, SpoolFullError
from stillwatch.respond.ingest.segment import extent_of, header

OWNER_ONLY: Final = 0o600
OWNER_ONLY_FOLDER: Final = 0o700
_NAME_DIGITS: Final = 16
_ROOM_KNOWN_S: Final = 1.0  # others write to the disk as well


class Spool:
    """Appends records durably. One process writes; the reader takes sealed segments and deletes them.

    Args:
        folder: Where the segments are; made if it is not there.
        segment_bytes: A segment is sealed when it has grown to this.
        max_bytes: Nothing is accepted while the spool holds more: detection does not keep up.
        min_free_bytes: Nothing is accepted while the disk has less free, so that detection can still write.

    Raises:
        SpoolError: The folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = 64 << 20,
        max_bytes: int = 8 << 30,
        min_free_bytes: int = 256 << 20,
    ) -> None:
        """Open the folder and seal what an earlier process left, without its torn tail."""
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._lock = threading.Lock()
        self._file: int | None = None
        self._path: Path | None = None
        self._good_bytes = 0
        self._room_bytes = 0
        self._room_known_until = 0.0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
            self._next = 1 + max(
                (int(path.stem) for path in folder.glob("*.*") if path.stem.isdigit()), default=0
            )
            for path in sorted(folder.glob("*.open")):
                _repair(path)
        except OSError as error:
            raise SpoolError(f"{folder} cannot be used as a spool: {error.strerror}") from error

    def append(self, records: Sequence[bytes]) -> None:
        """Write records and wait until they are on the disk. All of them count, or none does.

        Args:
            records: Framed records, from `segment.encoded`.

        Raises:
            SpoolFullError: There is no room. The sender must try again; what is read twice counts once.
        """
        data = b"".join(records)
        with self._lock:
            self._check_room(len(data))
            try:
                self._write(data)
            except OSError as error:
                self._give_up_tail()
                raise SpoolFullError(f"the spool cannot be written: {error.strerror}") from error
            if self._good_bytes >= self._segment_bytes:
                self._seal()

    def rotate(self) -> list[Path]:
        """Seal what is being written, so that it can be read.

        Returns:
            All sealed segments, oldest first.
        """
        with self._lock:
            if self._good_bytes > len(header()):
                self._seal()
        return sealed_segments(self.folder)

    @property
    def size_bytes(self) -> int:
        """Bytes in all segments that are not yet read."""
        return sum(_size(path) for path in self.folder.glob("*.*") if path.suffix != ".bad")

    def close(self) -> None:
        """Seal what is being written."""
        with self._lock:
            if self._file is not None:
                self._seal()

    def _check_room(self, more_bytes: int) -> None:
        """Refuse before the disk is full, while everybody else can still write.

        Raises:
            SpoolFullError: There is no room.
        """
        if more_bytes > self._room_bytes or time.monotonic() > self._room_known_until:
            self._room_bytes = self._measure_room()
            self._room_known_until = time.monotonic() + _ROOM_KNOWN_S
        if more_bytes > self._room_bytes:
            raise SpoolFullError(
                f"the spool has no room: it may hold {self._max_bytes:,} bytes, "
                f"and {self._min_free_bytes:,} bytes of its disk must stay free"
            )
        self._room_bytes -= more_bytes

    def _measure_room(self) -> int:
        """Count the bytes that may still be written."""
        free = shutil.disk_usage(self.folder).free - self._min_free_bytes
        return min(free, self._max_bytes - self.size_bytes)

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._begin()
        if self._file is None:
            return
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)
        self._good_bytes += len(data)

    def _begin(self) -> None:
        """Start a segment whose name and header outlive a power cut."""
        path = self.folder / f"{self._next:0{_NAME_DIGITS}d}.open"
        self._next += 1
        self._path = path
        self._good_bytes = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, OWNER_ONLY)
        os.write(self._file, header())
        os.fsync(self._file)
        sync_folder(self.folder)
        self._good_bytes = len(header())

    def _seal(self) -> None:
        if self._file is None or self._path is None:
            return
        os.close(self._file)
        if self._good_bytes > len(header()):
            self._path.replace(self._path.with_suffix(".seg"))
        else:
            self._path.unlink()
        self._file = self._path = None
        self._good_bytes = 0

    def _give_up_tail(self) -> None:
        """Cut off what may be half written, and never write to this file again: after a failed sync nobody knows."""
        if self._file is None or self._path is None:
            return
        with contextlib.suppress(OSError):  # a torn record fails its checksum and is never read
            os.ftruncate(self._file, self._good_bytes)
        self._seal()


def sealed_segments(folder: Path) -> list[Path]:
    """List the segments that can be read, oldest first."""
    return sorted(folder.glob("*.seg"))


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _repair(path: Path) -> None:
    """Cut the torn tail off a segment that was being written when the process died, and seal it."""
    extent = extent_of(path)
    if extent.rows == 0:
        path.unlink()
        return
    if not extent.is_whole:
        os.truncate(path, extent.good_bytes)
    path.replace(path.with_suffix(".seg"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # the reader has just deleted it
