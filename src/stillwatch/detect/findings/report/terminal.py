"""Findings on a terminal, in the shape of a compiler's errors.

The text is the same with and without color. Every string that came from traffic passes through `inert`, and
nothing is parsed as markup.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import IO, Final

from rich.text import Text

from stillwatch.detect.findings.report import figures
from stillwatch.detect.findings.report.inert import inert
from stillwatch.detect.findings.report.reading import innocent_in_order, leaked
from stillwatch.detect.findings.report.terminal_lines import TerminalLines
from stillwatch.detect.findings.report.terminal_tables import prevalence_lines
from stillwatch.domain.findings import (
    Evidence,
    EvidenceKind,
    Finding,
    InputSummary,
    Label,
    ScanReport,
    Severity,
)

_EVIDENCE_SHOWN: Final = 8
_EXEMPLARS_SHOWN: Final = 2
_LOW_SHOWN: Final = 10
_EXEMPLAR_CHARS: Final = 160

_GUTTER: Final = "   | "
_NOTE: Final = "   = "
_STYLES: Final = {
    Severity.LOW: "bold cyan",
    Severity.MEDIUM: "bold yellow",
    Severity.HIGH: "bold red",
    Severity.CRITICAL: "bold white on red",
}
_LABEL_STYLES: Final = {Label.DISTILLATION: "magenta", Label.RESALE: "blue", Label.AUTHORIZED: "green"}
_KIND_HEADINGS: Final = {
    EvidenceKind.LINK: "what ties the accounts together",
    EvidenceKind.SIGNAL: "what their demand looks like",
}


def write_pretty(report: ScanReport, stream: IO[str], width: int | None = None) -> None:
    """Write a report for people.

    Args:
        report: What to write.
        stream: Where to. Colors are used on a terminal, unless NO_COLOR is set.
        width: Columns; None asks the terminal, or takes 100 when there is none.
    """
    page = TerminalLines(stream, width)
    low = [f for f in report.findings if f.severity is Severity.LOW]
    for finding in report.findings:
        if finding.severity is not Severity.LOW:
            _write_finding(page, finding, in_replay=bool(report.replay))
    for finding in low[:_LOW_SHOWN]:
        _write_short(page, finding)
    if len(low) > _LOW_SHOWN:
        page.line(f"and {figures.plural(len(low) - _LOW_SHOWN, 'low finding')} more, in findings.json")
        page.line()
    for finding in report.authorized:
        _write_authorized(page, finding)
    _write_prevalence(page, report)
    _write_missing(page, report.scanned)
    _write_baseline(page, report.baseline)
    page.unwrapped(_summary(report))


def _write_heading(page: TerminalLines, finding: Finding) -> None:
    """Write the first line: severity, scope, size, certainty."""
    page.line(
        Text.assemble(
            (f"{finding.severity.value}[{figures.scope(finding)}]", _STYLES[finding.severity]),
            (": " + figures.headline(finding), "bold"),
        ),
        rest="    ",
    )


def _write_finding(page: TerminalLines, finding: Finding, *, in_replay: bool) -> None:
    """Write one finding of medium severity or above in full."""
    _write_heading(page, finding)
    page.line(
        Text.assemble(
            (inert(finding.campaign_id), "bold"),
            ", ",
            (finding.label.phrase, _LABEL_STYLES[finding.label]),
            f", {figures.period(finding.first_seen, finding.last_seen)}, "
            f"confidence {finding.confidence.value}: {inert(finding.title)}",
        ),
        first="  --> ",
    )
    page.line(first=_GUTTER)
    _write_evidence(page, finding)
    for exemplar in finding.exemplars[:_EXEMPLARS_SHOWN]:
        page.line(
            Text.assemble(
                ("reads ", "dim"),
                (f"“{inert(exemplar.text, _EXEMPLAR_CHARS)}”", "italic"),
                (f" ({figures.plural(exemplar.exchanges, 'exchange')})", "dim"),
            ),
            first=_GUTTER,
            rest=_GUTTER + "      ",
        )
    page.line(first=_GUTTER)
    _write_notes(page, finding, in_replay=in_replay)
    page.line()


def _write_evidence(page: TerminalLines, finding: Finding) -> None:
    """Write the strongest evidence, links and signals apart, each with its nats."""
    strongest = sorted(finding.evidence, key=lambda e: -abs(e.nats))[:_EVIDENCE_SHOWN]
    for kind in EvidenceKind:
        shown = [e for e in strongest if e.kind is kind]
        if shown:
            _write_kind(page, finding, kind, shown)
    rest = len(finding.evidence) - len(strongest)
    if rest:
        page.line(Text(f"and {rest} weaker, in findings.json", style="dim"), first=_GUTTER)


def _write_kind(page: TerminalLines, finding: Finding, kind: EvidenceKind, shown: list[Evidence]) -> None:
    """Write the evidence of one kind; what all of it was compared with is said once, in the heading."""
    total = sum(e.nats for e in finding.evidence if e.kind is kind)
    references = {e.compared_with for e in shown}
    heading = Text(f"{_KIND_HEADINGS[kind]}: {figures.nats(total)} nats", style="bold")
    if len(references) == 1 and "" not in references:
        heading.append(f", compared with {inert(shown[0].compared_with)}", style="not bold dim")
    page.line(heading, first=_GUTTER, rest=_GUTTER)
    for item in shown:
        _write_item(page, item, say_reference=len(references) > 1)


def _write_item(page: TerminalLines, item: Evidence, *, say_reference: bool) -> None:
    """Write one piece of evidence: nats, name, sentence, p-value, and what it was compared with."""
    text = Text.assemble(
        (f"{figures.nats(item.nats):>6}  ", "bold" if item.nats > 0 else "green"),
        (inert(item.name), "cyan"),
        "  ",
        inert(item.sentence),
    )
    if item.p_value is not None:
        text.append(f" ({figures.probability('p', item.p_value)})")
    if say_reference and item.compared_with:
        text.append(f" Compared with {inert(item.compared_with)}.", style="dim")
    page.line(text, first=_GUTTER, rest=_GUTTER + " " * 8)


def _write_notes(page: TerminalLines, finding: Finding, *, in_replay: bool) -> None:
    """Write the estimate, the innocent explanations, the reasons and what to do next."""
    if finding.extraction:
        _note(page, "extraction", f"{figures.estimate(finding.extraction)} of these exchanges")
    for explanation in innocent_in_order(finding):
        words = f"{inert(explanation.name)}, {explanation.verdict.phrase}: {inert(explanation.sentence)}"
        _note(page, "innocent", words)
    for sentence in (*finding.severity_reasons, *finding.controls_defeated):
        _note(page, "note", inert(sentence))
    if finding.authorization:
        note = finding.authorization
        _note(
            page,
            "note",
            f"authorization {inert(note.authorization_id)} is {note.status.phrase}: {inert(note.sentence)}",
        )
    if finding.detected_at and (in_replay or finding.detected_at <= finding.last_seen):
        _note(page, "note", _first_flagged(finding, finding.detected_at, in_replay=in_replay))
    campaign = inert(finding.campaign_id)
    _note(page, "help", f"{inert(finding.action)}; accounts: accounts.parquet, campaign_id = {campaign}")
    _note(page, "help", f"stillwatch case open findings.json --campaign {campaign}")


def _first_flagged(finding: Finding, when: datetime, *, in_replay: bool) -> str:
    """Say when a campaign was first flagged, and what it had got by then."""
    leak = leaked(finding)
    after = f", after {figures.percent(leak.share)} of its exchanges" if leak else ""
    whose = "in the replay step" if in_replay else "by an earlier scan of the logs"
    return f"first flagged {whose} that ended {figures.minute(when)}{after}"


def _note(page: TerminalLines, name: str, words: str) -> None:
    """Write one note line."""
    page.line(Text.assemble((f"{name}: ", "bold"), words), first=_NOTE, rest=" " * len(_NOTE))


def _write_short(page: TerminalLines, finding: Finding) -> None:
    """Write a low finding in three lines: it asks for nobody's time."""
    _write_heading(page, finding)
    page.line(
        Text.assemble(
            (inert(finding.campaign_id), "bold"),
            ", ",
            (finding.label.phrase, _LABEL_STYLES[finding.label]),
            f": {inert(finding.title)}",
        ),
        first="  --> ",
    )
    for sentence in finding.severity_reasons[:1]:
        _note(page, "note", inert(sentence))
    _note(page, "help", inert(finding.action))
    page.line()


