"""One scan at a time on a state folder.

The lock is one of the operating system's on an open file: it goes when the process goes, however that ends, so that a
crash never leaves a folder locked. What the file says is only for the person who is told to wait.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from stillwatch.errors import OutputError, StateInUseError

LOCK_FILE = ".lock"
MANIFEST = "manifest.json"
_NOTE_BYTES = 4096


@contextmanager
def held(root: Path, *, shared: bool = False, now: datetime | None = None) -> Iterator[None]:
    """Hold a state folder for the length of a block.

    A folder that is neither empty nor a state folder is left as it is: `State` refuses it.

    Args:
        root: The folder; made if it is not there.
        shared: Several may read at once, as a baseline; nobody writes meanwhile.
        now: The present, for the note that tells others since when; None asks the machine.

    Raises:
        StateInUseError: Somebody else holds it; says who.
        OutputError: The folder cannot be written.
    """
    if not _may_hold_a_lock(root):
        yield
        return
    handle = _opened(root)
    try:
        if not _lock(handle, shared=shared):
            raise StateInUseError(f"{root} is in use by {_holder(handle)}")
        if not shared:
            _write_note(handle, now or datetime.now(UTC))
        try:
            yield
        finally:
            if not shared:
                os.ftruncate(handle, 0)
    finally:
        os.close(handle)  # and with it goes the lock


def _may_hold_a_lock(root: Path) -> bool:
    """Tell whether this is a state folder or may become one."""
    if not root.exists() or (root / MANIFEST).exists():
        return True
    return root.is_dir() and all(one.name == LOCK_FILE for one in root.iterdir())


def _opened(root: Path) -> int:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return os.open(root / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(f"{root} cannot be locked: {error.strerror}") from error


def _write_note(handle: int, now: datetime) -> None:
    note = {"process": os.getpid(), "host": socket.gethostname(), "since": now.isoformat(timespec="seconds")}
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps(note).encode())


def _holder(handle: int) -> str:
    """Say who holds the lock, as far as that was written down."""
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        note = json.loads(os.read(handle, _NOTE_BYTES))
        return f"process {note['process']} on {note['host']} since {note['since']}"
    except (ValueError, KeyError, TypeError):
        return "another scan"  # one that reads, or that has just begun


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int, *, shared: bool) -> bool:  # noqa: ARG001 - there are no shared locks here
        """Take the lock if it is free; it lies beyond the note, which others must be able to read."""
        os.lseek(handle, _NOTE_BYTES, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int, *, shared: bool) -> bool:
        """Take the lock if it is free."""
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
