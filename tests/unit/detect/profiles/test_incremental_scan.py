"""A whole scan day by day, each reading tomorrow's log only, finds what one scan of everything finds."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.detect.logs import RejectedLog
from stillwatch.detect.pipeline import ScanOptions, scan
from stillwatch.lab.simulation import load_scenario, simulate

NOW = datetime(2026, 12, 1, tzinfo=UTC)
OF_THE_RUN = ("files", "rejected", "duplicates", "formats")  # what this run read, not what was found

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate a small lab and write its log as one file a day."""
    folder = tmp_path_factory.mktemp("smoke")
    simulate(load_scenario("smoke"), folder / "set", seed=1)
    requests = pq.read_table(folder / "set" / "requests")
    day = requests["time"].cast(pa.int64()).to_numpy() // 86_400_000_000
    for one in np.unique(day).tolist():
        pq.write_table(requests.filter(pa.array(day == one)), folder / f"{one}.parquet")
    return folder


def findings(
    logs: list[Path],
    accounts: Path,
    work: Path,
    *,
    state: Path | None = None,
    replay_days: int | None = None,
) -> dict[str, Any]:
    work.mkdir(parents=True, exist_ok=True)
    options = ScanOptions(
        logs=[str(path) for path in logs],
        accounts=str(accounts),
        state=state,
        replay_days=replay_days,
        now=NOW,
    )
    with RejectedLog(work / "rejected.jsonl") as rejected:
        report: dict[str, Any] = json.loads(scan(options, rejected).report.model_dump_json())
    for name in OF_THE_RUN:
        del report["scanned"][name]
    return report


def test_day_by_day_equals_all_at_once_judged_day_by_day(logs: Path, tmp_path: Path) -> None:
    days, accounts = sorted(logs.glob("*.parquet")), logs / "set" / "accounts.parquet"
    whole = findings(days, accounts, tmp_path / "whole", replay_days=1)
    report: dict[str, Any] = {}
    for day in days:
        report = findings([day], accounts, tmp_path / "daily", state=tmp_path / "state")
    assert whole["findings"]
    steps = [step["step_end"] for step in whole.pop("replay")]
    assert report.pop("replay") == []
    assert report == whole
    first = {one["detected_at"] for one in report["findings"] if one["severity"] != "low"}
    assert first <= set(steps)
    assert min(first) < steps[-1], "a campaign that was flagged earlier keeps its first date"


def test_a_campaign_keeps_the_day_it_was_first_flagged_on(logs: Path, tmp_path: Path) -> None:
    days, accounts = sorted(logs.glob("*.parquet")), logs / "set" / "accounts.parquet"
    first = flagged(findings(days[:-1], accounts, tmp_path, state=tmp_path / "state"))
    again = flagged(findings(days[-1:], accounts, tmp_path, state=tmp_path / "state"))
    forgot = flagged(findings(days, accounts, tmp_path))
    known = first.keys() & again.keys()
    assert known
    assert {again[one] for one in known} == {first[one] for one in known}
    assert min(forgot.values()) > max(first.values())


def flagged(report: dict[str, Any]) -> dict[str, str]:
    """Return when each campaign was first flagged at medium or above."""
    return {one["campaign_id"]: one["detected_at"] for one in report["findings"] if one["detected_at"]}


def test_scanning_the_same_logs_again_in_another_order_finds_the_same(logs: Path, tmp_path: Path) -> None:
    days, accounts = sorted(logs.glob("*.parquet")), logs / "set" / "accounts.parquet"
    first = findings(days, accounts, tmp_path, state=tmp_path / "state")
    again = findings([*days[::-1], days[0]], accounts, tmp_path, state=tmp_path / "state")
    assert again == first
