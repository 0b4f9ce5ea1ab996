"""What follows from findings in a node: cases in its store, then the playbook's decisions."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.findings import Finding
from stillwatch.domain.labels import LabeledAccounts
from stillwatch.errors import DecisionError
from stillwatch.respond.access.authorizations.publishing import permissions_on_record
from stillwatch.respond.access.authorizations.recording import close_ended as close_ended_authorizations
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.cases import Change, Recorded, label_of_each, labeled_accounts, labels_of
from stillwatch.respond.cases.evidence import record_findings
from stillwatch.respond.cases.labels import ORDINARY
from stillwatch.respond.decisions.following import follow
from stillwatch.respond.decisions.indicating import close_ended_indicators
from stillwatch.respond.decisions.playbook import Playbook
from stillwatch.respond.decisions.playbook_files import example, load
from stillwatch.respond.decisions.taking import close_ended
from stillwatch.respond.node.followed import Followed
from stillwatch.respond.store import Store, open_store

log = structlog.get_logger()

ACTOR: Final = "system:node"


class StoreFollowUp:
    """Writes to the node's store. Doing it twice is doing it once: cases and decisions know what they know.

    Args:
        database: URL of the store; it is opened when it is first needed, and again after it could not be.
        playbook: The playbook file, read again each time; empty for the shipped one.
        rng: Draws ids and delays.
    """

    def __init__(self, database: str, playbook: str = "", rng: random.Random | None = None) -> None:
        self._database = database
        self._playbook = playbook
        self._rng = rng or random.SystemRandom()
        self._store: Store | None = None

    def labeled(self, now: datetime) -> LabeledAccounts:
        """Return what people know of accounts, for calibration.

        Raises:
            StoreError: The database cannot be read; the next round tries again.
        """
        return labeled_accounts(labels_of(self._opened(), as_of=now))

    def permitted(self) -> tuple[Authorization, ...]:
        """Return the permissions on record, past ones too.

        Raises:
            StoreError: The database cannot be read; the next round tries again.
        """
        with self._opened().reading() as connection:
            return permissions_on_record(connection)

    def follow(self, findings: Sequence[Finding], now: datetime, programmes: Mapping[str, str]) -> Followed:
        """Open or update cases, take decisions, and record those that ended.

        Args:
            findings: Of the window.
            now: The present.
            programmes: On-ramp by account id.

        Raises:
            StoreError: The database cannot be written; the next round does everything again.
            PlaybookError: The playbook cannot be used.
        """
        playbook = load(Path(self._playbook)) if self._playbook else example()
        trail = AuditTrail(self._opened(), lambda: now)
        with trail.writing(ACTOR) as write:
            close_ended(write)
            close_ended_indicators(write)
            close_ended_authorizations(write)
            recorded = record_findings(write, findings)
        decisions = self._decide(trail, playbook, findings, recorded, programmes, now)
        changes = [one.change for one in recorded]
        return Followed(
            opened=changes.count(Change.OPENED) + changes.count(Change.REOPENED),
            updated=changes.count(Change.UPDATED),
            decisions=decisions,
        )

    def _opened(self) -> Store:
        if self._store is None:
            self._store = open_store(self._database)
        return self._store

    def _decide(
        self,
        trail: AuditTrail,
        playbook: Playbook,
        findings: Sequence[Finding],
        recorded: Sequence[Recorded],
        programmes: Mapping[str, str],
        now: datetime,
    ) -> int:
        """Follow the playbook finding by finding; what it must not decide stops nothing else."""
        labels = label_of_each(labels_of(trail.store, as_of=now))
        spared = [account for account, known in labels.items() if known.label in ORDINARY]
        case_of = {one.case.campaign_id: one.case.case_id for one in recorded}
        taken = 0
        for finding in findings:
            try:
                with trail.writing(playbook.author) as write:
                    taken += len(
                        follow(
                            write,
                            playbook,
                            finding,
                            rng=self._rng,
                            programmes=programmes,
                            spared=spared,
                            case_id=case_of.get(finding.campaign_id),
                        )
                    )
            except DecisionError as error:
                log.warning("playbook not followed", finding=finding.finding_id, why=error.message[:200])
        return taken