def _write_authorized(page: TerminalLines, finding: Finding) -> None:
    """Write one authorized cluster: what it is and which record covers it."""
    words = (
        f"[{figures.scope(finding)}]: {figures.plural(len(finding.accounts), 'account')}, "
        f"{figures.plural(finding.exchanges, 'exchange')}: {inert(finding.title)}"
    )
    page.line(Text.assemble(("authorized", "bold green"), (words, "bold")), rest="    ")
    if finding.authorization:
        note = finding.authorization
        _note(page, "note", f"{inert(note.authorization_id)}, {note.status.phrase}: {inert(note.sentence)}")
    page.line()


def _write_prevalence(page: TerminalLines, report: ScanReport) -> None:
    """Write the share of traffic that findings explain, and its load."""
    if report.prevalence:
        page.line(Text("prevalence: share of traffic that findings explain", style="bold"))
        for row in prevalence_lines(report.prevalence, page.width):
            page.line(row)
        page.line()
    page.line(f"load: {inert(report.service_load.sentence)}", rest="      ")
    page.line()


def _write_missing(page: TerminalLines, scanned: InputSummary) -> None:
    """Say once what evidence the logs could not give."""
    for sentence in scanned.missing_evidence:
        page.line(Text.assemble(("missing evidence: ", "bold yellow"), inert(sentence)), rest="    ")
    if scanned.missing_evidence:
        page.line()


