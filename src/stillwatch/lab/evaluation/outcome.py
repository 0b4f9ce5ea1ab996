"""What a scan reported: its findings.json and the accounts.parquet beside it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from stillwatch.errors import InputError
from stillwatch.lab.evaluation.truth import read_columns

SEVERITY_ORDER = ("low", "medium", "high", "critical")
ALARM_SEVERITY = "medium"  # from here on a finding asks a person to act; below it says "observe"
AUTHORIZED = "authorized"
ACCOUNT_COLUMNS = (
    "account_id",
    "label",
    "campaign_id",
    "severity",
    "q_value",
    "extraction_share",
    "detected_at",
)


class Interval(msgspec.Struct, frozen=True):
    """A share with its interval, as a finding states it."""

    share: float
    low: float
    high: float


class _Finding(msgspec.Struct, frozen=True):
    """The fields of a finding that are scored. Others are ignored, so that newer reports can be read too."""

    campaign_id: str
    label: str | None = None
    severity: str | None = None
    accounts: tuple[str, ...] = ()
    detected_at: datetime | None = None
    extraction: Interval | None = None


class _Scanned(msgspec.Struct, frozen=True):
    first: datetime | None = None
    last: datetime | None = None


class _Report(msgspec.Struct, frozen=True):
    findings: tuple[_Finding, ...] = ()
    scanned: _Scanned = _Scanned()


@dataclass(frozen=True, slots=True)
class FlaggedAccount:
    """One account as the scan reported it."""

    account_id: str
    label: str | None
    campaign_id: str | None
    severity: str | None
    q_value: float | None
    detected_at: datetime | None

    def is_at_least(self, severity: str) -> bool:
        """Reported at this severity or above; authorized use is never a finding."""
        return self.label != AUTHORIZED and rank(self.severity) >= rank(severity)


@dataclass(frozen=True)
class ReportedCampaign:
    """Accounts that the scan reported together.

    Args:
        campaign_id: The scan's own id.
        label: distillation or resale.
        severity: The highest that its accounts or its finding carry.
        accounts: Members by id.
        detected_at: The earliest moment one of them was flagged; None if never at medium or above.
        extraction: Estimated share of requests that are extraction, with its interval.
    """

    campaign_id: str
    label: str | None
    severity: str | None
    accounts: frozenset[str]
    detected_at: datetime | None
    extraction: Interval | None


@dataclass(frozen=True)
class Outcome:
    """Everything a scan reported that can be scored."""

    accounts: Mapping[str, FlaggedAccount]
    campaigns: tuple[ReportedCampaign, ...]
    first: datetime | None
    last: datetime | None

    def alarms(self, severity: str = ALARM_SEVERITY) -> tuple[ReportedCampaign, ...]:
        """Reported campaigns at this severity or above."""
        return tuple(each for each in self.campaigns if rank(each.severity) >= rank(severity))

    def flagged(self, severity: str = ALARM_SEVERITY) -> frozenset[str]:
        """Accounts reported at this severity or above."""
        return frozenset(key for key, each in self.accounts.items() if each.is_at_least(severity))


def rank(severity: str | None) -> int:
    """Position of a severity on its scale; -1 for an account that is not reported."""
    return SEVERITY_ORDER.index(severity) if severity in SEVERITY_ORDER else -1


def load_outcome(findings: Path) -> Outcome:
    """Read a scan's output folder, or its findings.json with accounts.parquet beside it.

    Raises:
        InputError: There is no findings.json, or it is not a scan's report.
        MissingColumnsError: accounts.parquet lacks a column.
    """
    file = findings / "findings.json" if findings.is_dir() else findings
    report = _read_report(file)
    table = file.parent / "accounts.parquet"
    accounts = _read_accounts(table) if table.is_file() else _accounts_of(report)
    campaigns = _campaigns(accounts, {each.campaign_id: each for each in report.findings})
    return Outcome(accounts, campaigns, report.scanned.first, report.scanned.last)


def _read_report(file: Path) -> _Report:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Report)
    except OSError as problem:
        raise InputError(
            f"cannot read {file}: {problem.strerror}", hint="give a scan's --out folder"
        ) from problem
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise InputError(
            f"{file} is not a scan's report: {problem}", hint="give a scan's --out folder"
        ) from problem


def _read_accounts(file: Path) -> dict[str, FlaggedAccount]:
    return {row["account_id"]: _flagged(row) for row in read_columns(file, ACCOUNT_COLUMNS).to_pylist()}


def _flagged(row: Mapping[str, Any]) -> FlaggedAccount:
    return FlaggedAccount(
        account_id=row["account_id"],
        label=row["label"],
        campaign_id=row["campaign_id"],
        severity=row["severity"],
        q_value=row["q_value"],
        detected_at=_in_utc(row["detected_at"]),
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _accounts_of(report: _Report) -> dict[str, FlaggedAccount]:
    return {
        account: FlaggedAccount(
            account, each.label, each.campaign_id, each.severity, None, _in_utc(each.detected_at)
        )
        for each in report.findings
        for account in each.accounts
    }


def _campaigns(
    accounts: Mapping[str, FlaggedAccount], findings: Mapping[str, _Finding]
) -> tuple[ReportedCampaign, ...]:
    members: dict[str, list[FlaggedAccount]] = defaultdict(list)
    for account in accounts.values():
        if account.campaign_id is not None and account.is_at_least("low"):
            members[account.campaign_id].append(account)
    return tuple(_campaign(key, members[key], findings.get(key)) for key in sorted(members))


def _campaign(campaign_id: str, members: list[FlaggedAccount], finding: _Finding | None) -> ReportedCampaign:
    labels = [account.label for account in members if account.label is not None]
    moments = [account.detected_at for account in members if account.detected_at is not None]
    fallback = None if finding is None else _in_utc(finding.detected_at)
    return ReportedCampaign(
        campaign_id=campaign_id,
        label=max(sorted(set(labels)), key=labels.count) if labels else None,
        severity=max((account.severity for account in members), key=rank),
        accounts=frozenset(account.account_id for account in members),
        detected_at=min(moments) if moments else fallback,
        extraction=None if finding is None else finding.extraction,
    )
