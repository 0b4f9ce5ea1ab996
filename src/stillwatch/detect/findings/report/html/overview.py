"""What the charts over all findings need to be drawn: lanes over time, and prevalence by week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from stillwatch.detect.findings.report import figures
from stillwatch.detect.findings.report.html.drawing import Tick, axis_ticks
from stillwatch.domain.findings import Finding, PrevalencePoint, ScanReport

_LANES: Final = 14
"""Findings in the overview; the page lists the rest below."""

_NICE_STEPS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_STEPS_WANTED: Final = 4
_TABLE_ROWS: Final = 60


@dataclass(frozen=True)
class Cell:
    """One day of a lane: place 0 to 1 and strength 0 to 1."""

    left: float
    strength: float
    title: str


@dataclass(frozen=True)
class Lane:
    """One finding's days in the overview."""

    finding: Finding
    cells: tuple[Cell, ...]
    flagged_at: float | None


@dataclass(frozen=True)
class Lanes:
    """All findings on one time axis."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    day_width: float
    hidden: int


@dataclass(frozen=True)
class Whisker:
    """One share with its interval, on an axis from 0 to 1."""

    share: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Week:
    """One week over all models: the share of requests and of tokens."""

    name: str
    requests: Whisker
    tokens: Whisker


@dataclass(frozen=True)
class Weeks:
    """Prevalence by week, and the axis it is drawn on."""

    weeks: tuple[Week, ...]
    ticks: tuple[Tick, ...]


def draw_lanes(report: ScanReport, first: date, last: date) -> Lanes | None:
    """Lay the findings out over the scanned days, or nothing when there are none.

    Args:
        report: What the scan found.
        first: first day of the axis.
        last: last day of the axis.
    """
    shown = [f for f in report.findings if f.timeline][:_LANES]
    if not shown:
        return None
    days = max((last - first).days + 1, 1)
    return Lanes(
        lanes=tuple(_lane(f, first, days) for f in shown),
        ticks=axis_ticks(first, days, wanted=8),
        day_width=1 / days,
        hidden=len(report.findings) - len(shown),
    )


def _lane(finding: Finding, first: date, days: int) -> Lane:
    """Return one finding's days; strength is relative to its own busiest day."""
    most = max(1, *(p.exchanges for p in finding.timeline))
    at = None if finding.detected_at is None else ((finding.detected_at.date() - first).days) / days
    return Lane(
        finding=finding,
        cells=tuple(
            Cell(
                left=(p.day - first).days / days,
                strength=p.exchanges / most,
                title=f"{figures.day(p.day)}: {figures.plural(p.exchanges, 'exchange')}",
            )
            for p in finding.timeline
            if 0 <= (p.day - first).days < days
        ),
        flagged_at=at if at is not None and 0 <= at <= 1 else None,
    )


def draw_prevalence(report: ScanReport) -> Weeks | None:
    """Lay the weekly shares over all models out, or nothing without any."""
    points = [p for p in report.prevalence if p.week_start is not None and p.model is None]
    if not points:
        return None
    top = max(max(p.high, p.token_high) for p in points)
    step = next((s for s in _NICE_STEPS if s * _STEPS_WANTED >= top), 1.0)
    end = min(step * _STEPS_WANTED, 1.0)
    steps = round(end / step)
    return Weeks(
        weeks=tuple(_week(p, end) for p in points),
        ticks=tuple(Tick(at=n / steps, text=figures.level(n * step)) for n in range(steps + 1)),
    )


def table_points(points: Sequence[PrevalencePoint]) -> list[PrevalencePoint]:
    """Return the points that the table shows: all, or without single models in single weeks when they are many."""
    if len(points) <= _TABLE_ROWS:
        return list(points)
    return [p for p in points if p.week_start is None or p.model is None][:_TABLE_ROWS]


def _week(point: PrevalencePoint, end: float) -> Week:
    """Return one week on an axis that ends at `end`."""
    return Week(
        name=figures.short_day(point.week_start) if point.week_start else "",
        requests=_whisker(point.share, point.low, point.high, end),
        tokens=_whisker(point.token_share, point.token_low, point.token_high, end),
    )


def _whisker(share: float, low: float, high: float, end: float) -> Whisker:
    """Return one share on an axis that ends at `end`."""
    text = f"{figures.percent(share)} ({figures.span(low, high)})"
    return Whisker(min(share / end, 1.0), min(low / end, 1.0), min(high / end, 1.0), text)
