"""The prevalence table of the terminal report, aligned by display cells."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from stillwatch.detect.findings.report import figures
from stillwatch.detect.findings.report.inert import inert
from stillwatch.domain.findings import PrevalencePoint

_MODEL_CHARS: Final = 24
_GAP: Final = "  "
_HEADING: Final = (
    "week of",
    "model",
    "requests",
    "share",
    "95 % interval",
    "tokens",
    "share",
    "95 % interval",
)
_LEFT: Final = 2
"""The first two columns are words and stand left; figures stand right."""

_NARROW_COLUMNS: Final = 5
"""What is left of the table where tokens do not fit."""

_LONGEST: Final = 24
"""Lines after which a table no longer helps on a terminal; findings.json has every week of every model."""


def prevalence_lines(points: Sequence[PrevalencePoint], width: int) -> Iterator[Text]:
    """Yield the table's lines, without the token columns when the width is too small for them.

    Args:
        points: prevalence points, in the order of the report. When they are many, only whole weeks and whole
            models are shown.
        width: columns to fit into.
    """
    if len(points) > _LONGEST:
        points = [p for p in points if p.week_start is None or p.model is None][:_LONGEST]
    rows = [_heading(points), *(_row(p) for p in points)]
    widths = [max(Text(row[n]).cell_len for row in rows) for n in range(len(_HEADING))]
    columns = len(_HEADING) if sum(widths) + len(_GAP) * len(widths) <= width else _NARROW_COLUMNS
    for number, row in enumerate(rows):
        line = _aligned(row[:columns], widths)
        whole = number > 0 and points[number - 1].model is None
        line.stylize("dim" if number == 0 else "bold" if whole else "")
        yield line


def _heading(points: Sequence[PrevalencePoint]) -> tuple[str, ...]:
    """Return the headings, with the level that the intervals have."""
    level = f"{figures.level(points[0].level)} interval" if points else _HEADING[4]
    return (*_HEADING[:4], level, *_HEADING[5:7], level)


def _row(point: PrevalencePoint) -> tuple[str, ...]:
    """Return the cells of one point."""
    return (
        "all weeks" if point.week_start is None else point.week_start.isoformat(),
        "all models" if point.model is None else inert(point.model, _MODEL_CHARS),
        figures.count(point.requests),
        figures.percent(point.share),
        figures.span(point.low, point.high),
        figures.short_count(point.tokens),
        figures.percent(point.token_share),
        figures.span(point.token_low, point.token_high),
    )


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> Text:
    """Return one line, words left and figures right."""
    line = Text("  ")
    for number, cell in enumerate(cells):
        space = " " * (widths[number] - Text(cell).cell_len)
        line.append(cell + space if number < _LEFT else space + cell)
        line.append(_GAP)
    line.rstrip()
    return line
