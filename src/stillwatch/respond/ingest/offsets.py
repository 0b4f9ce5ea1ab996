"""How far followed files were read, kept in one small file that outlives the process."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from stillwatch.respond.ingest.spool import OWNER_ONLY, sync_folder

_FORGOTTEN_AFTER: Final = timedelta(days=7)  # a file that was not seen for so long is gone


class Position(msgspec.Struct):
    """How far one file was read.

    Args:
        offset: Bytes that are on disk in the spool; the next byte is read next.
        head: Fingerprint of the first bytes: another file may get the same number from the file system.
        head_bytes: How many bytes that is of.
        modified_ns: When the file was last written, for files that are read as a whole.
        seen_at: When the file was last there.
    """

    offset: int
    head: str
    head_bytes: int
    modified_ns: int
    seen_at: datetime


_decoder = msgspec.json.Decoder(dict[str, Position])


class Offsets:
    """Positions by file. Losing them costs reading again and nothing else: each request id counts once.

    Args:
        path: Where they are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._positions: dict[str, Position] = self._read()
        self._saved = msgspec.json.encode(self._positions)

    def _read(self) -> dict[str, Position]:
        try:
            return _decoder.decode(self._path.read_bytes())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}

    def get(self, key: str) -> Position | None:
        """Return how far a file was read."""
        return self._positions.get(key)

    def put(self, key: str, position: Position) -> None:
        """Note how far a file was read; counts after `save`."""
        self._positions[key] = position

    def save(self, now: datetime) -> None:
        """Make the positions durable, and forget files that are long gone.

        Args:
            now: The present.
        """
        self._positions = {
            key: one for key, one in self._positions.items() if now - one.seen_at < _FORGOTTEN_AFTER
        }
        text = msgspec.json.encode(self._positions)
        if text == self._saved:
            return
        draft = self._path.with_suffix(".draft")
        handle = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        sync_folder(self._path.parent)
        self._saved = text
