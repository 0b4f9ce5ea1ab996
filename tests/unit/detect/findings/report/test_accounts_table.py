import io

import pyarrow.parquet as pq
import pytest

from stillwatch.detect.findings.report.accounts_table import (
    ACCOUNT_VERDICTS,
    account_rows,
    write_account_rows,
)
from stillwatch.domain.findings import ScanReport, Severity


def test_every_account_seen_has_one_row(report: ScanReport) -> None:
    rows = account_rows(report, ["ordinary-1", "ordinary-2"])
    flagged = {a for f in (*report.findings, *report.authorized) for a in f.accounts}
    assert rows.num_rows == len(flagged) + 2
    assert rows["account_id"].to_pylist() == sorted({*flagged, "ordinary-1", "ordinary-2"})


def test_an_ordinary_account_carries_nothing_but_its_id(report: ScanReport) -> None:
    row = account_rows(report.model_copy(update={"findings": (), "authorized": ()}), ["a"]).to_pylist()[0]
    assert row.pop("account_id") == "a"
    assert set(row.values()) == {None}


def test_an_authorized_account_has_a_label_but_no_severity(report: ScanReport) -> None:
    account = report.authorized[0].accounts[0]
    row = next(r for r in account_rows(report, []).to_pylist() if r["account_id"] == account)
    assert (row["label"], row["severity"], row["detected_at"]) == ("authorized", None, None)


def test_an_account_in_two_findings_takes_the_severe_one(report: ScanReport) -> None:
    mild = report.findings[0].model_copy(update={"severity": Severity.LOW, "campaign_id": "c-mild"})
    both = report.model_copy(update={"findings": (report.findings[0], mild)})
    assert set(account_rows(both, [])["campaign_id"].to_pylist()) >= {report.findings[0].campaign_id}
    assert "c-mild" not in account_rows(both, [])["campaign_id"].to_pylist()


def test_an_accounts_own_extraction_share_wins_over_its_findings(report: ScanReport) -> None:
    account = report.findings[0].accounts[0]
    rows = {r["account_id"]: r for r in account_rows(report, [], {account: 0.25}).to_pylist()}
    assert rows[account]["extraction_share"] == pytest.approx(0.25)
    assert rows[report.findings[0].accounts[1]]["extraction_share"] == pytest.approx(0.96)


def test_the_file_has_the_published_columns_whatever_order_it_was_given(report: ScanReport) -> None:
    rows = account_rows(report, ["x"])
    stream = io.BytesIO()
    write_account_rows(rows.select(list(reversed(rows.column_names))), stream)
    assert pq.read_schema(io.BytesIO(stream.getvalue())).names == ACCOUNT_VERDICTS.names


def test_a_low_finding_leaves_no_detection_time(report: ScanReport) -> None:
    low = report.findings[0].model_copy(update={"severity": Severity.LOW})
    rows = account_rows(report.model_copy(update={"findings": (low,)}), []).to_pylist()
    row = next(r for r in rows if r["account_id"] == low.accounts[0])
    assert (row["severity"], row["detected_at"]) == ("low", None)
