"""A small lab and a quiet one like it, simulated once, as states."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.detect.intake import Intake
from stillwatch.detect.logs import AccountTable, RejectedLog, load_accounts
from stillwatch.detect.options import ScanOptions
from stillwatch.detect.profiles.state import State
from stillwatch.detect.timing import Stopwatch
from stillwatch.lab.simulation import load_scenario, simulate

NOW = datetime(2026, 12, 1, tzinfo=UTC)
Period = tuple[State, AccountTable]


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate a lab."""
    folder = tmp_path_factory.mktemp("lab")
    simulate(load_scenario("smoke"), folder, seed=1)
    return folder


@pytest.fixture(scope="session")
def open_period(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Period]:
    """Return what opens the lab as a period, without some columns of its logs if asked to."""

    def opened(*without: str, prefix: str = "") -> Period:
        folder = tmp_path_factory.mktemp("period")
        requests = pq.read_table(logs / "requests")
        if prefix:
            ids = pa.array([prefix + one for one in requests["account_id"].to_pylist()])
            requests = requests.set_column(requests.column_names.index("account_id"), "account_id", ids)
        pq.write_table(requests.drop_columns(list(without)), folder / "requests.parquet")
        intake = Intake(ScanOptions(logs=[], now=NOW), Stopwatch(), lambda _said: None)
        state = intake.open_state(folder / "state")
        intake.read(state, [str(folder / "requests.parquet")], RejectedLog())
        return state, load_accounts(str(logs / "accounts.parquet"))

    return opened


@pytest.fixture(scope="session")
def period(open_period: Callable[..., Period]) -> Period:
    """Open the lab as a period."""
    return open_period()
