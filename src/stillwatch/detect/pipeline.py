"""A scan from end to end: logs to facts to profiles to findings."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from stillwatch import __version__
from stillwatch.detect.baseline.period import BaselinePeriod, compare_with
from stillwatch.detect.findings.assemble import build_finding
from stillwatch.detect.findings.authorized import authorized_findings
from stillwatch.detect.findings.permissions import Permissions
from stillwatch.detect.findings.summaries import calibration_summary, prevalence_of, service_load_of
from stillwatch.detect.intake import Intake, Say
from stillwatch.detect.judging import Judged, Judging
from stillwatch.detect.logs import (
    AccountTable,
    ReadSummary,
    RejectedLog,
    load_accounts,
    read_authorizations,
)
from stillwatch.detect.options import ScanOptions, ScanResult
from stillwatch.detect.profiles.lock import MANIFEST, held
from stillwatch.detect.profiles.state import State
from stillwatch.detect.timing import Stopwatch
from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.findings import Finding, InputSummary, ScanReport
from stillwatch.errors import NothingToReadError, UsageError

__all__ = ["ScanOptions", "ScanResult", "judge_state", "scan"]

NO_ACCOUNTS = (
    "no accounts table: payment, e-mail domain, creation and closure cannot be compared (--accounts)"
)


def _silent(_message: str) -> None:
    """Say nothing."""


def scan(
    options: ScanOptions,
    rejected: RejectedLog,
    *,
    baseline_rejected: RejectedLog | None = None,
    say: Say = _silent,
) -> ScanResult:
    """Scan request logs for campaigns.

    Args:
        options: What to scan and how.
        rejected: Where refused lines go.
        baseline_rejected: Where refused lines of the baseline go; None only counts them.
        say: Told about progress, in a few words.

    Raises:
        StillwatchError: An input cannot be used; see `stillwatch.errors`.
    """
    work = Path(tempfile.mkdtemp(prefix="stillwatch-"))
    try:
        with held(options.state or work / "state", now=options.now), _held_baseline(options):
            return _Scan(options, rejected, baseline_rejected or RejectedLog(), work, say).run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _baseline_state(options: ScanOptions) -> Path | None:
    """Return the baseline's state folder; None where the baseline is logs."""
    root = Path(options.baseline) if options.baseline else None
    return root if root is not None and (root / MANIFEST).exists() else None


def _held_baseline(options: ScanOptions) -> AbstractContextManager[None]:
    """Keep others from writing to the baseline's state folder while it is read."""
    root = _baseline_state(options)
    if root is None:
        return nullcontext()
    if options.state is not None and options.state.resolve() == root.resolve():
        raise UsageError(
            f"{root} is both the state and the baseline",
            hint="give the state folder of an earlier, ordinary period, or leave --baseline out",
        )
    return held(root, shared=True, now=options.now)


