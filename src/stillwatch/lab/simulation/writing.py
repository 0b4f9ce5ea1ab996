"""The files of a log set: requests, accounts, truth, authorizations, and the scenario itself."""

import json
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from stillwatch.domain.requests import ACCOUNTS, REQUESTS, TIME_TYPE
from stillwatch.errors import OutputError
from stillwatch.lab.simulation import columns, registry
from stillwatch.lab.simulation.events import Events
from stillwatch.lab.simulation.scenario import Scenario

if TYPE_CHECKING:
    from stillwatch.lab.simulation.running import World

_ROWS_PER_FILE = 1_500_000
_EXTRACTION = pa.schema([("request_id", pa.string()), ("campaign_id", pa.string())])
_TRUTH = pa.schema(
    [
        ("account_id", pa.string()),
        ("label", pa.string()),
        ("campaign_id", pa.string()),
        ("archetype", pa.string()),
        ("attack_fraction", pa.float32()),
    ]
)


class LogSetWriter:
    """Writes one lab's log set as it is simulated; only one portion of rows is in memory.

    Args:
        folder: Where to.
        world: The lab.

    Raises:
        OutputError: The folder cannot be written.
    """

    def __init__(self, folder: Path, world: "World") -> None:
        self.requests = 0
        self.extraction_requests = 0
        self._folder, self._world = folder, world
        self._calls = np.zeros(len(world.lab.accounts), np.int64)
        self._extracting = np.zeros(len(world.lab.accounts), np.int64)
        self._part, self._part_rows = 0, 0
        make_folder(folder / "requests")
        for stale in (folder / "requests").glob("part-*.parquet"):
            stale.unlink()
        self._requests = self._open_part()
        self._extraction = pq.ParquetWriter(folder / "truth-extraction-requests.parquet", _EXTRACTION)

    def __enter__(self) -> Self:
        """Start writing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files, also after an error."""
        self._requests.close()
        self._extraction.close()

    @property
    def accounts(self) -> int:
        """Count the accounts that made at least one request."""
        return int((self._calls > 0).sum())

    def write(self, events: Events) -> None:
        """Write calls, which must follow those written before."""
        batch = columns.requests_table(self._world.lab, events)
        if self._part_rows + len(batch) > _ROWS_PER_FILE and self._part_rows:
            self._requests.close()
            self._part, self._part_rows = self._part + 1, 0
            self._requests = self._open_part()
        self._requests.write_batch(batch)
        self._part_rows += len(batch)
        self.requests += len(batch)
        self._remember(events, batch.column("request_id"))

    def finish(self, scenario: Scenario) -> None:
        """Write accounts, truth and authorizations, when all requests are written."""
        seen = np.flatnonzero(self._calls > 0)
        order = seen[
            np.argsort(self._world.lab.account_ids.take(pa.array(seen)).to_numpy(zero_copy_only=False))
        ]
        accounts = registry.accounts_table(self._world, scenario).take(pa.array(order))
        pq.write_table(accounts.cast(ACCOUNTS), self._folder / "accounts.parquet")
        pq.write_table(self._truth().take(pa.array(order)), self._folder / "truth.parquet")
        granted = registry.authorizations(self._world, scenario, seen)
        text = yaml.safe_dump({"authorizations": granted}, sort_keys=False, allow_unicode=True)
        (self._folder / "authorizations.yml").write_text(text, encoding="utf-8")

    def _open_part(self) -> pq.ParquetWriter:
        path = self._folder / "requests" / f"part-{self._part:04d}.parquet"
        return pq.ParquetWriter(path, REQUESTS, compression="zstd", compression_level=1)

    def _remember(self, events: Events, request_ids: pa.StringArray) -> None:
        self._calls += np.bincount(events.account, minlength=len(self._calls))
        rows = np.flatnonzero(events.campaign >= 0)
        self._extracting += np.bincount(events.account[rows], minlength=len(self._calls))
        self.extraction_requests += len(rows)
        names = pa.array([operation.campaign_id for operation in self._world.operations], pa.string())
        found = names.take(pa.array(events.campaign[rows].astype(np.int64)))
        table = pa.RecordBatch.from_arrays([request_ids.take(pa.array(rows)), found], schema=_EXTRACTION)
        self._extraction.write_batch(table)

    def _truth(self) -> pa.Table:
        world = self._world
        label, campaign, archetype = registry.truth_columns(world)
        fraction = self._extracting / np.maximum(self._calls, 1)
        return pa.table(
            [world.lab.account_ids, label, campaign, archetype, fraction.astype(np.float32)], schema=_TRUTH
        )


def write_scenario(out: Path, scenario: Scenario, *, seed: int, scale: float) -> None:
    """Write down what was simulated, complete enough to do it again.

    Raises:
        OutputError: The folder cannot be written.
    """
    make_folder(out)
    content: dict[str, Any] = {"seed": seed, "scale": scale, "scenario": scenario.model_dump(mode="json")}
    content["end"] = (scenario.start + timedelta(days=scenario.days)).isoformat()
    (out / "scenario.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def make_folder(folder: Path) -> None:
    """Create a folder.

    Raises:
        OutputError: It cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error


__all__ = ["TIME_TYPE", "LogSetWriter", "make_folder", "write_scenario"]
