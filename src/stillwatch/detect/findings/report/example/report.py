"""A complete report of an invented scan, for the docs, the screenshots and the tests.

The same seed gives the same bytes. See `stories.yml` for what it tells.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stillwatch.detect.findings.report.example.story import Story, load_stories
from stillwatch.detect.findings.report.example.traffic import (
    ACCOUNTS,
    DAYS,
    FIRST_DAY,
    REQUESTS,
    draw_load,
    draw_prevalence,
)
from stillwatch.domain.findings import (
    CalibrationSummary,
    Exemplar,
    Finding,
    GraphEdge,
    GraphNode,
    GraphSample,
    InputSummary,
    Label,
    ReplayStep,
    ScanReport,
    TimelinePoint,
)

Indices = NDArray[np.int64]

_GENERATED: Final = datetime(2026, 11, 18, 6, 4, 12, tzinfo=UTC)
_GRAPH_NODES: Final = 90
_LINKS_PER_ACCOUNT: Final = 3


def example_report(seed: int = 7) -> ScanReport:
    """Return the report of an invented scan: four findings and one authorized cluster.

    Args:
        seed: seeds days, graphs and ids.
    """
    rng = np.random.default_rng(seed)
    clusters = [_finding(story, rng) for story in load_stories()]
    findings = tuple(c for c in clusters if c.label is not Label.AUTHORIZED)
    return ScanReport(
        tool_version="0.1.0",
        generated_at=_GENERATED,
        scanned=_input(),
        calibration=_calibration(),
        findings=findings,
        authorized=tuple(c for c in clusters if c.label is Label.AUTHORIZED),
        prevalence=draw_prevalence(findings, rng),
        service_load=draw_load(findings, rng),
        replay=_replay(findings),
    )


def _input() -> InputSummary:
    """Return what the invented scan read."""
    return InputSummary(
        files=48,
        requests=REQUESTS,
        rejected=212,
        duplicates=1_904,
        accounts=ACCOUNTS,
        first=datetime.combine(FIRST_DAY, time(0, 0, 3), UTC),
        last=datetime.combine(FIRST_DAY + timedelta(DAYS - 1), time(23, 59, 58), UTC),
        formats={"parquet": 32, "litellm": 16},
        missing_evidence=(
            "No phone country in the accounts file: the creation-cohort link loses about 1 nat.",
            "Requests over bedrock carry no client address: 24 % of them have no network evidence.",
        ),
    )


def _calibration() -> CalibrationSummary:
    """Return what the invented evidence was compared with."""
    return CalibrationSummary(
        mode="self",
        reference_clusters=412,
        contamination=0.07,
        fdr=0.05,
        clusters_tested=57,
        sentence="Evidence was compared with 412 clusters formed in the same way from ordinary accounts of this "
        "scan; about 7 % of them look hostile themselves, which makes p-values larger, not smaller.",
    )


def _finding(story: Story, rng: np.random.Generator) -> Finding:
    """Draw days, graph and account ids for one story."""
    ids = tuple(f"acct-{n:06x}" for n in sorted(rng.choice(2**24, story.accounts, replace=False).tolist()))
    timeline = _timeline(story, rng)
    start = datetime.combine(story.first, time(0, 12, 9), UTC)
    detected = None if story.detected_on_day is None else _midnight(story.first, story.detected_on_day)
    return Finding(
        finding_id=f"f-{story.campaign_id[2:]}",
        campaign_id=story.campaign_id,
        label=story.label,
        title=story.title,
        severity=story.severity,
        severity_reasons=story.reasons,
        confidence=story.confidence,
        p_value=story.p_value,
        q_value=story.q_value,
        accounts=ids,
        exchanges=story.exchanges,
        input_tokens=story.exchanges * story.tokens_in,
        output_tokens=story.exchanges * story.tokens_out,
        first_seen=start,
        last_seen=start + timedelta(days=story.days - 1, hours=22, minutes=31),
        detected_at=detected,
        extraction=story.extraction,
        evidence=story.evidence,
        innocent=story.innocent,
        exemplars=_exemplars(story, rng),
        timeline=timeline,
        graph=_graph(story, ids, rng),
        models=_split(story.exchanges, story.models),
        surfaces=_split(story.exchanges, story.surfaces),
        controls_defeated=story.controls,
        atlas=story.atlas,
        authorization=story.authorization,
        action=story.action,
    )


def _midnight(first: date, days: int) -> datetime:
    """Return the end of a daily replay step."""
    return datetime.combine(first + timedelta(days=days), time(), UTC)


def _split(total: int, shares: dict[str, float]) -> dict[str, int]:
    """Split a total by shares, losing nothing to rounding."""
    names = list(shares)
    parts = [round(total * shares[name]) for name in names[1:]]
    return dict(zip(names, [total - sum(parts), *parts], strict=True))


def _timeline(story: Story, rng: np.random.Generator) -> tuple[TimelinePoint, ...]:
    """Draw the days of one cluster: a ramp, then a plateau, and a step up after a release."""
    day = np.arange(story.days)
    weight = np.minimum(1.0, (day + 1) / 3) * rng.uniform(0.9, 1.1, story.days)
    if story.pivots:
        weight[day >= 8] *= 1.45
    exchanges = np.floor(weight / weight.sum() * story.exchanges).astype(int)
    exchanges[-1] += story.exchanges - exchanges.sum()
    active = np.minimum(story.accounts, np.ceil(story.accounts * np.minimum(1.0, (day + 2) / 4))).astype(int)
    return tuple(
        TimelinePoint(
            day=story.first + timedelta(days=int(d)),
            exchanges=int(exchanges[d]),
            accounts=int(active[d]),
            output_tokens=int(exchanges[d]) * story.tokens_out,
        )
        for d in day
    )


def _exemplars(story: Story, rng: np.random.Generator) -> tuple[Exemplar, ...]:
    """Give each template family of the story an id and its counts."""
    return tuple(
        Exemplar(
            template=f"{int(rng.integers(2**48)):012x}",
            text=text,
            accounts=max(1, story.accounts * (9 - 2 * rank) // 10),
            exchanges=story.exchanges // (2 + 2 * rank),
        )
        for rank, text in enumerate(story.exemplars)
    )


def _graph(story: Story, ids: tuple[str, ...], rng: np.random.Generator) -> GraphSample:
    """Draw a graph of a few groups, each held together by its own kind of link."""
    size = min(_GRAPH_NODES, len(ids))
    groups = rng.integers(0, len(story.link_kinds), size)
    mean = story.exchanges / story.accounts
    nodes = tuple(
        GraphNode(account_id=ids[n], exchanges=round(mean * rng.uniform(0.6, 1.4))) for n in range(size)
    )
    pairs = {
        (n, int(rng.choice(nearby)))
        for n in range(1, size)
        for nearby in (_earlier(n, groups, rng),)
        for _ in range(_LINKS_PER_ACCOUNT)
    }
    edges = tuple(
        GraphEdge(
            source=ids[other],
            target=ids[n],
            nats=round(float(rng.uniform(2.0, 11.0)), 2),
            kinds=story.link_kinds[int(groups[n])],
        )
        for n, other in sorted(pairs)
    )
    return GraphSample(
        nodes=nodes, edges=edges, total_nodes=len(ids), total_edges=len(edges) * len(ids) // size
    )


def _earlier(node: int, groups: Indices, rng: np.random.Generator) -> Indices:
    """Return the earlier nodes that a node may link to: its own group, now and then any."""
    same = np.flatnonzero(groups[:node] == groups[node])
    return same if len(same) and rng.random() > 0.06 else np.arange(node)


def _replay(findings: tuple[Finding, ...]) -> tuple[ReplayStep, ...]:
    """Return one step per day, with what was first flagged in it."""
    ends = [_midnight(FIRST_DAY, n + 1) for n in range(DAYS)]
    return tuple(
        ReplayStep(step_end=end, findings=tuple(f.finding_id for f in findings if f.detected_at == end))
        for end in ends
    )
