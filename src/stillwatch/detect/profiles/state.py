"""The state folder: facts by day and the profiles computed from them.

    STATE/manifest.json                       what wrote it: versions, rules
    STATE/facts/2026-03-02/<hash>.parquet     one row per request, no text
    STATE/profiles/2026-03-02/*.parquet       the tables of `profiles.definition`
    STATE/names/*.parquet                     what a hashed client, address or template looks like

A day is profiled again only when facts were added to it. The profile of a day is a function of the set of its facts,
so that the order in which logs arrive, and how often, changes nothing: an incremental scan equals a full one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch.detect.fingerprints.facts import FACTS
from stillwatch.detect.profiles.definition import DAY_US
from stillwatch.detect.profiles.engine import Engine
from stillwatch.errors import StateError

STATE_VERSION = 1
EPOCH = date(1970, 1, 1)
FLUSH_ROWS = 262_144  # facts of one day held in memory before they are written


def day_name(day: int) -> str:
    """Name the folder of a day, given in days since 1970."""
    return str(EPOCH + timedelta(days=day))


class State:
    """Facts and profiles on disk.

    Args:
        root: The folder; made if it is not there.
        rules_digest: What the elicitation rules were, as facts made with other rules must not be mixed in.
    """

    def __init__(self, root: Path, *, rules_digest: str) -> None:
        """Open or begin a state folder."""
        self.root = root
        self._pending: dict[int, list[pa.RecordBatch]] = {}
        self._staged: dict[int, list[Path]] = {}
        self._part = 0
        self._names: list[pa.Table] = []
        self.duplicates = 0
        self._check_manifest({"state_version": STATE_VERSION, "rules": rules_digest})
        self._staging = root / "staging"
        shutil.rmtree(self._staging, ignore_errors=True)
        self._staging.mkdir(parents=True)

    def _check_manifest(self, expected: dict[str, object]) -> None:
        path = self.root / "manifest.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            if found != expected:
                raise StateError(
                    f"{self.root} was written by another version or with other elicitation rules",
                    hint="scan the logs again into an empty --state folder",
                )
            return
        if self.root.exists() and any(self.root.iterdir()):
            raise StateError(f"{self.root} is not empty and is no state folder", hint="name an empty folder")
        self.root.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(expected, indent=1), encoding="utf-8")

    def add(self, facts: pa.RecordBatch) -> None:
        """Take in facts in any order; duplicates are settled in `settle`.

        Args:
            facts: Rows of `FACTS`.
        """
        if facts.num_rows == 0:
            return
        times = facts.column("time_us").to_numpy()
        days = times // DAY_US
        for day in np.unique(days).tolist():
            part = facts if days.min() == days.max() else facts.filter(pa.array(days == day))
            waiting = self._pending.setdefault(day, [])
            waiting.append(part)
            if sum(batch.num_rows for batch in waiting) >= FLUSH_ROWS:
                self._flush(day)

    def add_names(self, names: pa.Table) -> None:
        """Remember what hashed values look like (`kind`, `value`, `text`, `weight`)."""
        self._names.append(names)

    def _flush(self, day: int) -> None:
        batches = self._pending.pop(day)
        path = self._staging / f"{day_name(day)}-{self._part}.parquet"
        self._part += 1
        pq.write_table(pa.Table.from_batches(batches, schema=FACTS), path, compression="lz4")
        self._staged.setdefault(day, []).append(path)

    def settle(self) -> set[int]:
        """Merge what was added into the days, counting each request id once.

        Of two rows with one id the earlier stays (then the smaller account id), whatever came first.

        Returns:
            The days whose facts changed, in days since 1970.
        """
        for day in list(self._pending):
            self._flush(day)
        changed: set[int] = set()
        connection = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
        foreign = self._ids_in_several_days(connection)
        for day, staged in sorted(self._staged.items()):
            if self._merge_day(connection, day, staged, foreign):
                changed.add(day)
        connection.close()
        shutil.rmtree(self._staging)
        self._staged = {}
        return changed

    def _ids_in_several_days(self, connection: duckdb.DuckDBPyConnection) -> pa.Table:
        """Find ids that occur in more than one day, and the day each belongs to."""
        staged = [str(path) for paths in self._staged.values() for path in paths]
        kept = [str(path) for path in sorted(self.root.glob("facts/*/*.parquet"))]
        if not staged:
            return pa.table({"request": pa.array([], pa.int64()), "day": pa.array([], pa.int64())})
        files = f"read_parquet({staged + kept!r})"
        return connection.sql(
            f"""select request, min(time_us) // {DAY_US} as day from {files}
            group by request having min(time_us) // {DAY_US} <> max(time_us) // {DAY_US}"""
        ).to_arrow_table()

    def _merge_day(
        self, connection: duckdb.DuckDBPyConnection, day: int, staged: list[Path], foreign: pa.Table
    ) -> bool:
        folder = self.root / "facts" / day_name(day)
        kept = sorted(folder.glob("*.parquet")) if folder.exists() else []
        before = sum(pq.read_metadata(path).num_rows for path in kept)
        connection.register("foreign_ids", foreign)
        files = f"read_parquet({[str(path) for path in [*kept, *staged]]!r})"
        where = f"where request not in (select request from foreign_ids where day <> {day})" if foreign.num_rows else ""
        rows, distinct = connection.sql(f"select count(*), count(distinct request) from {files} {where}").fetchall()[0]
        total = before + sum(pq.read_metadata(path).num_rows for path in staged)
        self.duplicates += total - distinct
        if distinct == before and rows >= distinct and kept and not self._replaces(connection, kept, files, where):
            return False
        merged = self._staging / f"{day_name(day)}-merged.parquet"
        once = "" if rows == distinct else "qualify row_number() over (partition by request order by time_us, account_id, content) = 1"
        connection.sql(f"select * from {files} {where} {once} order by time_us, request").write_parquet(
            str(merged), compression="zstd"
        )
        folder.mkdir(parents=True, exist_ok=True)
        final = folder / f"{hashlib.sha256(str(distinct).encode()).hexdigest()[:8]}-{distinct}.parquet"
        for path in kept:
            path.unlink()
        merged.replace(final)
        return True

    @staticmethod
    def _replaces(connection: duckdb.DuckDBPyConnection, kept: list[Path], files: str, where: str) -> bool:
        """Tell whether a duplicate would take the place of a row that is kept."""
        order = "min((time_us, account_id, content))"
        old = f"select request, {order} as row from read_parquet({[str(path) for path in kept]!r}) group by request"
        new = f"select request, {order} as row from {files} {where} group by request"
        return bool(connection.sql(f"select count(*) from (({old}) except ({new}))").fetchall()[0][0])

    def profile(self, days: Iterable[int], engine: Engine) -> None:
        """Compute the profiles of the given days and of those that have none yet."""
        wanted = set(days) | {day for day in self.days() if not (self.root / "profiles" / day_name(day)).exists()}
        for day in sorted(wanted):
            draft = self.root / "profiles" / f".{day_name(day)}"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            engine.profile(sorted((self.root / "facts" / day_name(day)).glob("*.parquet")), draft)
            final = self.root / "profiles" / day_name(day)
            shutil.rmtree(final, ignore_errors=True)
            draft.replace(final)

    def days(self) -> list[int]:
        """List the days that have facts, in days since 1970, oldest first."""
        folders = sorted(self.root.glob("facts/*"))
        return [(date.fromisoformat(folder.name) - EPOCH).days for folder in folders]

    def tables(self, name: str, days: Iterable[int] | None = None) -> list[str]:
        """List the files of one profile table, for all days or some of them."""
        chosen = self.days() if days is None else days
        return [str(self.root / "profiles" / day_name(day) / f"{name}.parquet") for day in chosen]

    def known_campaigns(self) -> dict[str, str]:
        """Return the campaign that each account was last seen in, by account id."""
        path = self.root / "campaigns.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def remember_campaigns(self, known: dict[str, str]) -> None:
        """Keep campaign ids for the next scan."""
        draft = self.root / ".campaigns.json"
        draft.write_text(json.dumps(known, indent=0, sort_keys=True), encoding="utf-8")
        draft.replace(self.root / "campaigns.json")

    def write_names(self) -> None:
        """Write the names added in this run, merged with those that were there."""
        folder = self.root / "names"
        kept = [pq.read_table(path) for path in sorted(folder.glob("*.parquet"))] if folder.exists() else []
        tables = [table for table in [*kept, *self._names] if table.num_rows]
        if not tables:
            return
        merged = pa.concat_tables(tables).sort_by(
            [("kind", "ascending"), ("value", "ascending"), ("weight", "descending"), ("text", "ascending")]
        )
        keys = merged.select(["kind", "value"])
        kinds = pc.cast(keys["kind"], pa.string()).to_pylist()
        values = keys["value"].to_numpy()
        kind_ids = np.unique(np.asarray(kinds), return_inverse=True)[1]
        first = np.ones(merged.num_rows, dtype=bool)
        first[1:] = (values[1:] != values[:-1]) | (kind_ids[1:] != kind_ids[:-1])
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / ".names.parquet"
        pq.write_table(merged.filter(pa.array(first)), draft, compression="zstd")
        draft.replace(folder / "names.parquet")

    def names(self) -> pa.Table:
        """Return the names: `kind`, `value`, `text`, `weight`."""
        path = self.root / "names" / "names.parquet"
        return pq.read_table(path) if path.exists() else pa.table({name: [] for name in ("kind", "value", "text", "weight")})
