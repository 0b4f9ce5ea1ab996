"""Which files of a state folder count: one small index, replaced in one step.

Whatever is written goes to new files first, then the index is replaced, and only then old files are deleted. A crash at
any point leaves either the old index with the old files or the new index with the new ones; files that the index does
not name are leftovers and are deleted when the folder is next opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from stillwatch.errors import StateError

EPOCH = date(1970, 1, 1)


def day_name(day: int) -> str:
    """Name the folder of a day, given in days since 1970."""
    return str(EPOCH + timedelta(days=day))


def synced(path: Path) -> None:
    """Wait until a file, or the names in a folder, would outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class FactFile:
    """One file of facts.

    Args:
        name: File name in the folder of its day.
        rows: Requests in it.
    """

    name: str
    rows: int


class Catalog:
    """The index of a state folder's facts.

    Args:
        root: The state folder.
        durable: Whether a new index is on the disk before the old files go.
    """

    def __init__(self, root: Path, *, durable: bool = False) -> None:
        """Read the index, and delete what it does not name."""
        self._root = root
        self._durable = durable
        self._path = root / "facts.json"
        self._files = self._read()
        self._sweep()

    def _read(self) -> dict[int, tuple[FactFile, ...]]:
        if not self._path.exists():
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                int(day): tuple(FactFile(str(name), int(rows)) for name, rows in files)
                for day, files in found.items()
            }
        except (ValueError, TypeError, AttributeError) as failure:
            raise StateError(
                f"{self._path} cannot be read: {failure}",
                hint="scan the logs again into an empty --state folder",
            ) from failure

    def days(self) -> list[int]:
        """List the days that have facts, in days since 1970, oldest first."""
        return sorted(self._files)

    def files(self, day: int) -> tuple[FactFile, ...]:
        """List the files of one day."""
        return self._files.get(day, ())

    def paths(self, day: int) -> list[Path]:
        """List the paths of the files of one day."""
        return [self.folder(day) / file.name for file in self.files(day)]

    def folder(self, day: int) -> Path:
        """Return the folder of one day's facts."""
        return self._root / "facts" / day_name(day)

    def generation(self, day: int) -> str:
        """Name the set of files of one day; a profile made from another generation is out of date."""
        text = "\n".join(sorted(file.name for file in self.files(day)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def commit(self, changed: Mapping[int, Iterable[FactFile]]) -> None:
        """Replace the files of some days; their new files must be in place.

        Args:
            changed: The files of each changed day from now on.
        """
        after = self._files | {day: tuple(files) for day, files in changed.items()}
        after = {day: files for day, files in after.items() if files}
        draft = self._root / ".facts.json"
        text = {str(day): [[file.name, file.rows] for file in files] for day, files in sorted(after.items())}
        draft.write_text(json.dumps(text, indent=0), encoding="utf-8")
        if self._durable:
            synced(draft)
        draft.replace(self._path)
        if self._durable:
            synced(self._root)
        self._files = after
        self._sweep()

    def _sweep(self) -> None:
        """Delete files and folders of facts that the index does not name."""
        folders = {self.folder(day): {file.name for file in files} for day, files in self._files.items()}
        for folder in (self._root / "facts").glob("*"):
            if folder not in folders:
                shutil.rmtree(folder)
                continue
            for path in folder.iterdir():
                if path.name not in folders[folder]:
                    path.unlink()
