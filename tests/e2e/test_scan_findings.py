"""What a scan finds in a lab with one campaign, and in a lab without."""

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace as Lab

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from stillwatch.cli import main
from stillwatch.detect.findings.report.accounts_table import ACCOUNT_VERDICTS
from stillwatch.domain.findings import (
    AuthorizationStatus,
    Confidence,
    EvidenceKind,
    Finding,
    Label,
    ScanReport,
    Severity,
)

pytestmark = pytest.mark.xdist_group("scans")


def report_of(out: Path) -> ScanReport:
    """Read what a scan wrote."""
    return ScanReport.model_validate_json((out / "findings.json").read_text(encoding="utf-8"))


def campaign_in(report: ScanReport, accounts: frozenset[str]) -> Finding:
    """Return the finding that holds at least half of the accounts."""
    found = [one for one in report.findings if len(accounts & set(one.accounts)) >= len(accounts) / 2]
    assert found, "the campaign was not found"
    return found[0]


def test_the_campaign_is_found_with_its_accounts_and_hardly_others(lab: Lab, scanned_lab: Path) -> None:
    found = set(campaign_in(report_of(scanned_lab), lab.campaign).accounts)
    assert len(found & lab.campaign) / len(lab.campaign) >= 0.9
    assert len(found & lab.campaign) / len(found) >= 0.95


def test_nobody_else_is_found_at_medium_or_above(lab: Lab, scanned_lab: Path) -> None:
    reported = [one for one in report_of(scanned_lab).findings if one.severity is not Severity.LOW]
    assert len(reported) == 1


def test_the_campaign_is_called_distillation_with_its_scale(lab: Lab, scanned_lab: Path) -> None:
    found = campaign_in(report_of(scanned_lab), lab.campaign)
    assert found.label is Label.DISTILLATION
    assert found.severity is not Severity.LOW
    assert found.confidence is not Confidence.LOW
    assert any("exchanges" in reason for reason in found.severity_reasons)
    assert any("one operator" in reason for reason in found.severity_reasons)


def test_the_extraction_interval_covers_the_truth(lab: Lab, scanned_lab: Path) -> None:
    found = campaign_in(report_of(scanned_lab), lab.campaign)
    requests = pq.read_table(lab.folder / "requests", columns=["request_id", "account_id"]).to_pylist()
    extraction = set(
        pq.read_table(lab.folder / "truth-extraction-requests.parquet")["request_id"].to_pylist()
    )
    own = [row["request_id"] in extraction for row in requests if row["account_id"] in found.accounts]
    assert found.exchanges == len(own)
    assert found.extraction is not None
    assert found.extraction.low <= sum(own) / len(own) <= found.extraction.high


def test_the_finding_shows_its_evidence_and_what_is_innocent(lab: Lab, scanned_lab: Path) -> None:
    found = campaign_in(report_of(scanned_lab), lab.campaign)
    kinds = {one.kind for one in found.evidence}
    assert kinds == {EvidenceKind.LINK, EvidenceKind.SIGNAL}
    assert all(one.sentence and one.compared_with for one in found.evidence)
    assert len(found.innocent) >= 4
    assert sum(point.exchanges for point in found.timeline) == found.exchanges
    assert sum(found.models.values()) == found.exchanges
    assert found.graph.total_nodes == len(found.accounts)
    assert found.first_seen <= found.last_seen


def test_exemplars_are_redacted(lab: Lab, scanned_lab: Path) -> None:
    found = campaign_in(report_of(scanned_lab), lab.campaign)
    prompts = set(pq.read_table(lab.folder / "requests", columns=["prompt"])["prompt"].to_pylist())
    assert found.exemplars
    assert all(exemplar.text not in prompts for exemplar in found.exemplars)
    assert all(len(exemplar.text) <= 400 for exemplar in found.exemplars)


def test_the_accounts_table_says_who_is_in_the_finding(lab: Lab, scanned_lab: Path) -> None:
    found = campaign_in(report_of(scanned_lab), lab.campaign)
    table = pq.read_table(scanned_lab / "accounts.parquet")
    assert table.schema.equals(ACCOUNT_VERDICTS)
    rows = {row["account_id"]: row for row in table.to_pylist()}
    for account in found.accounts:
        row = rows.pop(account)
        assert (row["label"], row["campaign_id"]) == ("distillation", found.campaign_id)
        assert (row["severity"], row["q_value"]) == (found.severity.value, found.q_value)
        assert 0 <= row["extraction_share"] <= 1
        assert row["detected_at"] == found.detected_at
    others = [row for account, row in rows.items() if account not in lab.licensed and row["label"] is None]
    assert all(set(row.values()) == {row["account_id"], None} for row in others)
    assert len(others) > 500


