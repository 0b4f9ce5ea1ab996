"""One tiny simulated lab for all tests of this folder."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.lab.simulation import SimulationSummary, load_scenario, simulate

SEED = 11


@dataclass(frozen=True)
class LogSet:
    folder: Path
    summary: SimulationSummary
    requests: pa.Table
    accounts: pa.Table
    truth: pa.Table
    extraction: pa.Table


def read(folder: Path, summary: SimulationSummary) -> LogSet:
    return LogSet(
        folder,
        summary,
        pq.read_table(folder / "requests"),
        pq.read_table(folder / "accounts.parquet"),
        pq.read_table(folder / "truth.parquet"),
        pq.read_table(folder / "truth-extraction-requests.parquet"),
    )


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> LogSet:
    folder = tmp_path_factory.mktemp("smoke")
    return read(folder, simulate(load_scenario("smoke"), folder, seed=SEED))
