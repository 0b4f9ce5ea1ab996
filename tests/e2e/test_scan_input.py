"""Logs as people have them: compressed, without some columns, in other formats, out of order."""

import gzip
import json
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace as Lab

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from stillwatch.cli import main
from stillwatch.detect.profiles.lock import held
from stillwatch.domain.findings import ScanReport

pytestmark = pytest.mark.xdist_group("scans")

ROWS = 1_500


@pytest.fixture(scope="session")
def few(lab: Lab) -> pa.Table:
    """Return the requests of some accounts of the lab."""
    return pq.read_table(lab.folder / "requests").slice(0, ROWS)


@pytest.fixture
def scan(tmp_path: Path) -> Callable[..., ScanReport]:
    """Return a scan of some logs that must succeed."""

    def run(*words: str | Path) -> ScanReport:
        given = [str(word) for word in words]
        assert main(["scan", *given, "--out", str(tmp_path / "out"), "--no-exit-codes"]) == 0
        return ScanReport.model_validate_json((tmp_path / "out" / "findings.json").read_text())

    return run


def json_lines(table: pa.Table) -> bytes:
    """Write rows as JSON lines."""
    return "".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist()).encode()


@pytest.mark.parametrize(
    ("name", "pack"),
    [("logs.jsonl", bytes), ("logs.jsonl.gz", gzip.compress), ("logs.jsonl.zst", zstandard.compress)],
)
def test_compressed_lines_are_read_like_plain_ones(
    name: str,
    pack: Callable[[bytes], bytes],
    few: pa.Table,
    tmp_path: Path,
    scan: Callable[..., ScanReport],
) -> None:
    (tmp_path / name).write_bytes(pack(json_lines(few)))
    report = scan(tmp_path / name)
    assert (report.scanned.requests, report.scanned.rejected) == (ROWS, 0)