def test_licensed_distillation_is_reported_as_authorized_and_never_found(lab: Lab, scanned_lab: Path) -> None:
    report = report_of(scanned_lab)
    assert lab.licensed
    assert not lab.licensed & {account for one in report.findings for account in one.accounts}
    assert lab.licensed <= {account for one in report.authorized for account in one.accounts}
    rows = {row["account_id"]: row for row in pq.read_table(scanned_lab / "accounts.parquet").to_pylist()}
    assert {rows[account]["label"] for account in lab.licensed} == {"authorized"}
    assert {rows[account]["severity"] for account in lab.licensed} == {None}


def test_a_lab_without_campaigns_has_no_finding_at_medium_or_above(quiet_lab: Lab, tmp_path: Path) -> None:
    assert main([*quiet_lab.words, "--out", str(tmp_path)]) in {0, 11}
    assert all(one.severity is Severity.LOW for one in report_of(tmp_path).findings)


def test_the_exit_code_says_how_severe(lab: Lab, scanned_lab: Path, tmp_path: Path) -> None:
    worst = report_of(scanned_lab).worst
    assert worst is not None
    codes = {Severity.LOW: 11, Severity.MEDIUM: 12, Severity.HIGH: 13, Severity.CRITICAL: 14}
    assert main([*lab.words, "--out", str(tmp_path)]) == codes[worst]


def test_a_replay_says_at_the_end_of_which_day_the_campaign_was_seen(
    lab: Lab, scanned_lab: Path, tmp_path: Path
) -> None:
    assert main([*lab.words, "--out", str(tmp_path), "--replay", "1d", "--no-exit-codes"]) == 0
    report = report_of(tmp_path)
    ends = [step.step_end for step in report.replay]
    assert [end - start for start, end in itertools.pairwise(ends)] == [timedelta(days=1)] * (len(ends) - 1)
    assert all((end.hour, end.minute, end.second) == (0, 0, 0) for end in ends)
    found = campaign_in(report, lab.campaign)
    assert found.detected_at in ends
    assert found.detected_at is not None
    assert found.first_seen < found.detected_at <= ends[-1]
    assert any(found.finding_id in step.findings for step in report.replay)
    whole = campaign_in(report_of(scanned_lab), lab.campaign)
    assert set(found.accounts) == set(whole.accounts)
    assert found.q_value == pytest.approx(whole.q_value)


@pytest.mark.parametrize("with_accounts", [True, False])
def test_a_baseline_finds_the_campaign_as_well(
    lab: Lab, quiet_lab: Lab, tmp_path: Path, *, with_accounts: bool
) -> None:
    for name in ("requests", "accounts.parquet"):  # the same seed made the same ids as in the lab
        renamed = pq.read_table(quiet_lab.folder / name)
        ids = pc.binary_join_element_wise("last-month", renamed["account_id"], "-")
        place = renamed.column_names.index("account_id")
        pq.write_table(renamed.set_column(place, "account_id", ids), tmp_path / f"quiet-{name}")
    words = [*lab.words, "--out", str(tmp_path), "--baseline", str(tmp_path / "quiet-requests")]
    if with_accounts:
        words += ["--baseline-accounts", str(tmp_path / "quiet-accounts.parquet")]
    assert main([*words, "--no-exit-codes"]) == 0
    report = report_of(tmp_path)
    assert report.calibration.mode == "baseline"
    assert report.calibration.reference_clusters > 0
    left_out = [one for one in report.scanned.missing_evidence if "--baseline-accounts" in one]
    assert len(left_out) == (0 if with_accounts else 1)
    found = campaign_in(report, lab.campaign)
    assert len(set(found.accounts) & lab.campaign) / len(lab.campaign) >= 0.9


def test_what_was_refused_of_the_baseline_is_counted_apart(
    lab: Lab, quiet_lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = pq.read_table(lab.folder / "requests").slice(0, 1_500)
    pq.write_table(few, tmp_path / "few.parquet")
    others = pq.read_table(quiet_lab.folder / "requests").slice(0, 1_000).to_pylist()
    lines = [json.dumps(row, default=str) for row in others] + ["{broken"] * 600
    (tmp_path / "baseline.jsonl").write_text("\n".join(lines) + "\n")
    words = ["scan", str(tmp_path / "few.parquet"), "--baseline", str(tmp_path / "baseline.jsonl")]
    assert main([*words, "--out", str(tmp_path / "out"), "--no-exit-codes"]) == 0
    report = report_of(tmp_path / "out")
    assert report.scanned.rejected == 0
    assert report.baseline is not None
    assert (report.baseline.requests, report.baseline.rejected) == (1_000, 600)
    assert "baseline: 1,000 requests; 600 lines rejected" in capsys.readouterr().out
    assert (tmp_path / "out" / "rejected.jsonl").read_text() == ""
    refused = [
        json.loads(line) for line in (tmp_path / "out" / "rejected-baseline.jsonl").read_text().splitlines()
    ]
    assert sum(one["count"] for one in refused) == 600


def test_accounts_of_a_baseline_without_a_baseline_are_refused(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*lab.words, "--baseline-accounts", "accounts.parquet"]) == 2
    assert "--baseline" in capsys.readouterr().err


