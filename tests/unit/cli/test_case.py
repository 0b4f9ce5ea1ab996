"""`stillwatch case`, as people and scripts use it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stillwatch.cli import main
from stillwatch.detect.findings.report.example import example_report
from stillwatch.detect.findings.report.json_report import dump_json
from stillwatch.respond.cases.training import SCHEMA


@pytest.fixture
def findings(tmp_path: Path) -> Path:
    """Return a findings.json of three findings worth a case."""
    path = tmp_path / "findings.json"
    path.write_text(dump_json(example_report()), encoding="utf-8")
    return path


@pytest.fixture
def database(tmp_path: Path) -> list[str]:
    """Return the words that name a database of this test."""
    return ["--database", f"sqlite:///{tmp_path}/node/stillwatch.db"]


Run = Callable[..., Any]


@pytest.fixture
def run(database: list[str], capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a runner of `stillwatch case` that returns what --format json printed."""

    def case(*words: str) -> Any:
        assert main(["case", *words, *database, "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    return case


@pytest.fixture
def opened(run: Run, findings: Path) -> list[dict[str, Any]]:
    """Open the cases and return them."""
    cases: list[dict[str, Any]] = run("open", str(findings), "--author", "alice")
    return cases


def test_findings_open_cases_from_medium_on(opened: list[dict[str, Any]]) -> None:
    assert [(case["change"], case["case_id"], case["figures"]["severity"]) for case in opened] == [
        ("opened", "case-1", "critical"),
        ("opened", "case-2", "high"),
        ("opened", "case-3", "medium"),
    ]


def test_the_same_findings_again_change_nothing(
    run: Run, opened: list[dict[str, Any]], findings: Path
) -> None:
    again = run("open", str(findings.parent))  # the scan's output folder does as well
    assert {case["change"] for case in again} == {"unchanged"}


def test_one_campaign_is_opened_by_name_and_low_findings_on_request(run: Run, findings: Path) -> None:
    campaign = example_report().findings[1].campaign_id
    assert [case["campaign_id"] for case in run("open", str(findings), "--campaign", campaign)] == [campaign]
    assert len(run("open", str(findings), "--severity", "low")) == len(example_report().findings)


def test_a_case_is_worked_on_from_opening_to_closing(run: Run, opened: list[dict[str, Any]]) -> None:
    run("assign", "case-1", "bob")
    run("status", "case-1", "investigating")
    run("note", "case-1", "the payments belong to one reseller")
    run("label", "case-1", "resale", "--reason", "a relay")
    run("label", "case-1", "true_campaign", "--reason", "through the relay")
    run("unlabel", "case-1", "resale", "--reason", "no relay after all")
    run("triage", "case-1", "true_positive")
    closed = run("close", "case-1", "--reason", "handed to legal", "--author", "carol")
    assert closed["status"] == "closed"
    assert closed["assignee"] == "person:bob"
    assert closed["closing"]["author"] == "person:carol"
    assert [mark["label"] for mark in closed["labels"]] == ["true_campaign"]
    whole = run("show", "case-1")
    assert [entry["action"].partition(".")[2] for entry in whole["history"]] == [
        "opened", "assigned", "moved", "noted", "labeled", "labeled", "unlabeled", "triaged", "closed",
    ]  # fmt: skip
    assert run("reopen", "case-1", "--reason", "new accounts")["status"] == "open"


def test_a_snooze_takes_days_or_a_day_and_now_ends_it(run: Run, opened: list[dict[str, Any]]) -> None:
    snoozed = run("snooze", "case-2", "--until", "14d", "--reason", "sales asks them")
    until = datetime.fromisoformat(snoozed["snooze"]["until"])
    assert timedelta(days=13) < until - datetime.now(UTC) <= timedelta(days=14)
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    assert (
        run("snooze", "case-2", "--until", f"{day}", "--reason", "more")["snooze"]["until"]
        == f"{day}T00:00:00Z"
    )
    assert run("snooze", "case-2", "--until", "now", "--reason", "they answered")["snooze"] is None


def test_a_note_is_erased(run: Run, opened: list[dict[str, Any]]) -> None:
    run("note", "case-1", "Ms. Roe called")
    run("note", "case-1", "--erase", "1", "--reason", "names a person")
    assert run("show", "case-1")["notes"][0]["text"] is None


def test_a_snapshot_is_printed_word_for_word(run: Run, opened: list[dict[str, Any]]) -> None:
    digest = opened[0]["snapshot"]["digest"]
    assert run("show", "case-1", "--snapshot", digest) == json.loads(
        example_report().findings[0].model_dump_json()
    )


def test_statistics_count_reviewed_findings_only(run: Run, opened: list[dict[str, Any]]) -> None:
    assert run("stats")["false_positive_ratio"] is None
    run("triage", "case-1", "true_positive")
    run("triage", "case-2", "false_positive", "--because", "agent_fleet")
    found = run("stats")
    assert (found["true_positives"], found["false_positives"], found["not_triaged"]) == (1, 1, 1)
    assert found["false_positive_ratio"]["share"] == 0.5
    assert found["reasons"] == {"agent_fleet": 1}
    rows = {row["name"]: (row["false_positives"], row["reviewed"]) for row in found["evidence"]}
    first, second = ({e.name for e in example_report().findings[n].evidence if e.nats > 0} for n in (0, 1))
    assert set(rows) == first | second
    assert all(rows[name] == (name in second, (name in first) + (name in second)) for name in rows)


def test_labels_are_exported_with_the_documented_columns(
    run: Run, opened: list[dict[str, Any]], database: list[str], tmp_path: Path
) -> None:
    run("label", "case-3", "benign", "--reason", "a school")
    run("unlabel", "case-3", "benign", "--reason", "no school")
    account = example_report().findings[0].accounts[0]
    run("label", "case-1", "authorized", "--reason", "a permission", "--accounts", account)
    assert main(["case", "export", "--labels", str(tmp_path / "labels.parquet"), *database]) == 0
    table = pq.read_table(tmp_path / "labels.parquet")
    assert table.schema.names == SCHEMA.names
    rows = table.to_pylist()
    assert len(rows) == len(example_report().findings[2].accounts) + 1
    assert all((row["withdrawn_at"] is not None) == (row["label"] == "benign") for row in rows)
    assert rows[-1] | {"account_id": account, "label": "authorized", "whole_case": False} == rows[-1]


def test_an_export_without_labels_is_an_empty_table(
    opened: list[dict[str, Any]], database: list[str], tmp_path: Path
) -> None:
    assert main(["case", "export", "--labels", str(tmp_path / "labels.parquet"), *database]) == 0
    assert pq.read_table(tmp_path / "labels.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "case-9"], 1, "there is no case 'case-9'"),
        (["close", "case-1", "--reason", " "], 1, "a reason must say something"),
        (["assign", "case-1", "bob", "--version", "7"], 1, "case-1 is at version 1 now"),
        (["triage", "case-1", "false_positive"], 1, "a false positive has a reason"),
        (["triage", "case-1", "false_positive", "--because", "bad_luck"], 2, "'bad_luck' is no reason"),
        (["unlabel", "case-1", "gone", "--reason", "x"], 2, "'gone' is no label"),
        (["snooze", "case-1", "--until", "soon", "--reason", "x"], 2, "--until 'soon' is no time"),
        (["snooze", "case-1", "--until", "99999999999d", "--reason", "x"], 2, "is no time"),
        (["note", "case-1", "Bearer abcdefgh1234"], 1, "credential"),
        (["label", "case-1", "evil", "--reason", "x"], 2, "evil"),
        (["assign", "case-1", "person:"], 2, "a name is empty"),
        (["assign", "case-1", "bob", "--author", "x" * 201], 2, "a name has 201 characters"),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_said_in_one_line(
    opened: list[dict[str, Any]],
    database: list[str],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    assert main(["case", *words, *database]) == code
    error, help_line = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert help_line.startswith("help: ")


def test_a_database_that_is_not_there_is_not_made_by_reading(
    database: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["case", "list", *database]) == 1
    assert "there is no database" in capsys.readouterr().err
    assert not (tmp_path / "node").exists()


@pytest.mark.parametrize(
    "url", ["mysql://host/name", "sqlite://", "postgresql://host:port/name", "stillwatch.db"]
)
def test_a_url_that_names_no_database_is_an_error(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["case", "list", "--database", url]) == 1
    assert capsys.readouterr().err.count("\n") == 2


def test_people_read_cases_like_the_report_of_a_scan(
    opened: list[dict[str, Any]], run: Run, database: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run("label", "case-2", "true_campaign", "--reason", "red\u202e", "--author", "alice")
    assert main(["case", "list", *database]) == 0
    said = capsys.readouterr().out
    assert "critical[case-1]: 640 accounts, 214,904 exchanges, open, nobody assigned" in said
    assert said.endswith("stillwatch: 3 cases\n")
    assert "\u202e" not in said


def test_a_database_is_readable_by_its_owner_only(opened: list[dict[str, Any]], tmp_path: Path) -> None:
    assert (tmp_path / "node" / "stillwatch.db").stat().st_mode & 0o077 == 0
