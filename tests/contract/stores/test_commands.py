"""The commands do the same on every kind of store."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stillwatch.cli import main
from stillwatch.detect.findings.report.example import example_report
from stillwatch.detect.findings.report.json_report import dump_json


def test_a_case_goes_its_way_and_the_trail_tells_of_it(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "findings.json").write_text(dump_json(example_report()), encoding="utf-8")
    place = ["--database", url]
    for words in (
        ["case", "open", str(tmp_path)],
        ["case", "assign", "case-1", "bob"],
        ["case", "note", "case-1", "seen, 見た"],
        ["case", "label", "case-1", "true_campaign", "--reason", "known"],
        ["case", "triage", "case-1", "true_positive"],
        ["case", "snooze", "case-2", "--until", "3d", "--reason", "later"],
        ["case", "close", "case-1", "--reason", "done"],
        ["case", "list", "--all"],
        ["case", "show", "case-1"],
        ["case", "stats"],
        ["case", "export", "--labels", str(tmp_path / "labels.parquet")],
        ["audit", "show"],
        ["audit", "verify"],
    ):
        assert main([*words, *place]) == 0, words
    said = capsys.readouterr().out
    assert "= note 1: seen, 見た (person:" in said
    assert "stillwatch: 9 entries read, everything holds" in said
    assert main(["audit", "head", *place, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["sequence"] == 9


def test_an_empty_database_is_not_filled_by_reading(
    empty_url: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:

    assert main(["case", "list", "--database", empty_url()]) == 1
    assert "help: `stillwatch case open FINDINGS`" in capsys.readouterr().err