def test_timings_say_what_reading_cost_apart_from_the_rest(lab: Lab, tmp_path: Path) -> None:
    words = [*lab.words, "--out", str(tmp_path), "--timings", str(tmp_path / "timings.json")]
    assert main([*words, "--no-exit-codes"]) == 0
    seconds = json.loads((tmp_path / "timings.json").read_text())
    stages = {
        "prepare",
        "read",
        "fingerprint",
        "profile",
        "links",
        "campaigns",
        "signals",
        "findings",
        "report",
    }
    assert {f"{stage}_s" for stage in stages} <= seconds.keys()
    assert all(value > 0 for value in seconds.values())
    apart = sum(seconds[f"{stage}_s"] for stage in stages)
    assert apart == pytest.approx(seconds["total_s"], rel=0.2)


@pytest.fixture
def scan_with(lab: Lab, tmp_path: Path) -> Callable[..., ScanReport]:
    """Return a scan of the lab under one recorded permission for the campaign's accounts."""

    def run(**over: object) -> ScanReport:
        record = {
            "authorization_id": "AUTH-7",
            "purpose": "research",
            "account_ids": sorted(lab.campaign),
            "starts_on": "2026-01-01",
            "ends_on": "2026-12-31",
            "approved_by": "policy team",
            **over,
        }
        (tmp_path / "permissions.json").write_text(json.dumps([record]))
        words = ["--authorizations", str(tmp_path / "permissions.json"), "--out", str(tmp_path / "out")]
        assert main([*lab.words, *words, "--no-exit-codes"]) == 0
        return report_of(tmp_path / "out")

    return run


def test_what_is_permitted_is_no_finding(lab: Lab, scan_with: Callable[..., ScanReport]) -> None:
    report = scan_with()
    assert not lab.campaign & {account for one in report.findings for account in one.accounts}
    covered = next(one for one in report.authorized if lab.campaign <= set(one.accounts))
    assert covered.label is Label.AUTHORIZED
    assert covered.authorization is not None
    assert covered.authorization.status is AuthorizationStatus.IN_SCOPE


def test_a_permission_that_has_ended_is_noted_on_the_finding(
    lab: Lab, scan_with: Callable[..., ScanReport]
) -> None:
    found = campaign_in(scan_with(ends_on="2026-03-01"), lab.campaign)
    assert found.label is Label.DISTILLATION
    assert found.authorization is not None
    assert found.authorization.status is AuthorizationStatus.OUT_OF_DATE
    assert "2026-03-01" in found.authorization.sentence


def test_more_than_was_permitted_is_noted_on_the_finding(
    lab: Lab, scan_with: Callable[..., ScanReport]
) -> None:
    found = campaign_in(scan_with(max_requests=5), lab.campaign)
    assert found.authorization is not None
    assert found.authorization.status is AuthorizationStatus.OUT_OF_SCOPE


def test_prevalence_adds_up_and_lies_in_its_interval(scanned_lab: Path) -> None:
    report = report_of(scanned_lab)
    overall = [point for point in report.prevalence if point.model is None]
    assert overall
    for point in report.prevalence:
        assert 0 <= point.low <= point.share <= point.high <= 1
        assert point.flagged_requests <= point.requests


def test_a_scan_says_what_it_read(lab: Lab, scanned_lab: Path) -> None:
    scanned = report_of(scanned_lab).scanned
    times = pq.read_table(lab.folder / "requests", columns=["time"])["time"]
    assert scanned.requests == len(times)
    assert (scanned.rejected, scanned.duplicates) == (0, 0)
    assert (scanned.first, scanned.last) == (pc.min(times).as_py(), pc.max(times).as_py())
    assert (scanned.files, dict(scanned.formats)) == (1, {"parquet": len(times)})


def test_an_html_page_can_go_to_standard_output(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = pq.read_table(lab.folder / "requests").slice(0, 1_500)
    pq.write_table(few, tmp_path / "few.parquet")
    words = ["scan", str(tmp_path / "few.parquet"), "--out", str(tmp_path / "out"), "--format", "html"]
    assert main([*words, "--no-exit-codes"]) == 0
    said = capsys.readouterr().out
    assert said.lstrip().startswith("<!doctype html>")
    assert "</html>" in said
