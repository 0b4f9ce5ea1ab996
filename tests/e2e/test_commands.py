"""Commands as people type them, from simulated logs to the report card."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from stillwatch.cli import main
from stillwatch.domain.findings import ScanReport

ROOT = Path(__file__).resolve().parents[2]
FINDING_CODES = range(11, 15)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate a week of a tiny lab once."""
    folder = tmp_path_factory.mktemp("set")
    assert main(["simulate", "smoke", "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def scanned(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scan it once, with everything that a lab has."""
    out = tmp_path_factory.mktemp("out")
    assert run_scan(logs, out) == 0
    return out


def run_scan(logs: Path, out: Path, *more: str) -> int:
    """Scan a simulated set and return the exit code."""
    words = ["scan", str(logs / "requests"), "--accounts", str(logs / "accounts.parquet"), "--out", str(out)]
    return main([*words, "--no-exit-codes", *more])


def verdicts(out: Path) -> list[dict[str, object]]:
    """Return what a scan says of each account, by account."""
    rows: list[dict[str, object]] = pq.read_table(out / "accounts.parquet").sort_by("account_id").to_pylist()
    return rows


def test_a_scan_writes_everything_it_promises(scanned: Path) -> None:
    assert {path.name for path in scanned.iterdir()} >= {
        "accounts.parquet",
        "findings.json",
        "rejected.jsonl",
        "report.html",
    }
    assert (scanned / "rejected.jsonl").read_text() == ""


def test_the_findings_follow_the_published_schema(scanned: Path) -> None:
    schema = json.loads((ROOT / "docs/schema/findings-1.0.schema.json").read_text())
    jsonschema.validate(json.loads((scanned / "findings.json").read_text()), schema)


def test_every_account_that_was_seen_has_one_row(logs: Path, scanned: Path) -> None:
    seen = pc.unique(pq.read_table(logs / "requests", columns=["account_id"])["account_id"]).to_pylist()
    assert [row["account_id"] for row in verdicts(scanned)] == sorted(seen)


def test_the_report_card_can_be_printed(
    logs: Path, scanned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(scanned), "--truth", str(logs)]) == 0
    assert "campaigns found:" in capsys.readouterr().out


def test_the_exit_code_is_the_worst_severity(logs: Path, scanned: Path, tmp_path: Path) -> None:
    report = ScanReport.model_validate_json((scanned / "findings.json").read_text())
    expected = 10 + report.worst.rank if report.worst else 0
    words = ["scan", str(logs / "requests"), "--accounts", str(logs / "accounts.parquet")]
    assert main([*words, "--out", str(tmp_path)]) == expected


def test_the_same_logs_give_the_same_verdicts(logs: Path, scanned: Path, tmp_path: Path) -> None:
    assert run_scan(logs, tmp_path) == 0
    assert verdicts(tmp_path) == verdicts(scanned)


def test_logs_scanned_day_by_day_into_a_state_give_what_one_scan_gives(
    logs: Path, scanned: Path, tmp_path: Path
) -> None:
    table = pq.read_table(logs / "requests")
    middle = pc.quantile(pc.cast(table["time"], pa.int64()), 0.5)[0].as_py()
    early = pc.less(pc.cast(table["time"], pa.int64()), int(middle))
    parts = {"first": table.filter(early), "second": table.filter(pc.invert(early))}
    words = ["--accounts", str(logs / "accounts.parquet"), "--state", str(tmp_path / "state")]
    for name, part in parts.items():
        pq.write_table(part, tmp_path / f"{name}.parquet")
        out = str(tmp_path / f"out-{name}")
        assert main(["scan", str(tmp_path / f"{name}.parquet"), *words, "--out", out, "--no-exit-codes"]) == 0
    first, second, whole = (
        verdicts(out) for out in (tmp_path / "out-first", tmp_path / "out-second", scanned)
    )
    since = {row["campaign_id"]: row["detected_at"] for row in first if row["detected_at"]}
    # The state remembers when a campaign was first detected; one scan of everything sees it at the end.
    expected = [row | {"detected_at": since.get(row["campaign_id"], row["detected_at"])} for row in whole]
    assert second == expected
    assert second != whole


def test_a_scan_of_overlapping_files_counts_each_request_once(
    logs: Path, scanned: Path, tmp_path: Path
) -> None:
    table = pq.read_table(logs / "requests")
    pq.write_table(table.slice(0, 5_000), tmp_path / "again.parquet")
    assert run_scan(logs, tmp_path / "out", str(tmp_path / "again.parquet")) == 0
    report = ScanReport.model_validate_json((tmp_path / "out/findings.json").read_text())
    assert (report.scanned.requests, report.scanned.duplicates) == (table.num_rows, 5_000)
    assert verdicts(tmp_path / "out") == verdicts(scanned)


@pytest.mark.parametrize("form", ["json", "jsonl", "ocsf"])
def test_standard_output_is_data_for_programs(
    form: str, logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_scan(logs, tmp_path, "--format", form) == 0
    said = capsys.readouterr().out
    for text in [said] if form == "json" else said.splitlines():
        json.loads(text)


def test_text_for_people_has_no_color_codes_in_a_pipe(logs: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stillwatch", "scan", logs / "requests", "--out", tmp_path, "--no-exit-codes"],
        capture_output=True,
        check=True,
    )
    assert b"\x1b" not in done.stdout
    assert done.stdout.strip().splitlines()[-1].startswith(b"stillwatch: ")


def test_logs_can_come_in_on_standard_input(logs: Path, tmp_path: Path) -> None:
    table = pq.read_table(logs / "requests").slice(0, 2_000)
    lines = "".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist())
    done = subprocess.run(
        [sys.executable, "-m", "stillwatch", "scan", "-", "--out", tmp_path, "--no-exit-codes"],
        input=gzip.compress(lines.encode()),
        capture_output=True,
        check=True,
    )
    assert b"2,000 requests" in done.stdout


def test_columns_of_another_name_can_be_named(logs: Path, tmp_path: Path) -> None:
    table = pq.read_table(logs / "requests").slice(0, 2_000)
    names = ["org" if name == "account_id" else name for name in table.column_names]
    pq.write_table(table.rename_columns(names), tmp_path / "logs.parquet")
    words = ["scan", str(tmp_path / "logs.parquet"), "--out", str(tmp_path / "out"), "--no-exit-codes"]
    assert main(words) == 1
    assert main([*words, "--columns", "account_id=org"]) == 0


def test_a_misspelled_option_is_a_usage_error(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", str(logs / "requests"), "--outt", str(tmp_path)]) == 2
    assert "unknown option: --outt" in capsys.readouterr().err


def test_an_empty_folder_is_not_a_clean_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").mkdir()
    assert main(["scan", str(tmp_path / "logs"), "--out", str(tmp_path / "out")]) == 3
    assert capsys.readouterr().err.startswith("error: ")


def test_a_missing_column_is_one_error_that_names_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(pa.table({"request_id": ["r1"], "when": [1]}), tmp_path / "logs.parquet")
    assert main(["scan", str(tmp_path / "logs.parquet"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "account_id" in said
    assert "when" in said


def test_too_many_bad_lines_are_an_error_after_the_findings_are_written(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pq.read_table(logs / "requests").slice(0, 2_000).to_pylist()
    lines = [json.dumps(row, default=str) for row in rows] + ["{broken"] * 200
    (tmp_path / "logs.jsonl").write_text("\n".join(lines) + "\n")
    out = tmp_path / "out"
    assert main(["scan", str(tmp_path / "logs.jsonl"), "--out", str(out)]) == 1
    assert "200 of 2,200" in capsys.readouterr().err
    refusals = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]
    assert sum(refusal["count"] for refusal in refusals) == 200
    assert {(refusal["line"], refusal["reason"]) for refusal in refusals} == {(2_001, "broken_json")}
    assert ScanReport.model_validate_json((out / "findings.json").read_text()).scanned.requests == 2_000


def test_a_share_of_bad_lines_that_is_allowed_is_no_error(logs: Path, tmp_path: Path) -> None:
    rows = pq.read_table(logs / "requests").slice(0, 2_000).to_pylist()
    lines = [json.dumps(row, default=str) for row in rows] + ["{broken"] * 20
    (tmp_path / "logs.jsonl").write_text("\n".join(lines) + "\n")
    words = ["scan", str(tmp_path / "logs.jsonl"), "--out", str(tmp_path / "out"), "--no-exit-codes"]
    assert main(words) == 0


@pytest.mark.slow
def test_the_demo_ends_by_itself_and_says_where_the_report_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "smoke", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "campaigns found:" in said
    assert str(tmp_path / "findings" / "report.html") in said
    assert (tmp_path / "findings" / "report.html").is_file()
