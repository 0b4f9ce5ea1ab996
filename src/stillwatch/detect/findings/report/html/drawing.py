"""What the charts of one finding need to be drawn: plain coordinates, no markup."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stillwatch.detect.findings.report import figures
from stillwatch.detect.findings.report.html.layout import place_nodes
from stillwatch.domain.findings import Finding, GraphEdge, GraphNode, GraphSample

_NODES_DRAWN: Final = 150
_EDGES_DRAWN: Final = 450
"""More than a reader can tell apart only makes the page slow; the totals are said beside the drawing."""

_KIND_STYLES: Final = 6
"""Distinct line styles in the style sheet; rarer kinds of link share the last one."""


@dataclass(frozen=True)
class Bar:
    """One day of a timeline: where it stands and how high, 0 to 1."""

    left: float
    width: float
    exchanges: float
    accounts: float
    title: str


@dataclass(frozen=True)
class Tick:
    """One label of the time axis, at 0 to 1."""

    at: float
    text: str


@dataclass(frozen=True)
class Level:
    """One label of a value axis, at 0 to 1."""

    at: float
    text: str


@dataclass(frozen=True)
class Timeline:
    """A finding's days on the axis of the whole scan."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    flagged_at: float | None
    flagged_text: str
    levels: tuple[Level, ...]
    most_accounts: int
    words: str


@dataclass(frozen=True)
class Dot:
    """One account in the drawing, at 0 to 1, with a radius in pixels."""

    x: float
    y: float
    radius: float
    title: str


@dataclass(frozen=True)
class Line:
    """One link in the drawing; `style` numbers its kind."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    style: int
    title: str


@dataclass(frozen=True)
class KindOfLink:
    """One kind of link: its line style, name, and how many drawn links are mainly of it."""

    style: int
    name: str
    links: int


@dataclass(frozen=True)
class Drawing:
    """The account graph of a finding, as a capped sample."""

    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    kinds: tuple[KindOfLink, ...]
    words: str


def draw_timeline(finding: Finding, first: date, last: date) -> Timeline | None:
    """Lay a finding's days out between the first and last day of the scan.

    Args:
        finding: The finding.
        first: first day of the axis.
        last: last day of the axis.
    """
    points = finding.timeline
    if not points:
        return None
    first, last = min(first, points[0].day), max(last, points[-1].day)
    days = (last - first).days + 1
    most = max(1, *(p.exchanges for p in points))
    most_accounts = max(1, *(p.accounts for p in points))
    bars = tuple(
        Bar(
            left=(p.day - first).days / days,
            width=1 / days,
            exchanges=p.exchanges / most,
            accounts=p.accounts / most_accounts,
            title=f"{figures.day(p.day)}: {figures.plural(p.exchanges, 'exchange')}, "
            f"{figures.plural(p.accounts, 'account')}, {figures.short_count(p.output_tokens)} output tokens",
        )
        for p in points
    )
    busiest = max(points, key=lambda p: p.exchanges)
    return Timeline(
        bars=bars,
        ticks=axis_ticks(first, days),
        flagged_at=_position(finding.detected_at, first, days),
        flagged_text=f"flagged {figures.short_day(finding.detected_at)}" if finding.detected_at else "",
        levels=value_levels(most),
        most_accounts=most_accounts,
        words=f"{figures.plural(len(points), 'active day')} from {figures.short_day(points[0].day)} to "
        f"{figures.short_day(points[-1].day)}, busiest on {figures.short_day(busiest.day)} with "
        f"{figures.plural(busiest.exchanges, 'exchange')} from {figures.plural(busiest.accounts, 'account')}.",
    )


def _position(when: datetime | None, first: date, days: int) -> float | None:
    """Return an instant's place on the axis, or None outside it."""
    if when is None:
        return None
    at = ((when.date() - first).days + when.hour / 24) / days
    return at if 0 <= at <= 1 else None


def axis_ticks(first: date, days: int, wanted: int = 6) -> tuple[Tick, ...]:
    """Return about as many day labels as wanted, at the middle of their days."""
    step = max(1, round(days / wanted))
    return tuple(
        Tick(at=(n + 0.5) / days, text=figures.short_day(first + timedelta(n))) for n in range(0, days, step)
    )


