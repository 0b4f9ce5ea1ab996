"""What a scan is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stillwatch.detect.logs import ReadLimits, ReadSummary
from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.findings import ScanReport
from stillwatch.domain.labels import NOBODY, LabeledAccounts


@dataclass(frozen=True)
class ScanOptions:
    """What a scan was asked to do.

    Args:
        logs: Files, folders, globs, object stores or `-`.
        accounts: The accounts table.
        authorizations: A file of recorded permissions.
        permitted: Recorded permissions besides those of the file.
        rules: Folders with further elicitation rules; empty for the shipped ones only.
        log_format: Forces a log format.
        columns: Own name of a canonical column, where the logs use another.
        state: Keeps facts and profiles for the next scan.
        baseline: Logs, or a state folder, of a period that is believed ordinary.
        baseline_accounts: The accounts table of that period.
        replay_days: Length of a replay step in days; None judges the whole window at once.
        fdr: Nominal false-discovery rate.
        engine: URL of the profile engine.
        threads: Worker threads.
        memory_gib: Memory of the embedded engine.
        labeled: What people said of accounts, for calibration.
        limits: What is believed of a log, and how much memory reading may use.
        now: The present, for timestamps in the future.
    """

    logs: Sequence[str]
    accounts: str | None = None
    authorizations: str | None = None
    permitted: Sequence[Authorization] = ()
    rules: Sequence[Path] = ()
    log_format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    state: Path | None = None
    baseline: str | None = None
    baseline_accounts: str | None = None
    replay_days: int | None = None
    fdr: float = 0.05
    engine: str = "duckdb://"
    threads: int = 2
    memory_gib: float = 2.0
    labeled: LabeledAccounts = NOBODY
    limits: ReadLimits = field(default_factory=ReadLimits)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class ScanResult:
    """What a scan found.

    Args:
        report: The findings and everything beside them.
        account_ids: Every account seen.
        extraction_share: Share of extraction of flagged accounts, by id.
        read: What was read, without the baseline.
        seconds: Wall seconds by stage.
        p_values: P-value of distillation-shaped demand of every cluster and lone account that was tested.
    """

    report: ScanReport
    account_ids: tuple[str, ...]
    extraction_share: dict[str, float]
    read: ReadSummary
    seconds: dict[str, float]
    p_values: tuple[float, ...] = ()
