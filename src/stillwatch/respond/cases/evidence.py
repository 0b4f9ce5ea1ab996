"""Findings open cases and bring them up to date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from stillwatch.domain.cases import Case, Figures, Snapshot, Triage
from stillwatch.domain.findings import Finding
from stillwatch.domain.severity import Severity
from stillwatch.errors import CaseError
from stillwatch.respond.audit import Write
from stillwatch.respond.cases import rows
from stillwatch.respond.cases.replay import CASE, CaseAction, applied, facts_of
from stillwatch.respond.cases.wording import digest_of_names

GROWN: Final = 1.1
"""Accounts or exchanges times this since the last snapshot are worth another one."""

NEW_SHARE: Final = 0.1
"""Accounts that joined since the closing, or exchanges after it, as a share of what there was: more opens the case again."""

SNAPSHOT_EVERY: Final = timedelta(hours=1)
"""A campaign that is found again each minute is kept word for word at most this often, unless it changed."""

_NAMED: Final = 5
"""Campaigns that a message names."""

_LONGEST_ACCOUNT: Final = 512
"""Characters of an account id. A database's index refuses longer ones, and no provider has them."""


class Change(StrEnum):
    """What a finding did to its case."""

    OPENED = "opened"
    REOPENED = "reopened"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Recorded:
    """A case after a finding, and what the finding did to it."""

    case: Case
    change: Change


def record_finding(write: Write, finding: Finding) -> Recorded:
    """Open the case of a finding's campaign, or bring it up to date.

    The same finding again changes nothing, and neither does one that ends before what the case already knows. A closed
    case with new evidence opens again, unless it is snoozed: then it opens with the first finding after the snooze.

    Args:
        write: The open transaction.
        finding: What detection found.

    Raises:
        CaseError: an account id is too long to be one.
    """
    if any(len(name) > _LONGEST_ACCOUNT for name in finding.accounts):
        raise CaseError(
            f"an account id of {finding.finding_id} has more than {_LONGEST_ACCOUNT} characters",
            hint="map the right column to account_id",
        )
    case = rows.of_campaign(write.connection, finding.campaign_id)
    return Recorded(_open(write, finding), Change.OPENED) if case is None else _follow(write, case, finding)


def record_findings(
    write: Write,
    findings: Iterable[Finding],
    *,
    campaign: str | None = None,
    at_least: Severity = Severity.MEDIUM,
) -> tuple[Recorded, ...]:
    """Record the findings of a scan that are worth a case, or belong to one.

    Args:
        write: The open transaction.
        findings: What detection found.
        campaign: Only the finding of this campaign, whatever its severity.
        at_least: Open new cases from this severity on. Known cases are brought up to date in any case.

    Raises:
        CaseError: no finding is of the campaign that was named.
    """
    given = tuple(findings)
    chosen = [each for each in given if campaign is None or each.campaign_id == campaign]
    if campaign is not None and not chosen:
        names = ", ".join(each.campaign_id for each in given[:_NAMED]) or "none"
        raise CaseError(f"no finding is of {campaign!r}", hint=f"the file has {names}")
    return tuple(
        record_finding(write, each)
        for each in chosen
        if campaign is not None
        or each.severity.at_least(at_least)
        or rows.of_campaign(write.connection, each.campaign_id) is not None
    )


def _open(write: Write, finding: Finding) -> Case:
    connection, accounts = write.connection, set(finding.accounts)
    case_id = f"case-{rows.next_number(connection)}"
    figures, kept = Figures.of(finding, digest_of_names(accounts)), rows.Verbatim.of(finding)
    facts = {
        "campaign_id": finding.campaign_id,
        "figures": facts_of(figures),
        "snapshot": kept.digest,
    }
    case = applied(None, write.record(CaseAction.OPENED, CASE, case_id, facts))
    rows.add(connection, case)
    rows.keep_snapshot(connection, case_id, kept, write.now)
    rows.join(connection, case_id, accounts, write.now)
    return case


def _follow(write: Write, case: Case, finding: Finding) -> Recorded:
    figures = Figures.of(finding, digest_of_names(finding.accounts))
    change = Change.UNCHANGED
    if finding.last_seen >= case.figures.last_seen and figures != case.figures:
        due = is_due(case.snapshot, figures, write)
        if due or figures.accounts_digest != case.figures.accounts_digest:
            case, change = _update(write, case, finding, figures, keep=due), Change.UPDATED
    if not case.is_snoozed(write.now) and went_on(write, case, finding, figures):
        case = commit(write, case, CaseAction.REOPENED, {"reason": "new evidence"})
        change = Change.REOPENED
    return Recorded(case, change)


def _update(write: Write, case: Case, finding: Finding, figures: Figures, *, keep: bool) -> Case:
    """Write new figures and who joined and left; keep the finding word for word if that is due."""
    connection = write.connection
    before, after = set(rows.accounts_of(connection, case.case_id)), set(finding.accounts)
    rows.join(connection, case.case_id, after - before, write.now)
    rows.leave(connection, case.case_id, before - after, write.now)
    kept = rows.Verbatim.of(finding) if keep else None
    if kept is not None:
        rows.keep_snapshot(connection, case.case_id, kept, write.now)
    facts = {
        "figures": facts_of(figures),
        "joined": len(after - before),
        "left": len(before - after),
        "snapshot": kept.digest if kept else None,
    }
    return commit(write, case, CaseAction.UPDATED, facts)


def is_due(last: Snapshot, figures: Figures, write: Write) -> bool:
    """Say whether a finding differs enough from the last one that was kept."""
    return write.now - last.taken_at >= SNAPSHOT_EVERY or _differs(last.figures, figures)


def went_on(write: Write, case: Case, finding: Finding, now: Figures) -> bool:
    """Say whether a closed campaign went on in a way that its closing did not know.

    What was called a false positive may go on as it is: only new accounts, or a worse finding, ask for another look.
    """
    if case.closing is None or now.last_seen <= case.closing.figures.last_seen:
        return False
    before = case.closing.figures
    joined = rows.joined_since(write.connection, case.case_id, case.closing.at)
    if _is_worse(before, now) or joined >= NEW_SHARE * before.accounts:
        return True
    later = sum(point.exchanges for point in finding.timeline if point.day > before.last_seen.date())
    more = max(later, now.exchanges - before.exchanges)
    return case.triage is not Triage.FALSE_POSITIVE and more >= NEW_SHARE * before.exchanges


def _is_worse(before: Figures, after: Figures) -> bool:
    return (
        after.label is not before.label
        or after.severity.rank > before.severity.rank
        or after.confidence.rank > before.confidence.rank
    )


def _differs(before: Figures, after: Figures) -> bool:
    return (
        (before.label, before.severity, before.confidence) != (after.label, after.severity, after.confidence)
        or not 1 / GROWN < _ratio(after.accounts, before.accounts) < GROWN
        or not 1 / GROWN < _ratio(after.exchanges, before.exchanges) < GROWN
    )


def _ratio(after: int, before: int) -> float:
    return (after + 1) / (before + 1)


def commit(write: Write, case: Case, action: CaseAction, facts: dict[str, object]) -> Case:
    """Record what was done to a case and write the state that it leads to."""
    after = applied(case, write.record(action, CASE, case.case_id, facts))
    rows.save(write.connection, after)
    return after