def value_levels(most: int, wanted: int = 3) -> tuple[Level, ...]:
    """Return about as many round values as wanted, up to the largest one seen."""
    rough = max(most, 1) / wanted
    magnitude = 10.0 ** np.floor(np.log10(rough))
    step = max(next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= rough * 0.8), 1.0)
    return tuple(
        Level(at=n * step / most, text=figures.short_count(n * step)) for n in range(1, int(most / step) + 1)
    )


def draw_graph(finding: Finding) -> Drawing | None:
    """Lay out the strongest part of a finding's sampled graph, or nothing when there is no link."""
    nodes = sorted(finding.graph.nodes, key=lambda n: -n.exchanges)[:_NODES_DRAWN]
    number = {node.account_id: n for n, node in enumerate(nodes)}
    edges = sorted(
        (e for e in finding.graph.edges if e.source in number and e.target in number), key=lambda e: -e.nats
    )[:_EDGES_DRAWN]
    if not edges:
        return None
    pairs = np.array([(number[e.source], number[e.target]) for e in edges])
    places = place_nodes(len(nodes), pairs, np.array([max(e.nats, 0.1) for e in edges]))
    kinds = _kinds(edges)
    style = {kind.name: kind.style for kind in kinds}
    return Drawing(
        dots=_dots(nodes, places),
        lines=_lines(edges, pairs, places, style),
        kinds=kinds,
        words=_how_much(finding.graph, len(nodes), len(edges)),
    )


def _how_much(graph: GraphSample, nodes: int, edges: int) -> str:
    """Say how much of the whole graph is drawn."""
    accounts, links = max(graph.total_nodes, nodes), max(graph.total_edges, edges)
    if (nodes, edges) == (accounts, links):
        return f"All {figures.plural(accounts, 'account')} and {figures.plural(links, 'link')} are drawn."
    return (
        f"{figures.count(nodes)} of {figures.plural(accounts, 'account')} and {figures.count(edges)} of "
        f"{figures.plural(links, 'link')} are drawn, the busiest and the strongest."
    )


def _dots(nodes: list[GraphNode], places: NDArray[Any]) -> tuple[Dot, ...]:
    """Return the accounts, larger where they exchanged more."""
    most = max((n.exchanges for n in nodes), default=0) or 1
    return tuple(
        Dot(
            x=float(places[n, 0]),
            y=float(places[n, 1]),
            radius=round(2.5 + 4.5 * float(np.sqrt(node.exchanges / most)), 2),
            title=f"{node.account_id}: {figures.plural(node.exchanges, 'exchange')}",
        )
        for n, node in enumerate(nodes)
    )


def _lines(
    edges: list[GraphEdge], pairs: NDArray[Any], places: NDArray[Any], style: dict[str, int]
) -> tuple[Line, ...]:
    """Return the links, thicker where they carry more nats."""
    most = max(e.nats for e in edges)
    return tuple(
        Line(
            x1=float(places[source, 0]),
            y1=float(places[source, 1]),
            x2=float(places[target, 0]),
            y2=float(places[target, 1]),
            width=round(0.6 + 1.8 * max(edge.nats, 0.0) / max(most, 0.1), 2),
            style=style[_main_kind(edge)],
            title=f"{edge.source} and {edge.target}: {figures.nats(edge.nats)} nats, {', '.join(edge.kinds)}",
        )
        for edge, (source, target) in zip(edges, pairs.tolist(), strict=True)
    )


def _main_kind(edge: GraphEdge) -> str:
    """Return the first kind of a link, which is how it is drawn."""
    return edge.kinds[0] if edge.kinds else "unnamed"


def _kinds(edges: list[GraphEdge]) -> tuple[KindOfLink, ...]:
    """Number the kinds of link, most frequent first."""
    counts = Counter(_main_kind(e) for e in edges)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(KindOfLink(min(n, _KIND_STYLES - 1), name, links) for n, (name, links) in enumerate(ordered))
