"""Simulated labs, made once for each test process, and scans of them."""

from pathlib import Path
from types import SimpleNamespace as Lab

import pyarrow.parquet as pq
import pytest

from stillwatch.cli import main

SCENARIO = Path(__file__).with_name("one-campaign.yml")


def simulated(folder: Path, scenario: Path) -> Lab:
    """Simulate a lab and read who is who.

    Returns:
        `folder`, the `campaign` accounts, the `licensed` accounts, and the `words` that scan it.
    """
    assert main(["simulate", str(scenario), "--out", str(folder)]) == 0
    truth = pq.read_table(folder / "truth.parquet").to_pylist()
    seen = set(pq.read_table(folder / "requests", columns=["account_id"])["account_id"].to_pylist())
    return Lab(
        folder=folder,
        campaign=frozenset(row["account_id"] for row in truth if row["campaign_id"]) & seen,
        licensed=frozenset(row["account_id"] for row in truth if row["archetype"] == "licensed_distillation")
        & seen,
        words=["scan", str(folder / "requests"), "--accounts", str(folder / "accounts.parquet")],
    )


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Simulate a small lab with one campaign."""
    return simulated(tmp_path_factory.mktemp("lab"), SCENARIO)


@pytest.fixture(scope="session")
def quiet_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Simulate the same lab without the campaign."""
    folder = tmp_path_factory.mktemp("quiet")
    text = SCENARIO.read_text(encoding="utf-8").partition("campaigns:")[0]
    (folder / "quiet.yml").write_text(text, encoding="utf-8")
    return simulated(folder / "set", folder / "quiet.yml")


@pytest.fixture(scope="session")
def scanned_lab(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scan the lab once and return the output folder."""
    out = tmp_path_factory.mktemp("scanned")
    assert main([*lab.words, "--out", str(out), "--no-exit-codes"]) == 0
    return out
