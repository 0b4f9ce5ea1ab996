"""The history of a case in words."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from stillwatch.detect.findings.report import figures as written
from stillwatch.detect.findings.report.inert import inert
from stillwatch.domain.cases import CaseLabel, CaseStatus, FalsePositiveReason, Figures, Triage
from stillwatch.respond.audit import AuditEntry
from stillwatch.respond.cases.replay import CaseAction


def told(history: Iterable[AuditEntry]) -> Iterator[tuple[AuditEntry, str]]:
    """Yield each entry with the sentence that tells what was done.

    Args:
        history: Entries of one case, in order. What changed in its figures is said from the second finding on.
    """
    known: Figures | None = None
    for entry in history:
        if "figures" not in entry.facts:
            yield entry, sentence(entry)
            continue
        now = Figures.model_validate(entry.facts["figures"])
        yield entry, _found(now, entry.facts) if known is None else _changed(known, now, entry.facts)
        known = now


def sentence(entry: AuditEntry) -> str:
    """Return what one entry tells, without comparing it with those before."""
    action, facts = CaseAction(entry.action), entry.facts
    if "figures" in facts:
        return _found(Figures.model_validate(facts["figures"]), facts)
    return _SENTENCES[action](facts)


def _found(now: Figures, facts: Any) -> str:
    verb = "updated" if "joined" in facts else "opened"
    return (
        f"{verb}: {now.severity.value}, {now.label.phrase}, {written.plural(now.accounts, 'account')}, "
        f"{written.plural(now.exchanges, 'exchange')}"
    )


def _changed(before: Figures, now: Figures, facts: Any) -> str:
    """Say what is different, and only that."""
    pieces = [
        f"{name} {old} → {new}"
        for name, old, new in (
            ("severity", before.severity.value, now.severity.value),
            ("confidence", before.confidence.value, now.confidence.value),
            ("label", before.label.phrase, now.label.phrase),
            ("exchanges", written.count(before.exchanges), written.count(now.exchanges)),
        )
        if old != new
    ]
    if facts["joined"]:
        pieces.append(f"{written.plural(facts['joined'], 'account')} joined")
    if facts["left"]:
        pieces.append(f"{written.plural(facts['left'], 'account')} left")
    return f"updated: {', '.join(pieces) or 'seen again'}"


def _labeled(facts: Any) -> str:
    scope = "it" if facts["whole"] else written.plural(facts["accounts"], "account")
    return f"labeled {scope} {CaseLabel(facts['label']).phrase} (label {facts['label_id']}): {inert(facts['reason'])}"


def _triaged(facts: Any) -> str:
    triage, reason = Triage(facts["triage"]), facts["false_positive_reason"]
    if triage is Triage.NOT_TRIAGED:
        return "took the triage back"
    return f"called it a {triage.phrase}{': ' + FalsePositiveReason(reason).phrase if reason else ''}"


def _snoozed(facts: Any) -> str:
    until = datetime.fromisoformat(facts["until"])
    return f"snoozed it until {written.minute(until)}: {inert(facts['reason'])}"


_SENTENCES: Final[dict[CaseAction, Callable[[Any], str]]] = {
    CaseAction.REOPENED: lambda facts: f"reopened it: {inert(facts['reason'])}",
    CaseAction.MOVED: lambda facts: f"set it to {CaseStatus(facts['status']).phrase}",
    CaseAction.ASSIGNED: lambda facts: f"assigned it to {inert(facts['assignee'] or 'nobody')}",
    CaseAction.NOTED: lambda facts: f"wrote note {facts['number']}",
    CaseAction.NOTE_ERASED: lambda facts: f"erased note {facts['number']}: {inert(facts['reason'])}",
    CaseAction.LABELED: _labeled,
    CaseAction.UNLABELED: lambda facts: f"withdrew label {facts['label_id']}: {inert(facts['reason'])}",
    CaseAction.TRIAGED: _triaged,
    CaseAction.CLOSED: lambda facts: f"closed it: {inert(facts['reason'])}",
    CaseAction.SNOOZED: _snoozed,
    CaseAction.WOKEN: lambda facts: f"ended the snooze: {inert(facts['reason'])}",
    CaseAction.LINKED: lambda facts: f"linked decision {inert(facts['decision_id'])}",
}
