"""A scan from end to end: logs to facts to profiles to findings."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from stillwatch import __version__
from stillwatch.detect.campaigns.tracking import campaign_ids
from stillwatch.detect.findings.assemble import Flagged, build_finding, flag
from stillwatch.detect.findings.authorized import authorized_findings
from stillwatch.detect.findings.detection import Look, Verdicts, judge, look
from stillwatch.detect.findings.permissions import Permissions, usage_of
from stillwatch.detect.findings.summaries import calibration_summary, prevalence_of, service_load_of
from stillwatch.detect.fingerprints.elicitation import ElicitationMatcher, load_rules
from stillwatch.detect.fingerprints.elicitation.rule import Rule
from stillwatch.detect.fingerprints.stage import fingerprinted
from stillwatch.detect.logs import (
    ReadLimits,
    ReadSummary,
    RejectedLog,
    load_accounts,
    read_authorizations,
    read_requests,
)
from stillwatch.detect.profiles.engine import open_engine
from stillwatch.detect.profiles.population import load_population
from stillwatch.detect.profiles.state import State
from stillwatch.detect.timing import Stopwatch
from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.findings import (
    AuthorizationNote,
    AuthorizationStatus,
    Finding,
    InputSummary,
    ReplayStep,
    ScanReport,
    Severity,
)
from stillwatch.errors import NothingToReadError

EPOCH = date(1970, 1, 1)
Say = Callable[[str], None]


def rules_digest(rules: Sequence[Rule]) -> str:
    """Name a set of rules, so that facts made with other rules are not mixed in."""
    text = "\n".join(rule.model_dump_json() for rule in sorted(rules, key=lambda one: str(one.id)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _silent(_message: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class ScanOptions:
    """What a scan was asked to do.

    Args:
        logs: Files, folders, globs, object stores or `-`.
        accounts: The accounts table.
        authorizations: Recorded permissions.
        rules: Folders with further elicitation rules; empty for the shipped ones only.
        log_format: Forces a log format.
        columns: Own name of a canonical column, where the logs use another.
        state: Keeps facts and profiles for the next scan.
        baseline: Logs, or a state folder, of a period that is believed ordinary.
        replay_days: Length of a replay step in days; None judges the whole window at once.
        fdr: Nominal false-discovery rate.
        engine: URL of the profile engine.
        threads: Worker threads.
        memory_gib: Memory of the embedded engine.
        now: The present, for timestamps in the future.
    """

    logs: Sequence[str]
    accounts: str | None = None
    authorizations: str | None = None
    rules: Sequence[Path] = ()
    log_format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    state: Path | None = None
    baseline: str | None = None
    replay_days: int | None = None
    fdr: float = 0.05
    engine: str = "duckdb://"
    threads: int = 2
    memory_gib: float = 2.0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class ScanResult:
    """What a scan found.

    Args:
        report: The findings and everything beside them.
        account_ids: Every account seen.
        extraction_share: Share of extraction of flagged accounts, by id.
        read: What was read.
        seconds: Wall seconds by stage.
        p_values: P-value of distillation-shaped demand of every cluster and lone account that was tested.
    """

    report: ScanReport
    account_ids: tuple[str, ...]
    extraction_share: dict[str, float]
    read: ReadSummary
    seconds: dict[str, float]
    p_values: tuple[float, ...] = ()


def scan(options: ScanOptions, rejected: RejectedLog, *, say: Say = _silent) -> ScanResult:
    """Scan request logs for campaigns.

    Args:
        options: What to scan and how.
        rejected: Where refused lines go.
        say: Told about progress, in a few words.

    Raises:
        StillwatchError: An input cannot be used; see `stillwatch.errors`.
    """
    work = Path(tempfile.mkdtemp(prefix="stillwatch-"))
    try:
        return _Scan(options, rejected, work, say).run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Scan:
    """One scan while it runs."""

    def __init__(self, options: ScanOptions, rejected: RejectedLog, work: Path, say: Say) -> None:
        self.options = options
        self.rejected = rejected
        self.work = work
        self.say = say
        self.watch = Stopwatch()
        rules = load_rules(list(options.rules) or None)
        self.matcher = ElicitationMatcher.from_rules(rules)
        self.rules_digest = rules_digest(rules)
        self.accounts: pa.Table | None = None
        self.account_notes: list[str] = []
        self.permissions = Permissions(None, ())

    def run(self) -> ScanResult:
        records: tuple[Authorization, ...] = ()
        if self.options.authorizations:
            records = read_authorizations(self.options.authorizations)
        if self.options.accounts:
            loaded = load_accounts(self.options.accounts, rejected=self.rejected)
            self.accounts, self.account_notes = loaded.table, loaded.notes
        self.permissions = Permissions(self.accounts, records)
        state = State(self.options.state or self.work / "state", rules_digest=self.rules_digest)
        summary = self._ingest(state, self.options.logs)
        days = state.days()
        if not days:
            raise NothingToReadError(
                "the logs hold no requests", hint="name files or folders that hold request logs"
            )
        baseline = self._baseline_state()
        return self._judge(state, days, baseline, summary)

    def _ingest(self, state: State, logs: Sequence[str]) -> ReadSummary:
        """Read logs into facts and profiles."""
        batches = read_requests(
            list(logs),
            log_format=self.options.log_format,
            rejected=self.rejected,
            now=self.options.now,
            limits=ReadLimits(),
            columns_map=self.options.columns,
        )
        with self.watch("fingerprint"):
            rows = 0
            for facts, names in fingerprinted(batches, self.matcher, threads=self.options.threads):
                state.add(facts)
                state.add_names(names)
                rows += facts.num_rows
                self.say(f"read {rows:,} requests")
            changed = state.settle()
            state.write_names()
        with self.watch("profile"):
            self.say(f"profiling {len(changed)} days")
            engine = open_engine(
                self.options.engine,
                threads=self.options.threads,
                memory_limit=f"{self.options.memory_gib:.2f}GiB",
            )
            try:
                state.profile(changed, engine)
            finally:
                engine.close()
        return batches.summary

    def _baseline_state(self) -> State | None:
        """Open or make the profiles of the baseline period."""
        given = self.options.baseline
        if given is None:
            return None
        if (Path(given) / "manifest.json").exists():
            return State(Path(given), rules_digest=self.rules_digest)
        self.say("reading the baseline")
        state = State(self.work / "baseline", rules_digest=self.rules_digest)
        self._ingest(state, [given])
        if not state.days():
            raise NothingToReadError(f"the baseline {given} holds no requests")
        return state

    def _judge(
        self, state: State, days: list[int], baseline: State | None, summary: ReadSummary
    ) -> ScanResult:
        """Judge the window, step by step in a replay, and write the report of the last step."""
        known: dict[str, str] = state.known_campaigns()
        first_flagged: dict[str, datetime] = {}
        replay: list[ReplayStep] = []
        seen_ids: set[str] = set()
        for last in self._step_ends(days):
            window = [day for day in days if day <= last]
            step_end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=last + 1)
            self.say(f"judging {len(window)} days up to {step_end:%Y-%m-%d}")
            seen, verdicts, flagged, notes = self._step(state, window, baseline)
            ids = self._name_campaigns(seen, flagged, known)
            new = []
            for one, campaign in zip(flagged, ids, strict=True):
                if one.gravity.severity is not Severity.LOW:
                    first_flagged.setdefault(campaign, step_end)
                if f"{campaign}-{one.label.value}" not in seen_ids:
                    seen_ids.add(f"{campaign}-{one.label.value}")
                    new.append(f"{campaign}-{one.label.value}")
            if self.options.replay_days:
                replay.append(ReplayStep(step_end=step_end, findings=tuple(new)))
        state.remember_campaigns(known)
        with self.watch("findings"):
            names = {
                (kind, value): text
                for kind, value, text in zip(
                    *(state.names()[name].to_pylist() for name in ("kind", "value", "text")), strict=True
                )
            }
            findings = [
                build_finding(
                    seen,
                    one,
                    campaign_id=campaign,
                    detected_at=first_flagged.get(campaign),
                    names=names,
                    notes=notes,
                )
                for one, campaign in zip(flagged, ids, strict=True)
            ]
            findings.sort(key=lambda one: (-one.severity.rank, one.q_value, -one.exchanges, one.finding_id))
            report = self._report(
                state, seen, verdicts, flagged, findings, notes, summary, replay, baseline is not None
            )
        shares: dict[str, float] = {}
        for one in flagged:
            shares |= {
                str(seen.population.account_ids[place]): share for place, share in one.own_share.items()
            }
        return ScanResult(
            report,
            tuple(str(one) for one in seen.population.account_ids),
            shares,
            summary,
            dict(self.watch.seconds),
            tuple(verdicts.p_distillation.tolist()),
        )

    def _step_ends(self, days: list[int]) -> list[int]:
        if not self.options.replay_days:
            return [days[-1]]
        ends = list(range(days[0] + self.options.replay_days - 1, days[-1] + 1, self.options.replay_days))
        return ends if ends and ends[-1] == days[-1] else [*ends, days[-1]]

    def _step(
        self, state: State, window: list[int], baseline: State | None
    ) -> tuple[Look, Verdicts, list[Flagged], dict[str, AuthorizationNote]]:
        notes = self._notes(state, window)
        covered = frozenset(one for one, note in notes.items() if note.status is AuthorizationStatus.IN_SCOPE)
        seen = look(state, window, self.accounts, covered, watch=self.watch, threads=self.options.threads)
        ordinary = None
        if baseline is not None:
            # A reference of the same length: what is compared grows with the days that are looked at.
            ordinary = look(
                baseline,
                baseline.days()[: len(window)],
                self.accounts,
                frozenset(self._baseline_covered()),
                watch=self.watch,
                threads=self.options.threads,
            )
        with self.watch("findings"):
            verdicts = judge(seen, ordinary)
            flagged = flag(state, seen, verdicts, self.options.fdr)
        return seen, verdicts, flagged, notes

    def _notes(self, state: State, window: list[int]) -> dict[str, AuthorizationNote]:
        if not self.permissions.any:
            return {}
        population = load_population(state, window, None, threads=self.options.threads)
        return self.permissions.notes(usage_of(population))

    def _baseline_covered(self) -> set[str]:
        return set(self.permissions.named_accounts)

    def _name_campaigns(self, seen: Look, flagged: list[Flagged], known: dict[str, str]) -> list[str]:
        """Give flagged clusters lasting ids, and remember their accounts."""
        order = _by_first_use(seen)
        clusters = [
            sorted(
                (str(seen.population.account_ids[one]) for one in seen.groups.members[flagged_one.index]),
                key=lambda account: order[account],
            )
            for flagged_one in flagged
        ]
        ids = campaign_ids(clusters, known)
        for members, campaign in zip(clusters, ids, strict=True):
            known.update(dict.fromkeys(members, campaign))
        return ids

    def _report(
        self,
        state: State,
        seen: Look,
        verdicts: Verdicts,
        flagged: list[Flagged],
        findings: list[Finding],
        notes: dict[str, AuthorizationNote],
        summary: ReadSummary,
        replay: list[ReplayStep],
        with_baseline: bool,  # noqa: FBT001
    ) -> ScanReport:
        population = seen.population
        first, last = (
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=one)
            for one in (population.first_us, population.last_us)
        )
        return ScanReport(
            tool_version=__version__,
            generated_at=self.options.now,
            scanned=InputSummary(
                files=summary.files,
                requests=int(population.totals["requests"].sum()),
                rejected=self.rejected.total,
                duplicates=state.duplicates,
                accounts=len(population),
                first=first,
                last=last,
                formats=dict(summary.formats),
                missing_evidence=(*summary.missing_evidence, *self._missing_accounts()),
            ),
            calibration=calibration_summary(verdicts, seen, self.options.fdr, with_baseline=with_baseline),
            findings=tuple(findings),
            authorized=authorized_findings(seen, notes),
            prevalence=prevalence_of(seen, flagged),
            service_load=service_load_of(seen, flagged),
            replay=tuple(replay),
        )

    def _missing_accounts(self) -> tuple[str, ...]:
        if self.accounts is None:
            return (
                "no accounts table: payment, e-mail domain, creation and closure cannot be compared (--accounts)",
            )
        return tuple(self.account_notes)


def _by_first_use(seen: Look) -> dict[str, tuple[int, str]]:
    """Order accounts by when they were first used."""
    hours = seen.population.hours
    first = np.full(len(seen.population), np.iinfo(np.int64).max)
    np.minimum.at(first, hours["account"].astype(np.int64), hours["hour"].astype(np.int64))
    return {
        str(account): (int(hour), str(account))
        for account, hour in zip(seen.population.account_ids, first, strict=True)
    }
