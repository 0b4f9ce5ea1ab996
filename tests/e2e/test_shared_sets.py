"""The labeled log sets beside the checkout: what must be found in them, and what must not."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stillwatch.cli import main
from stillwatch.domain.findings import Finding, Label, ScanReport, Severity

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shared")]

DISTILLATION = ("bulk-1", "deepseek-like", "gtig-like", "minimax-like", "moonshot-like", "qwen-like")
RESALE = ("relay-mixed", "resale")
NEVER_FLAGGED = {
    "coding_agent", "course_cohort", "evaluation", "franchise_tenant", "judge", "pipeline", "university_nat",
}  # fmt: skip


def scanned(folder: Path, out: Path) -> ScanReport:
    """Scan a set once."""
    words = ["scan", str(folder / "requests"), "--accounts", str(folder / "accounts.parquet")]
    assert main([*words, "--out", str(out), "--no-exit-codes"]) == 0
    return ScanReport.model_validate_json((out / "findings.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def report(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ScanReport:
    """Scan the set with campaigns."""
    return scanned(shared_data / "dev", tmp_path_factory.mktemp("dev"))


@pytest.fixture(scope="module")
def truth(shared_data: Path) -> dict[str, dict[str, object]]:
    """Return who is who."""
    rows = pq.read_table(shared_data / "dev" / "truth.parquet").to_pylist()
    return {row["account_id"]: row for row in rows}


def members(truth: dict[str, dict[str, object]], campaign: str) -> set[str]:
    """Return the accounts of a campaign."""
    return {account for account, row in truth.items() if str(row["campaign_id"]).endswith(campaign)}


def finding_of(report: ScanReport, accounts: set[str]) -> Finding:
    """Return the finding that holds at least half of the accounts."""
    found = [one for one in report.findings if len(accounts & set(one.accounts)) >= len(accounts) / 2]
    assert found, "the campaign was not found"
    return found[0]


@pytest.mark.parametrize("campaign", DISTILLATION)
def test_a_distillation_campaign_is_found_whole_and_pure(
    campaign: str, report: ScanReport, truth: dict[str, dict[str, object]]
) -> None:
    accounts = members(truth, campaign)
    found = finding_of(report, accounts)
    assert found.label is Label.DISTILLATION
    assert len(accounts & set(found.accounts)) / len(accounts) >= 0.9
    assert len(accounts & set(found.accounts)) / len(found.accounts) >= 0.95


@pytest.mark.parametrize("campaign", RESALE)
def test_resold_access_is_found_as_such(
    campaign: str, report: ScanReport, truth: dict[str, dict[str, object]]
) -> None:
    accounts = members(truth, campaign)
    found = finding_of(report, accounts)
    assert found.label is Label.RESALE
    assert len(accounts & set(found.accounts)) / len(found.accounts) >= 0.8


def test_hardly_an_ordinary_account_is_flagged_and_none_of_those_at_risk(
    report: ScanReport, truth: dict[str, dict[str, object]]
) -> None:
    reported = [one for one in report.findings if one.severity is not Severity.LOW]
    flagged = {account for one in reported for account in one.accounts}
    benign = {account for account, row in truth.items() if row["label"] == "benign"}
    assert len(flagged & benign) / len(benign) <= 0.5 / 1_000
    assert not {str(truth[account]["archetype"]) for account in flagged & benign} & NEVER_FLAGGED


def test_the_quiet_set_has_no_finding_at_medium_or_above(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    report = scanned(shared_data / "dev-quiet", tmp_path_factory.mktemp("quiet"))
    assert all(one.severity is Severity.LOW for one in report.findings)
