"""From a scan to a case, to a label, to a table for training."""

import json
from pathlib import Path
from types import SimpleNamespace as Lab
from typing import Any

import pyarrow.parquet as pq
import pytest

from stillwatch.cli import main


def test_a_scanned_campaign_becomes_a_labeled_case(
    lab: Lab, scanned_lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = ["--database", f"sqlite:///{tmp_path}/stillwatch.db"]

    def case(*words: str) -> Any:
        capsys.readouterr()
        assert main(["case", *words, *database, "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    opened = case("open", str(scanned_lab), "--severity", "low")
    by_overlap = {
        each["case_id"]: set(case("show", each["case_id"])["accounts"]) & lab.campaign for each in opened
    }
    name = max(by_overlap, key=lambda each: len(by_overlap[each]))
    case("triage", name, "true_positive")
    case("label", name, "true_campaign", "--reason", "we know who they are")
    case("close", name, "--reason", "handed over")
    assert main(["case", "export", "--labels", str(tmp_path / "labels.parquet"), *database]) == 0
    table = pq.read_table(tmp_path / "labels.parquet")
    assert by_overlap[name] <= set(table["account_id"].to_pylist())
    assert set(table["label"].to_pylist()) == {"true_campaign"}
    assert case("stats")["true_positives"] == 1
    assert main(["audit", "verify", *database]) == 0
    again = case("open", str(scanned_lab), "--severity", "low")
    assert {each["change"] for each in again} == {"unchanged"}


def test_what_people_called_benign_makes_its_like_less_rare(
    lab: Lab, scanned_lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = ["--database", f"sqlite:///{tmp_path}/stillwatch.db"]
    before = _campaign_in(scanned_lab, lab)
    assert main(["case", "open", str(scanned_lab), "--campaign", before["campaign_id"], *database]) == 0
    assert main(["case", "label", "case-1", "benign", "--reason", "a pipeline of ours", *database]) == 0
    labels = tmp_path / "labels.parquet"
    assert main(["case", "export", "--labels", str(labels), *database]) == 0
    again = ["--out", str(tmp_path / "again"), "--no-exit-codes", "--labels", str(labels)]
    assert main([*lab.words, *again]) == 0
    after = _campaign_in(tmp_path / "again", lab)
    assert after is None or after["q_value"] > before["q_value"]


def _campaign_in(folder: Path, lab: Lab) -> Any:
    """Return the finding that has most of the campaign's accounts, if there is one."""
    found = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["findings"]
    overlaps = [(len(set(each["accounts"]) & lab.campaign), number) for number, each in enumerate(found)]
    most, number = max(overlaps, default=(0, 0))
    return found[number] if 2 * most > len(lab.campaign) else None
