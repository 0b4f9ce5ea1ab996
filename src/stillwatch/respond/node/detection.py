"""One round of detection: spool to facts to profiles to findings to cases and decisions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from stillwatch.detect.fingerprints.elicitation import ElicitationMatcher, load_rules
from stillwatch.detect.intake import rules_digest
from stillwatch.detect.logs import ReadSummary, RejectedLog, load_accounts
from stillwatch.detect.pipeline import ScanOptions, judge_state
from stillwatch.detect.profiles.engine import open_engine
from stillwatch.detect.profiles.state import State
from stillwatch.detect.timing import Stopwatch
from stillwatch.respond.ingest.consuming import consume
from stillwatch.respond.node.followed import FollowUp
from stillwatch.respond.node.options import DetectorOptions
from stillwatch.respond.node.rounds import RoundReport
from stillwatch.respond.node.window import leave_window

NEAR_DAYS: Final = 1
"""A request that is delivered again has the same time, so that its repeat is in the same day or, where a sender wrote
the time of sending, in the next one. Looking through all days would cost each round the whole window."""


class Detection:
    """Keeps a state up to date and judges it.

    Args:
        options: What the node was told.
        follow_up: What happens with findings; None takes the node's store.

    Raises:
        StillwatchError: The state, the rules or the store cannot be used.
    """

    def __init__(self, options: DetectorOptions, follow_up: FollowUp | None = None) -> None:
        """Open the state and load the rules."""
        self._options = options
        rules = load_rules([Path(one) for one in options.rules] or None)
        self._matcher = ElicitationMatcher.from_rules(rules)
        self._state = State(
            options.state, rules_digest=rules_digest(rules), durable=True, near_days=NEAR_DAYS
        )
        self._summary = ReadSummary()
        self._follow_up = follow_up or _node_follow_up(options)
        self._judged = False

    def round(self, report: RoundReport, now: datetime) -> None:
        """Take in what was acknowledged, and judge the window if anything changed.

        Args:
            report: Filled step by step, so that it also tells how far a failed round came.
            now: The present.
        """
        watch = Stopwatch()
        before = self._state.duplicates
        changed = self._take_in(report, watch)
        report.duplicates = self._state.duplicates - before
        gone = leave_window(self._state, now, self._options.window_days, self._options.archive)
        if self._state.days() and (changed or gone or not self._judged):
            self._judge(report, now, watch)
        report.missing = self._summary.missing_evidence
        report.seconds = dict(watch.seconds)

    def _take_in(self, report: RoundReport, watch: Stopwatch) -> set[int]:
        """Read the spool to its end and profile the days that changed."""
        changed: set[int] = set()
        while True:
            with watch("fingerprint"):
                taken = consume(
                    self._options.spool,
                    self._state,
                    self._matcher,
                    threads=self._options.threads,
                    summary=self._summary,
                    crashes=report.crashes,
                )
            report.requests += taken.rows
            report.damaged += taken.damaged
            changed |= taken.days
            if not taken.segments:
                break
        with watch("profile"):
            engine = open_engine(
                "duckdb://",
                threads=self._options.threads,
                memory_limit=f"{self._options.memory_gib:.2f}GiB",
            )
            try:
                self._state.profile(changed, engine)
            finally:
                engine.close()
        report.days = len(changed)
        return changed

    def _judge(self, report: RoundReport, now: datetime, watch: Stopwatch) -> None:
        self._judged = False
        with watch("judge"):
            result = judge_state(self._scan_options(now), self._state, self._summary)
        findings = result.report.findings
        with watch("cases"):
            followed = self._follow_up.follow(findings, now, self._programmes())
        report.findings = len(findings)
        report.opened, report.updated = followed.opened, followed.updated
        report.decisions = followed.decisions
        report.judged = self._judged = True

    def _programmes(self) -> dict[str, str]:
        """Look up who is on which on-ramp."""
        if not self._options.accounts:
            return {}
        table = load_accounts(self._options.accounts, rejected=RejectedLog()).table
        pairs = zip(table["account_id"].to_pylist(), table["programme"].to_pylist(), strict=True)
        return {account: programme for account, programme in pairs if programme}

    def _scan_options(self, now: datetime) -> ScanOptions:
        options = self._options
        return ScanOptions(
            logs=(),
            accounts=options.accounts or None,
            authorizations=options.authorizations or None,
            permitted=self._follow_up.permitted(),
            rules=tuple(Path(one) for one in options.rules),
            state=options.state,
            baseline=options.baseline or None,
            fdr=options.fdr,
            threads=options.threads,
            memory_gib=options.memory_gib,
            labeled=self._follow_up.labeled(now),
            now=now,
        )


def _node_follow_up(options: DetectorOptions) -> FollowUp:
    from stillwatch.respond.node.consequences import StoreFollowUp  # noqa: PLC0415 - tests bring their own

    return StoreFollowUp(options.database_url, options.playbook)
