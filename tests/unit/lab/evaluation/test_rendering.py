"""The report card reads plainly."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stillwatch.cli.evaluate import evaluate as command
from stillwatch.errors import UsageError
from stillwatch.lab.evaluation import ReportCard, evaluate
from stillwatch.lab.evaluation.rendering import render


@pytest.fixture(scope="module")
def text(scan_folder: Path, labeled_set: Path) -> str:
    return render(evaluate(scan_folder, labeled_set))


@pytest.mark.parametrize(
    "line",
    [
        "campaigns found: 1 of 2",
        "median leaked share (distillation): 40.0 %",
        "accounts with extraction: 4, 75.0 % flagged",
        "benign flagged per 1,000: 100.00 at medium or above (1 of 10), 100.00 at low",
        "hostile without extraction: 0 of 2 flagged (neither hit nor false alarm for distillation)",
    ],
)
def test_every_figure_of_the_set_has_its_line(line: str, text: str) -> None:
    assert line in text.splitlines()


def test_a_campaign_has_its_line(text: str) -> None:
    line = next(line for line in text.splitlines() if line.startswith("alpha"))
    assert "yes" in line
    assert "70 % [50 %, 90 %] (75 %)" in line
    assert "8 (40 %)" in line
    assert "12 (60 %)" in line


def test_accounts_are_listed_on_demand_only(scan_folder: Path, labeled_set: Path, text: str) -> None:
    listed = render(evaluate(scan_folder, labeled_set), with_accounts=True)
    assert not any(line.startswith("b5") for line in text.splitlines())
    assert any(line.startswith("b5") for line in listed.splitlines())


def test_json_on_stdout_is_the_card(
    scan_folder: Path, labeled_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(scan_folder, truth=labeled_set, accounts=True, format="json") == 0
    assert ReportCard.model_validate_json(capsys.readouterr().out) == evaluate(scan_folder, labeled_set)


def test_the_baseline_table_refuses_another_set(scan_folder: Path, labeled_set: Path) -> None:
    with pytest.raises(UsageError, match="not the one"):
        command(scan_folder, truth=labeled_set, baseline_table=True)


def test_the_command_runs_as_people_type_it(scan_folder: Path, labeled_set: Path) -> None:
    words = ["evaluate", str(scan_folder), "--truth", str(labeled_set / "truth.parquet"), "--format", "json"]
    done = subprocess.run([sys.executable, "-m", "stillwatch", *words], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["found"] == 1