def test_a_folder_a_glob_and_the_files_are_the_same_logs(
    few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    (tmp_path / "logs").mkdir()
    for part in range(3):
        pq.write_table(few.slice(500 * part, 500), tmp_path / "logs" / f"{part}.parquet")
    named = [tmp_path / "logs" / f"{part}.parquet" for part in (2, 0, 1)]
    reports = [scan(tmp_path / "logs"), scan(tmp_path / "logs" / "*.parquet"), scan(*named)]
    assert {report.scanned.requests for report in reports} == {ROWS}
    assert len({report.model_dump_json(exclude={"generated_at"}) for report in reports}) == 1


def test_rows_out_of_order_change_nothing(
    few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    order = list(range(ROWS))
    random.Random(1).shuffle(order)
    pq.write_table(few, tmp_path / "sorted.parquet")
    pq.write_table(few.take(order), tmp_path / "shuffled.parquet")
    first, second = scan(tmp_path / "sorted.parquet"), scan(tmp_path / "shuffled.parquet")
    assert first.model_dump(exclude={"generated_at"}) == second.model_dump(exclude={"generated_at"})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("prompt", "system_instructions"), "no prompts"),
        (("client_address", "client_asn"), "no client addresses"),
        (("conversation_id",), "no conversation ids"),
        (("tls_ja4", "user_agent"), "no user agents"),
    ],
)
def test_logs_without_a_column_work_and_say_which_evidence_is_missing(
    columns: tuple[str, ...], said: str, few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    pq.write_table(few.drop_columns(list(columns)), tmp_path / "logs.parquet")
    report = scan(tmp_path / "logs.parquet")
    assert report.scanned.requests == ROWS
    assert any(said in sentence for sentence in report.scanned.missing_evidence)


def test_logs_with_nothing_but_what_is_required_work(
    few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    pq.write_table(few.select(["request_id", "time", "account_id"]), tmp_path / "logs.parquet")
    report = scan(tmp_path / "logs.parquet", "--replay", "1d")
    assert report.scanned.requests == ROWS
    assert report.findings == ()


def test_one_request_is_enough_to_scan(
    few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    pq.write_table(few.slice(0, 1), tmp_path / "logs.parquet")
    report = scan(tmp_path / "logs.parquet")
    assert (report.scanned.requests, report.scanned.accounts, report.findings) == (1, 1, ())


def test_without_an_accounts_table_the_scan_says_what_it_cannot_compare(
    few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    pq.write_table(few, tmp_path / "logs.parquet")
    assert any(
        "--accounts" in sentence for sentence in scan(tmp_path / "logs.parquet").scanned.missing_evidence
    )


def envoy_line(row: dict[str, object]) -> dict[str, object]:
    """Write one request as an Envoy AI Gateway access log does: no prompt."""
    return {
        "start_time": str(row["time"]).replace(" ", "T").replace("+00:00", "Z"),
        "x-request-id": row["request_id"],
        "x-organization-id": row["account_id"],
        "method": "POST",
        "path": "/v1/chat/completions",
        "response_code": 200,
        "duration": 800,
        "downstream_remote_address": f"{row['client_address'] or '192.0.2.1'}:52100",
        "user-agent": row["user_agent"],
        "gen_ai.request.model": row["model"],
        "gen_ai.usage.input_tokens": row["input_tokens"],
        "gen_ai.usage.output_tokens": row["output_tokens"],
    }


def test_a_gateway_log_has_no_prompts_and_says_so(
    few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    lines = [json.dumps(envoy_line(row)) for row in few.slice(0, 300).to_pylist()]
    (tmp_path / "access.jsonl").write_text("\n".join(lines) + "\n")
    report = scan(tmp_path / "access.jsonl", "--log-format", "envoy")
    assert report.scanned.requests == 300
    assert any("no prompts" in sentence for sentence in report.scanned.missing_evidence)


def bedrock_record(row: dict[str, object]) -> dict[str, object]:
    """Write one request as a Bedrock model-invocation log does: no client address."""
    time = row["time"]
    assert isinstance(time, datetime)
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": f"{time:%Y-%m-%dT%H:%M:%SZ}",
        "accountId": row["account_id"],
        "identity": {"arn": "arn:aws:iam::111122223333:user/example"},
        "region": "us-east-1",
        "requestId": row["request_id"],
        "operation": "Converse",
        "modelId": "example.large-v1:0",
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": row["prompt"]}]}]},
            "inputTokenCount": row["input_tokens"],
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": {"stopReason": "end_turn"},
            "outputTokenCount": row["output_tokens"],
        },
    }


def test_a_bedrock_log_has_no_addresses_and_says_so(
    few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    rows = [row for row in few.to_pylist() if row["prompt"]][:300]
    (tmp_path / "bedrock.jsonl").write_text("\n".join(json.dumps(bedrock_record(row)) for row in rows) + "\n")
    report = scan(tmp_path / "bedrock.jsonl")
    assert (report.scanned.requests, dict(report.scanned.formats)) == (300, {"bedrock": 300})
    assert any("no client addresses" in sentence for sentence in report.scanned.missing_evidence)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no logs were named"),
        (["logs", "--replay", "1w"], "--replay"),
        (["logs", "--no-such-flag"], "no-such-flag"),
        (["logs", "--format", "pdf"], "pdf"),
        (["logs", "--fdr", "7"], "fdr"),
    ],
)
def test_a_wrong_command_line_ends_with_code_2_and_says_why(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", *words]) == 2
    assert said in capsys.readouterr().err


def test_logs_that_are_not_there_are_an_error_with_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) in {1, 3}
    said = capsys.readouterr().err
    assert "nowhere" in said
    assert "help:" in said


def test_a_state_made_with_other_rules_is_refused(
    few: pa.Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(few, tmp_path / "logs.parquet")
    state = tmp_path / "state"
    state.mkdir()
    (state / "manifest.json").write_text(json.dumps({"state_version": 1, "rules": "others"}))
    words = ["scan", str(tmp_path / "logs.parquet"), "--state", str(state), "--out", str(tmp_path / "out")]
    assert main(words) == 1
    assert "rules" in capsys.readouterr().err


def test_two_scans_on_one_state_do_not_mix(
    few: pa.Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(few, tmp_path / "logs.parquet")
    words = ["scan", str(tmp_path / "logs.parquet"), "--state", str(tmp_path / "state")]
    with held(tmp_path / "state"):
        assert main([*words, "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "in use by process" in said
    assert "help:" in said
    assert main([*words, "--out", str(tmp_path / "out"), "--no-exit-codes"]) == 0


def test_a_state_is_no_baseline_of_itself(
    few: pa.Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(few, tmp_path / "logs.parquet")
    words = ["scan", str(tmp_path / "logs.parquet"), "--state", str(tmp_path / "state")]
    assert main([*words, "--out", str(tmp_path / "out"), "--no-exit-codes"]) == 0
    assert main([*words, "--out", str(tmp_path / "out"), "--baseline", str(tmp_path / "state")]) == 2
    assert "both the state and the baseline" in capsys.readouterr().err


def test_a_state_folder_serves_as_a_baseline(
    few: pa.Table, tmp_path: Path, scan: Callable[..., ScanReport]
) -> None:
    pq.write_table(few, tmp_path / "logs.parquet")
    scan(tmp_path / "logs.parquet", "--state", tmp_path / "state")
    report = scan(tmp_path / "logs.parquet", "--baseline", tmp_path / "state")
    assert report.calibration.mode == "baseline"
    assert report.baseline is None


def test_limits_of_reading_come_from_the_settings(
    few: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = few.slice(0, 200).to_pylist()
    longest = max(len((row["prompt"] or "").encode()) for row in rows)
    (tmp_path / "logs.jsonl").write_bytes(json_lines(few.slice(0, 200)))
    monkeypatch.setenv("STILLWATCH_READ__MAX_PROMPT_BYTES", str(longest - 1))
    words = ["scan", str(tmp_path / "logs.jsonl"), "--out", str(tmp_path / "out"), "--no-exit-codes"]
    assert main([*words, "--max-rejected", "1"]) == 0
    refused = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    assert refused
    assert {one["reason"] for one in refused} == {"text_too_long"}
