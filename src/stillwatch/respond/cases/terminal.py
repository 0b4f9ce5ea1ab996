"""Cases on a terminal, in the shape of the scan's report. Text from outside passes through `inert`."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Final

from rich.text import Text

from stillwatch.detect.findings.report import figures
from stillwatch.detect.findings.report.inert import inert
from stillwatch.detect.findings.report.reading import innocent_in_order
from stillwatch.detect.findings.report.terminal_lines import TerminalLines
from stillwatch.domain.cases import Case, FalsePositiveReason, Triage
from stillwatch.domain.findings import Finding
from stillwatch.domain.severity import Severity
from stillwatch.respond.audit import AuditEntry
from stillwatch.respond.cases.evidence import Change, Recorded
from stillwatch.respond.cases.history import sentence, told
from stillwatch.respond.cases.statistics import Statistics
from stillwatch.respond.cases.whole import WholeCase

_NOTE: Final = "   = "
_GUTTER: Final = "   | "
_STYLES: Final = {
    Severity.LOW: "bold cyan",
    Severity.MEDIUM: "bold yellow",
    Severity.HIGH: "bold red",
    Severity.CRITICAL: "bold white on red",
}
_EVIDENCE_SHOWN: Final = 8
_SPOKE: Final = "spoke in reviewed cases"
_NOTE_CHARS: Final = 4_000


def write_list(shown: Sequence[Case], hidden: int, now: datetime, stream: IO[str]) -> None:
    """Write cases, worst first, and one line that sums up.

    Args:
        shown: The cases, in order.
        hidden: How many more there are.
        now: For snoozes.
        stream: Where to.
    """
    page = TerminalLines(stream, None)
    for case in shown:
        _write_heading(page, case)
        _write_state(page, case, now)
        page.line()
    more = f"; {hidden:,} not shown, see --all" if hidden else ""
    page.unwrapped(Text.assemble(("stillwatch", "bold"), f": {figures.plural(len(shown), 'case')}{more}"))


def write_recorded(recorded: Sequence[Recorded], stream: IO[str]) -> None:
    """Write what each finding did to its case."""
    page = TerminalLines(stream, None)
    for each in recorded:
        seen = each.case.figures
        page.line(
            f"{each.change.value} {each.case.case_id}: {seen.severity.value}, {inert(each.case.campaign_id)}, "
            f"{figures.plural(seen.accounts, 'account')}, {figures.plural(seen.exchanges, 'exchange')}",
            rest="    ",
        )
    counts = Counter(each.change.value for each in recorded)
    words = ", ".join(f"{counts[change]} {change}" for change in Change if counts[change])
    page.unwrapped(Text.assemble(("stillwatch", "bold"), f": {words or 'no finding to open a case for'}"))


def write_changed(case: Case, entries: Sequence[AuditEntry], stream: IO[str]) -> None:
    """Write what was done to a case, and at which version it is now."""
    page = TerminalLines(stream, None)
    for entry in entries:
        page.line(f"{case.case_id}: {sentence(entry)}", rest="    ")
    if not entries:
        page.line(f"{case.case_id}: nothing to change")
    page.unwrapped(
        Text.assemble(
            ("stillwatch", "bold"), f": {case.case_id} is {case.status.phrase}, version {case.version}"
        )
    )


def write_case(whole: WholeCase, now: datetime, stream: IO[str]) -> None:
    """Write everything that is known of a case.

    Args:
        whole: The case.
        now: For snoozes.
        stream: Where to.
    """
    page, case = TerminalLines(stream, None), whole.case
    _write_heading(page, case)
    _write_state(page, case, now)
    page.line(first=_GUTTER)
    _write_evidence(page, whole.finding)
    page.line(first=_GUTTER)
    for explanation in innocent_in_order(whole.finding):
        words = f"{inert(explanation.name)}, {explanation.verdict.phrase}: {inert(explanation.sentence)}"
        _note(page, "innocent", words)
    for decision in case.decisions:
        _note(page, "decision", inert(decision))
    for note in whole.notes:
        text = "erased" if note.text is None else inert(note.text, _NOTE_CHARS)
        _note(page, f"note {note.number}", f"{text} ({_by(note.author, note.written_at)})")
    _note(page, "evidence", f"kept word for word as {case.snapshot.digest}")
    page.line()
    page.line(Text("history", style="bold"))
    for entry, words in told(whole.history):
        line = f"{figures.minute(entry.time)}  {inert(entry.actor)}  {words}"
        page.line(line, first="  ", rest=" " * 8)


def _write_heading(page: TerminalLines, case: Case) -> None:
    seen = case.figures
    sizes = f"{figures.plural(seen.accounts, 'account')}, {figures.plural(seen.exchanges, 'exchange')}"
    who = f", {inert(case.assignee)}" if case.assignee else ", nobody assigned"
    words = f": {sizes}, {case.status.phrase}{'' if case.is_closed else who}"
    heading = (f"{seen.severity.value}[{case.case_id}]", _STYLES[seen.severity])
    page.line(Text.assemble(heading, (words, "bold")), rest="    ")


def _write_state(page: TerminalLines, case: Case, now: datetime) -> None:
    """Write what was found, what people said of it, and what to do next."""
    seen = case.figures
    page.line(
        f"{inert(case.campaign_id)}, {seen.label.phrase}, {figures.period(seen.first_seen, seen.last_seen)}, "
        f"confidence {seen.confidence.value}, {figures.probability('q', seen.q_value)}",
        first="  --> ",
    )
    for mark in case.labels:
        scope = "the whole case" if mark.whole else "some of it"
        named = f"{scope}, {figures.plural(mark.accounts, 'account')}"
        words = f"{mark.label.phrase} ({named}): {inert(mark.reason)} ({_by(mark.author, mark.since)})"
        _note(page, f"label {mark.label_id}", words)
    if case.triage is not Triage.NOT_TRIAGED:
        reason = f": {case.false_positive_reason.phrase}" if case.false_positive_reason else ""
        _note(page, "triage", f"{case.triage.phrase}{reason}")
    if case.snooze and case.is_snoozed(now):
        until = figures.minute(case.snooze.until)
        _note(page, "snoozed", f"until {until} by {inert(case.snooze.owner)}: {inert(case.snooze.reason)}")
    if case.closing:
        _note(page, "closed", f"{inert(case.closing.reason)} ({_by(case.closing.author, case.closing.at)})")
    _note(page, "help", _next(case))


def _next(case: Case) -> str:
    """Say the command that comes next."""
    if case.triage is Triage.NOT_TRIAGED:
        return f"stillwatch case triage {case.case_id} true_positive (or false_positive --because REASON)"
    if case.is_closed:
        return f"new evidence opens it again; or stillwatch case reopen {case.case_id} --reason ..."
    return f"stillwatch case show {case.case_id}"


def _write_evidence(page: TerminalLines, finding: Finding) -> None:
    strongest = sorted(finding.evidence, key=lambda item: -abs(item.nats))
    for item in strongest[:_EVIDENCE_SHOWN]:
        text = Text.assemble(
            (f"{figures.nats(item.nats):>6}  ", "bold" if item.nats > 0 else "green"),
            (inert(item.name), "cyan"),
            f"  {inert(item.sentence)}",
        )
        page.line(text, first=_GUTTER, rest=_GUTTER + " " * 8)
    if len(strongest) > _EVIDENCE_SHOWN:
        page.line(f"and {len(strongest) - _EVIDENCE_SHOWN} weaker, with --format json", first=_GUTTER)


def _note(page: TerminalLines, name: str, words: str) -> None:
    page.line(Text.assemble((f"{name}: ", "bold"), words), first=_NOTE, rest=" " * len(_NOTE))


def _by(author: str, when: datetime) -> str:
    return f"{inert(author)}, {figures.minute(when)}"


def write_statistics(found: Statistics, stream: IO[str]) -> None:
    """Write the false-positive ratio of each signal and link over the findings that people reviewed."""
    page = TerminalLines(stream, None)
    width = max(len(_SPOKE), *(len(row.name) for row in found.evidence), 0)
    if found.evidence:
        heading = f"{'':<6}  {_SPOKE:<{width}}  {'false':>12}  share (95 % interval)"
        page.line(Text(heading, style="bold"))
    for row in found.evidence:
        counted = f"{row.false_positives:,} of {row.reviewed:,}"
        share = f"{figures.percent(row.interval.share)} ({figures.span(row.interval.low, row.interval.high)})"
        page.line(f"{row.kind.value:<6}  {inert(row.name):<{width}}  {counted:>12}  {share}")
    for reason, count in sorted(found.reasons.items(), key=lambda item: (-item[1], item[0])):
        page.line(f"false because of {FalsePositiveReason(reason).phrase}: {count:,}")
    page.line()
    page.unwrapped(Text.assemble(("stillwatch", "bold"), f": {_reviews(found)}"))


def _reviews(found: Statistics) -> str:
    """Say how many cases were reviewed, and how many of them were false."""
    reviewed = found.true_positives + found.false_positives
    left = f"{figures.plural(found.not_triaged, 'case')} not triaged, which count for nothing"
    if found.interval is None:
        return f"no case was reviewed yet; {left}"
    return f"{found.false_positives:,} of {reviewed:,} reviewed cases were false; {left}"
