"""Build report.html.

The page shows text that attackers wrote, so three walls stand behind each other: `inert` writes dangerous
characters out, the template escapes everything, and the content security policy in the page names the hash of
the one style sheet and the one script and allows nothing else, no inline attribute and no address. It works from
a file, a mail attachment or a server, and asks nobody for anything.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stillwatch.detect.findings.report import figures
from stillwatch.detect.findings.report.accounts_table import account_rows
from stillwatch.detect.findings.report.html import drawing, overview
from stillwatch.detect.findings.report.inert import inert
from stillwatch.detect.findings.report.reading import innocent_in_order, leaked
from stillwatch.domain.findings import EvidenceKind, Finding, Label, ScanReport, Severity

_FOLDER: Final = Path(__file__).parent
_ACCOUNTS_SHOWN: Final = 200
_FULL_CARDS: Final = 60
"""Findings shown in full; the page stays quick to open. All of them are in findings.json."""

_IDS_SHOWN: Final = 400


@dataclass(frozen=True)
class Card:
    """One finding with its charts."""

    finding: Finding
    timeline: drawing.Timeline | None
    graph: drawing.Drawing | None
    sums: tuple[tuple[str, float], ...]
    most_nats: float


def build_page(report: ScanReport, rows: pa.Table | None = None) -> str:
    """Return the page as one string.

    Args:
        report: What the scan found.
        rows: One row per account seen (`ACCOUNT_VERDICTS`); None lists the accounts of the findings alone.
    """
    table = account_rows(report, ()) if rows is None else rows
    style, script = _asset("page.css"), _asset("page.js")
    first, last = _axis(report)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            cards=[_card(f, first, last) for f in report.findings[:_FULL_CARDS]],
            more=report.findings[_FULL_CARDS:],
            lanes=overview.draw_lanes(report, first, last),
            weeks=overview.draw_prevalence(report),
            prevalence=overview.table_points(report.prevalence),
            totals=next((p for p in report.prevalence if p.week_start is None and p.model is None), None),
            accounts=_listed(table),
            accounts_total=_flagged(table).num_rows,
            accounts_shown=_ACCOUNTS_SHOWN,
            ids_shown=_IDS_SHOWN,
            style=style,
            script=script,
            policy=_policy(style, script),
            favicon="data:image/svg+xml," + quote(_asset("mark.svg")),
            Severity=Severity,
            Label=Label,
        )
    )


@lru_cache(maxsize=8)
def _asset(name: str) -> str:
    """Read a file that lies beside this one."""
    return (_FOLDER / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Return the template environment: escapes everything and fails on a name it does not know."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters())
    return environment


def _filters() -> dict[str, Any]:
    """Return how the template writes figures and strange text."""
    return {
        "inert": inert,
        "said": _said,
        "count": figures.count,
        "short_count": figures.short_count,
        "plural": figures.plural,
        "nats": figures.nats,
        "chance": figures.chance,
        "leaked": leaked,
        "innocent_in_order": innocent_in_order,
        "percent": figures.percent,
        "level": figures.level,
        "day": figures.day,
        "minute": figures.minute,
        "at": lambda part, size: f"{part * size:.2f}".rstrip("0").rstrip("."),
    }


def _said(sentence: str) -> str:
    """Make a sentence safe and keep its figures together with their units at the end of a line."""
    return re.sub(r"(?<=\d) (?=%|nats\b)", "\N{NO-BREAK SPACE}", inert(sentence))


def _policy(style: str, script: str) -> str:
    """Return the content security policy: these two inline blocks and a drawn icon, nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    """Return the policy's name for one inline block."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _axis(report: ScanReport) -> tuple[date, date]:
    """Return the first and last day that every timeline shows."""
    days = [p.day for f in (*report.findings, *report.authorized) for p in f.timeline]
    first = (
        report.scanned.first.date() if report.scanned.first else min(days, default=report.generated_at.date())
    )
    last = report.scanned.last.date() if report.scanned.last else max(days, default=first)
    return first, last


def _card(finding: Finding, first: date, last: date) -> Card:
    """Draw one finding; a low one stays short."""
    full = finding.severity is not Severity.LOW
    return Card(
        finding=finding,
        timeline=drawing.draw_timeline(finding, first, last) if full else None,
        graph=drawing.draw_graph(finding) if full else None,
        sums=_sums(finding),
        most_nats=max((abs(e.nats) for e in finding.evidence), default=0.0) or 1.0,
    )


def _sums(finding: Finding) -> tuple[tuple[str, float], ...]:
    """Return the nats of each kind of evidence that there is: links and signals answer different questions."""
    kinds = [kind for kind in EvidenceKind if any(e.kind is kind for e in finding.evidence)]
    return tuple((kind.value, sum(e.nats for e in finding.evidence if e.kind is kind)) for kind in kinds)


def _flagged(rows: pa.Table) -> pa.Table:
    """Return the rows that carry a label."""
    return rows.filter(pc.is_valid(rows["label"]))


def _listed(rows: pa.Table) -> list[dict[str, Any]]:
    """Return the labeled accounts to list: most severe first, at most `_ACCOUNTS_SHOWN`."""
    flagged = _flagged(rows)
    rank = pa.array([Severity(s.as_py()).rank if s.is_valid else 0 for s in flagged["severity"]], pa.int8())
    ordered = flagged.append_column("rank", rank).sort_by(
        [("rank", "descending"), ("q_value", "ascending"), ("account_id", "ascending")]
    )
    listed: list[dict[str, Any]] = ordered.slice(0, _ACCOUNTS_SHOWN).to_pylist()
    return listed
