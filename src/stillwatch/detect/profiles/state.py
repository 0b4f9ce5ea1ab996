"""The state folder: facts by day and the profiles computed from them.

    STATE/manifest.json                       what wrote it: versions, rules
    STATE/facts.json                          which files of facts count (see `catalog`)
    STATE/facts/2026-03-02/<name>.parquet     one row per request, no text
    STATE/profiles/2026-03-02/*.parquet       the tables of `profiles.definition`, and sketches where asked for
    STATE/campaigns.json, detections.json     who was in which campaign, and when it was first flagged
    STATE/names/*.parquet                     what a hashed client, address or template looks like

A day is profiled again only when facts were added to it. The profile of a day is a function of the set of its facts,
so that the order in which logs arrive, and how often, changes nothing: an incremental scan equals a full one.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.detect.fingerprints.facts import FACTS
from stillwatch.detect.profiles.catalog import Catalog, FactFile, day_name, synced
from stillwatch.detect.profiles.duplicates import repeated_rows
from stillwatch.detect.profiles.engine import Engine
from stillwatch.detect.profiles.lock import LOCK_FILE
from stillwatch.detect.profiles.names import merge_names
from stillwatch.detect.profiles.sketches import sketch_day
from stillwatch.errors import StateError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["State", "day_name"]

STATE_VERSION = 7
FLUSH_ROWS = 262_144  # facts of one day held in memory before they are written
PENDING_ROWS = 1_000_000  # facts of all days held in memory: about 200 bytes each
MANY_FILES = 12  # of one day: more are made one
REPEATING_COLUMNS = [
    "day",
    "hour",
    "account_id",
    "account",
    "elicitation",
    "asn",
    "country",
    "sampling",
    "model",
    "surface",
    "client",
    "network",
    "system",
]
"""Columns worth a dictionary; hashes that never repeat are written as they are."""
WRITING: dict[str, Any] = {
    "compression": "lz4",
    "use_dictionary": REPEATING_COLUMNS,
    "write_statistics": False,
}


class State:
    """Facts and profiles on disk.

    Args:
        root: The folder; made if it is not there.
        rules_digest: What the elicitation rules were, as facts made with other rules must not be mixed in.
        durable: Whether facts are on the disk before they count, so that a power cut takes none of them back.
        near_days: Repeats of a request id are sought this many days around new facts; None seeks in all days.

    Raises:
        StateError: The folder holds something else, or facts made by another version or with other rules.
    """

    def __init__(
        self, root: Path, *, rules_digest: str, durable: bool = False, near_days: int | None = None
    ) -> None:
        """Open or begin a state folder, and clear away what a crash left."""
        self.root = root
        self._durable = durable
        self._near_days = near_days
        self._pending: dict[int, list[pa.RecordBatch]] = {}
        self._pending_rows: dict[int, int] = {}
        self._staged: dict[int, list[FactFile]] = {}
        self._names: list[pa.Table] = []
        self.duplicates = 0
        self._check_manifest({"state_version": STATE_VERSION, "rules": rules_digest})
        self._catalog = Catalog(root, durable=durable)
        self._staging = root / "staging"
        shutil.rmtree(self._staging, ignore_errors=True)

    def _check_manifest(self, expected: dict[str, object]) -> None:
        path = self.root / "manifest.json"
        if path.exists():
            if _read_manifest(path) != expected:
                raise StateError(
                    f"{self.root} was written by another version or with other elicitation rules",
                    hint="scan the logs again into an empty --state folder",
                )
            return
        if self.root.exists() and not (self.root.is_dir() and _is_empty(self.root)):
            raise StateError(f"{self.root} is not empty and is no state folder", hint="name an empty folder")
        self.root.mkdir(parents=True, exist_ok=True)
        draft = self.root / ".manifest.json"
        draft.write_text(json.dumps(expected, indent=1), encoding="utf-8")
        draft.replace(path)

    def add(self, facts: pa.RecordBatch) -> None:
        """Take in facts in any order; duplicates are settled in `settle`.

        Args:
            facts: Rows of `FACTS`.
        """
        for day, part in _by_day(facts):
            self._pending.setdefault(day, []).append(part)
            self._pending_rows[day] = self._pending_rows.get(day, 0) + part.num_rows
            if self._pending_rows[day] >= FLUSH_ROWS:
                self._flush(day)
        while sum(self._pending_rows.values()) >= PENDING_ROWS:
            self._flush(max(self._pending_rows, key=lambda day: self._pending_rows[day]))

    def add_names(self, names: pa.Table) -> None:
        """Remember what hashed values look like (`kind`, `value`, `text`, `weight`)."""
        self._names.append(names)

    def _flush(self, day: int) -> None:
        table = pa.Table.from_batches(self._pending.pop(day), schema=FACTS)
        del self._pending_rows[day]
        path = self._new_path(day)
        pq.write_table(table, path, **WRITING)
        self._staged.setdefault(day, []).append(FactFile(path.name, table.num_rows))

    def _new_path(self, day: int) -> Path:
        folder = self._staging / day_name(day)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{uuid.uuid4().hex}.parquet"

    def settle(self) -> set[int]:
        """Make what was added count, each request id once.

        Of two rows with one id the earlier stays (then the smaller account id), whatever came first. Everything that was
        added counts from one moment on: a crash before leaves the state as it was.

        Returns:
            The days whose facts changed, in days since 1970.
        """
        for day in list(self._pending):
            self._flush(day)
        changed = self._without_repeats()
        for day, files in changed.items():
            self._put_in_place(day, files)
        self._catalog.commit(changed)
        shutil.rmtree(self._staging, ignore_errors=True)
        self._staged = {}
        return set(changed)

    def _without_repeats(self) -> dict[int, list[FactFile]]:
        """Return the files of every day that changes."""
        if not self._staged:
            return {}
        kept = [
            (day, self._catalog.folder(day), file)
            for day in self._catalog.days()
            if self._near_days is None or any(abs(day - new) <= self._near_days for new in self._staged)
            for file in self._catalog.files(day)
        ]
        staged = [
            (day, self._staging / day_name(day), file)
            for day in sorted(self._staged)
            for file in self._staged[day]
        ]
        repeats = repeated_rows([folder / file.name for _, folder, file in (*kept, *staged)])
        self.duplicates += sum(len(rows) for rows in repeats.values())
        after: dict[int, list[FactFile]] = {}
        changed: set[int] = set()
        for number, (day, folder, file) in enumerate((*kept, *staged)):
            drop = repeats.get(folder / file.name)
            left = file if drop is None else self._leave_out(day, folder / file.name, drop)
            if left is not None:
                after.setdefault(day, []).append(left)
            if (number < len(kept) and drop is not None) or (number >= len(kept) and left is not None):
                changed.add(day)
        return {day: self._compact(day, after.get(day, [])) for day in sorted(changed)}

    def _leave_out(self, day: int, path: Path, drop: NDArray[np.int64]) -> FactFile | None:
        """Write a file again without some of its rows; None if none is left."""
        table = pq.read_table(path)
        keep = np.ones(table.num_rows, dtype=np.bool_)
        keep[drop] = False
        if not keep.any():
            return None
        target = self._new_path(day)
        pq.write_table(table.filter(pa.array(keep)), target, **WRITING)
        return FactFile(target.name, int(keep.sum()))

    def _compact(self, day: int, files: list[FactFile]) -> list[FactFile]:
        """Make one file of many small ones."""
        if len(files) <= MANY_FILES:
            return files
        target = self._new_path(day)
        with pq.ParquetWriter(target, FACTS, **WRITING) as writer:
            for file in files:
                writer.write_table(pq.read_table(self._whereabouts(day, file)))
        return [FactFile(target.name, sum(file.rows for file in files))]

    def _whereabouts(self, day: int, file: FactFile) -> Path:
        staged = self._staging / day_name(day) / file.name
        return staged if staged.exists() else self._catalog.folder(day) / file.name

    def _put_in_place(self, day: int, files: list[FactFile]) -> None:
        folder = self._catalog.folder(day)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            staged = self._staging / day_name(day) / file.name
            if staged.exists():
                if self._durable:
                    synced(staged)
                staged.replace(folder / file.name)
        if self._durable:
            synced(folder)
            synced(folder.parent)

    def forget(self, days: Iterable[int], archive: Path | None = None) -> None:
        """Drop days from the state.

        Args:
            days: The days, in days since 1970.
            archive: Folder that keeps their facts; None deletes them.
        """
        gone = [day for day in days if self._catalog.files(day)]
        for day in gone:
            if archive is not None:
                shutil.copytree(self._catalog.folder(day), archive / day_name(day), dirs_exist_ok=True)
        self._catalog.commit(dict.fromkeys(gone, ()))
        for day in gone:
            shutil.rmtree(self.root / "profiles" / day_name(day), ignore_errors=True)

    def profile(self, days: Iterable[int], engine: Engine) -> None:
        """Compute the profiles that are missing or were made of other facts.

        Args:
            days: Days to compute anyway.
            engine: Where to compute.
        """
        wanted = set(days) | {day for day in self.days() if not self._is_profiled(day)}
        drafts = {day: self._draft(day) for day in sorted(wanted) if self._catalog.files(day)}
        engine.profile([(self._catalog.paths(day), draft) for day, draft in drafts.items()])
        for day, draft in drafts.items():
            (draft / "of").write_text(self._catalog.generation(day), encoding="utf-8")
            self._replace_profile(day, draft)

    def _is_profiled(self, day: int) -> bool:
        mark = self.root / "profiles" / day_name(day) / "of"
        return mark.exists() and mark.read_text(encoding="utf-8") == self._catalog.generation(day)

    def _draft(self, day: int) -> Path:
        draft = self.root / "profiles" / f".{day_name(day)}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        return draft

    def _replace_profile(self, day: int, draft: Path) -> None:
        final = self.root / "profiles" / day_name(day)
        old = final.with_name(f".old-{final.name}")
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.replace(old)
        draft.replace(final)
        shutil.rmtree(old, ignore_errors=True)

    def days(self) -> list[int]:
        """List the days that have facts, in days since 1970, oldest first."""
        return self._catalog.days()

    def facts(self, days: Iterable[int] | None = None) -> list[str]:
        """List the files of facts, for all days or some of them."""
        chosen = self.days() if days is None else days
        return [str(path) for day in chosen for path in self._catalog.paths(day)]

    def tables(self, name: str, days: Iterable[int] | None = None) -> list[str]:
        """List the files of one profile table, for all days or some of them."""
        chosen = self.days() if days is None else days
        return [str(self.root / "profiles" / day_name(day) / f"{name}.parquet") for day in chosen]

    def sketches(self, days: Iterable[int] | None = None) -> list[str]:
        """List the files of the sketches of prompts, made now where nobody asked before."""
        paths = [Path(path) for path in self.tables("prompts", days)]
        for path in paths:
            target = path.with_name("sketches.parquet")
            if not target.exists():
                draft = path.with_name(".sketches.parquet")
                pq.write_table(
                    sketch_day(path, path.with_name("accounts.parquet")), draft, compression="zstd"
                )
                draft.replace(target)
        return [str(path.with_name("sketches.parquet")) for path in paths]

    def known_campaigns(self) -> dict[str, str]:
        """Return the campaign that each account was last seen in, by account id."""
        path = self.root / "campaigns.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def first_detections(self) -> dict[str, datetime]:
        """Return when each campaign was first flagged at medium or above, by campaign id."""
        path = self.root / "detections.json"
        if not path.exists():
            return {}
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return {campaign: datetime.fromisoformat(when) for campaign, when in kept.items()}

    def remember_campaigns(self, known: dict[str, str], detected: dict[str, datetime]) -> None:
        """Keep campaigns for the next scan.

        Args:
            known: Campaign of each account, by account id.
            detected: When each campaign was first flagged, by campaign id.
        """
        self._write_json("campaigns.json", known)
        self._write_json("detections.json", {name: when.isoformat() for name, when in detected.items()})

    def _write_json(self, name: str, content: dict[str, str]) -> None:
        draft = self.root / f".{name}"
        draft.write_text(json.dumps(content, indent=0, sort_keys=True), encoding="utf-8")
        draft.replace(self.root / name)

    def write_names(self) -> None:
        """Write the names added in this run, merged with those that were there."""
        merged = merge_names([self.names(), *self._names])
        folder = self.root / "names"
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / ".names.parquet"
        pq.write_table(merged, draft, compression="zstd")
        draft.replace(folder / "names.parquet")
        self._names = []

    def names(self) -> pa.Table:
        """Return the names: `kind`, `value`, `text`, `weight`."""
        path = self.root / "names" / "names.parquet"
        return pq.read_table(path) if path.exists() else merge_names([])


def _by_day(facts: pa.RecordBatch) -> list[tuple[int, pa.RecordBatch]]:
    """Cut facts into days."""
    if facts.num_rows == 0:
        return []
    days = facts.column("day").to_numpy()
    if days.min() == days.max():
        return [(int(days[0]), facts)]
    ordered = facts
    if (days[1:] < days[:-1]).any():  # logs are mostly in order: then nothing is copied
        order = np.argsort(days, kind="stable")
        ordered, days = facts.take(pa.array(order)), days[order]
    labels, starts = np.unique(days, return_index=True)
    ends = np.append(starts[1:], len(days))
    return [
        (day, ordered.slice(start, end - start))
        for day, start, end in zip(labels.tolist(), starts.tolist(), ends.tolist(), strict=True)
    ]


def _is_empty(root: Path) -> bool:
    """Tell whether a folder holds nothing but the lock of whoever is about to fill it."""
    return all(one.name == LOCK_FILE for one in root.iterdir())


def _read_manifest(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None  # nothing that was written here