def judge_state(
    options: ScanOptions, state: State, summary: ReadSummary, *, say: Say = _silent
) -> ScanResult:
    """Judge a state that is kept up to date by somebody else, as a live node does in each round.

    Args:
        options: How to judge; `logs` are not used.
        state: Facts and profiles, with at least one day; whoever keeps it up to date holds its lock.
        summary: What was read into it, as far as that is known.
        say: Told about progress, in a few words.

    Raises:
        StillwatchError: An input cannot be used; see `stillwatch.errors`.
    """
    work = Path(tempfile.mkdtemp(prefix="stillwatch-"))
    try:
        with _held_baseline(options):
            one = _Scan(options, RejectedLog(), RejectedLog(), work, say)
            one.read_tables()
            return one.judge(state, summary)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Scan:
    """One scan while it runs."""

    def __init__(
        self,
        options: ScanOptions,
        rejected: RejectedLog,
        baseline_rejected: RejectedLog,
        work: Path,
        say: Say,
    ) -> None:
        self.options = options
        self.rejected = rejected
        self.baseline_rejected = baseline_rejected
        self.work = work
        self.say = say
        self.watch = Stopwatch()
        self.records: tuple[Authorization, ...] = ()
        self.accounts: AccountTable | None = None

    @cached_property
    def intake(self) -> Intake:
        """What reads logs; made when there are logs to read."""
        return Intake(self.options, self.watch, self.say)

    def run(self) -> ScanResult:
        options = self.options
        self.read_tables()
        state = self.intake.open_state(options.state or self.work / "state")
        summary = self.intake.read(state, options.logs, self.rejected)
        if not state.days():
            raise NothingToReadError(
                "the logs hold no requests", hint="name files or folders that hold request logs"
            )
        return self.judge(state, summary)

    def read_tables(self) -> None:
        """Read what is known besides the requests."""
        with self.watch("prepare"):
            self.records = tuple(self.options.permitted)
            if self.options.authorizations:
                self.records = (*read_authorizations(self.options.authorizations), *self.records)
            if self.options.accounts:
                self.accounts = load_accounts(self.options.accounts, rejected=self.rejected)

    def judge(self, state: State, summary: ReadSummary) -> ScanResult:
        """Judge profiles that are there."""
        options = self.options
        table = self.accounts.table if self.accounts else None
        baseline = self._baseline(state)
        permissions = Permissions(table, self.records)
        judged = Judging(options, state, table, permissions, baseline, self.watch, self.say).run()
        return self._result(state, judged, summary, baseline)

    def _baseline(self, state: State) -> BaselinePeriod | None:
        """Open or read the baseline period, if there is one."""
        options = self.options
        if options.baseline is None:
            return None
        own = None
        with self.watch("prepare"):
            if options.baseline_accounts:
                own = load_accounts(options.baseline_accounts, rejected=self.baseline_rejected)
        root = _baseline_state(options)
        if root is not None:
            period, read = self.intake.open_state(root), None
        else:
            period, read = self._read_baseline(options.baseline)
        with self.watch("prepare"):
            return compare_with(
                period,
                state,
                accounts=self.accounts,
                baseline_accounts=own,
                records=self.records,
                read=read,
                threads=options.threads,
            )

    def _read_baseline(self, logs: str) -> tuple[State, InputSummary]:
        self.say("reading the baseline")
        baseline = self.intake.open_state(self.work / "baseline")
        summary = self.intake.read(baseline, [logs], self.baseline_rejected)
        if not baseline.days():
            raise NothingToReadError(f"the baseline {logs} holds no requests")
        return baseline, InputSummary(
            files=summary.files,
            requests=summary.rows - baseline.duplicates,
            rejected=self.baseline_rejected.total,
            duplicates=baseline.duplicates,
            formats=dict(summary.formats),
            missing_evidence=summary.missing_evidence,
        )

    def _result(
        self,
        state: State,
        judged: Judged,
        summary: ReadSummary,
        baseline: BaselinePeriod | None,
    ) -> ScanResult:
        """Write down what was found, and everything beside it."""
        with self.watch("findings"):
            findings = _findings(state, judged)
            report = self._report(state, judged, findings, summary, baseline)
        population = judged.seen.population
        shares = {
            str(population.account_ids[place]): share
            for one in judged.flagged
            for place, share in one.own_share.items()
        }
        return ScanResult(
            report,
            tuple(str(one) for one in population.account_ids),
            shares,
            summary,
            {**self.watch.seconds, "total": self.watch.elapsed},
            tuple(judged.verdicts.p_distillation.tolist()),
        )

    def _report(
        self,
        state: State,
        judged: Judged,
        findings: list[Finding],
        summary: ReadSummary,
        baseline: BaselinePeriod | None,
    ) -> ScanReport:
        seen, verdicts, flagged = judged.seen, judged.verdicts, judged.flagged
        missing = (
            *summary.missing_evidence,
            *self._account_notes(),
            *(baseline.sentences if baseline else ()),
        )
        return ScanReport(
            tool_version=__version__,
            generated_at=self.options.now,
            scanned=self._scanned(state, judged, summary, missing),
            baseline=baseline.read if baseline else None,
            calibration=calibration_summary(
                verdicts, seen, self.options.fdr, with_baseline=baseline is not None
            ),
            findings=tuple(findings),
            authorized=authorized_findings(seen, judged.notes),
            prevalence=prevalence_of(seen, flagged),
            service_load=service_load_of(seen, flagged),
            replay=judged.replay,
        )

    def _scanned(
        self, state: State, judged: Judged, summary: ReadSummary, missing: tuple[str, ...]
    ) -> InputSummary:
        population = judged.seen.population
        first, last = (
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=one)
            for one in (population.first_us, population.last_us)
        )
        return InputSummary(
            files=summary.files,
            requests=int(population.totals["requests"].sum()),
            rejected=self.rejected.total,
            duplicates=state.duplicates,
            accounts=len(population),
            first=first,
            last=last,
            formats=dict(summary.formats),
            missing_evidence=missing,
        )

    def _account_notes(self) -> tuple[str, ...]:
        return (NO_ACCOUNTS,) if self.accounts is None else tuple(self.accounts.notes)


def _findings(state: State, judged: Judged) -> list[Finding]:
    """Write every finding, the gravest first."""
    table = state.names()
    columns = (table[name].to_pylist() for name in ("kind", "value", "text"))
    names = {(kind, value): text for kind, value, text in zip(*columns, strict=True)}
    findings = [
        build_finding(
            judged.seen,
            one,
            campaign_id=campaign,
            detected_at=judged.first_flagged.get(campaign),
            names=names,
            notes=judged.notes,
        )
        for one, campaign in zip(judged.flagged, judged.campaigns, strict=True)
    ]
    return sorted(findings, key=lambda one: (-one.severity.rank, one.q_value, -one.exchanges, one.finding_id))