def _write_baseline(page: TerminalLines, read: InputSummary | None) -> None:
    """Write what was read of the baseline period, which the last line does not count."""
    if read is None:
        return
    page.line(
        Text.assemble(
            ("baseline: ", "bold"), "; ".join([figures.plural(read.requests, "request"), *_losses(read)])
        ),
        rest="    ",
    )
    page.line()


def _losses(read: InputSummary) -> list[str]:
    """Say what was read and does not count."""
    return [
        *([f"{figures.plural(read.rejected, 'line')} rejected"] if read.rejected else []),
        *([f"{figures.plural(read.duplicates, 'duplicate')} dropped"] if read.duplicates else []),
    ]


def _summary(report: ScanReport) -> Text:
    """Return the line that ends the run."""
    scanned = report.scanned
    size = f"{figures.plural(scanned.requests, 'request')} of {figures.plural(scanned.accounts, 'account')}"
    pieces = [
        f"{_found(report.findings)} in {size}",
        *([f"{len(report.authorized)} authorized"] if report.authorized else []),
        *_losses(scanned),
        f"false-discovery rate {report.calibration.fdr:g}",
    ]
    style = _STYLES[report.worst] if report.worst else "bold green"
    return Text.assemble(("stillwatch", style), ": ", "; ".join(pieces))


def _found(findings: Iterable[Finding]) -> str:
    """Return how many findings there are, by severity: 4 findings (1 critical, 1 high, …)."""
    severities = [f.severity for f in findings]
    if not severities:
        return "no findings"
    counts = [(s, severities.count(s)) for s in reversed(Severity)]
    inside = ", ".join(f"{n} {s.value}" for s, n in counts if n)
    return f"{figures.plural(len(severities), 'finding')} ({inside})"
