"""A complete report of an invented scan, for the docs, the screenshots and the tests.

The same seed gives the same bytes. See `example_story` for what it tells.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stillwatch.detect.findings.report.example_story import STORIES, Story
from stillwatch.detect.findings.report.prevalence import prevalence
from stillwatch.detect.findings.report.service_load import service_load
from stillwatch.domain.findings import (
    CalibrationSummary,
    Exemplar,
    Finding,
    GraphEdge,
    GraphNode,
    GraphSample,
    InputSummary,
    Label,
    PrevalencePoint,
    ReplayStep,
    ScanReport,
    ServiceLoad,
    TimelinePoint,
)

Indices = NDArray[np.int64]
UsageRow = tuple[date, str, str, float, float, float, float]
"""Week, model, account, requests, flagged requests, tokens, flagged tokens."""

_FIRST_DAY: Final = date(2026, 11, 2)
_DAYS: Final = 16
_ACCOUNTS: Final = 6_031
_REQUESTS: Final = 4_218_340
_GENERATED: Final = datetime(2026, 11, 18, 6, 4, 12, tzinfo=UTC)
_GRAPH_NODES: Final = 90
_LINKS_PER_ACCOUNT: Final = 3
_MODELS: Final = ("boreal-3", "boreal-mini", "boreal-4")


def example_report(seed: int = 7) -> ScanReport:
    """Return the report of an invented scan: four findings and one authorized cluster.

    Args:
        seed: seeds days, graphs and ids.
    """
    rng = np.random.default_rng(seed)
    clusters = [_finding(story, rng) for story in STORIES]
    findings = tuple(c for c in clusters if c.label is not Label.AUTHORIZED)
    return ScanReport(
        tool_version="0.1.0",
        generated_at=_GENERATED,
        scanned=_input(),
        calibration=_calibration(),
        findings=findings,
        authorized=tuple(c for c in clusters if c.label is Label.AUTHORIZED),
        prevalence=_prevalence(findings, rng),
        service_load=_load(findings, rng),
        replay=_replay(findings),
    )


def _input() -> InputSummary:
    """Return what the invented scan read."""
    return InputSummary(
        files=48,
        requests=_REQUESTS,
        rejected=212,
        duplicates=1_904,
        accounts=_ACCOUNTS,
        first=datetime.combine(_FIRST_DAY, time(0, 0, 3), UTC),
        last=datetime.combine(_FIRST_DAY + timedelta(_DAYS - 1), time(23, 59, 58), UTC),
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


def _prevalence(findings: tuple[Finding, ...], rng: np.random.Generator) -> tuple[PrevalencePoint, ...]:
    """Return prevalence computed from drawn usage and the findings' own days."""
    rows: list[UsageRow] = []
    ordinary = _ACCOUNTS - sum(len(f.accounts) for f in findings)
    sizes = rng.lognormal(5.0, 1.3, ordinary)
    flagged_total = sum(f.exchanges for f in findings)
    sizes *= (_REQUESTS - flagged_total) / sizes.sum()
    for n, size in enumerate(sizes):
        model = _MODELS[int(rng.choice(3, p=[0.55, 0.35, 0.10]))]
        for week in range(3):
            requests = round(size * (7, 7, 2)[week] / _DAYS)
            rows.append((_monday(week), model, f"ordinary-{n}", requests, 0.0, requests * 1_450.0, 0.0))
    rows.extend(row for finding in findings for row in _flagged_rows(finding))
    week_start, models, accounts, requested, flagged, tokens, flagged_tokens = zip(*rows, strict=True)
    return prevalence(
        week_start=[str(week) for week in week_start],
        model=models,
        account=accounts,
        requests=requested,
        tokens=tokens,
        flagged_requests=flagged,
        flagged_tokens=flagged_tokens,
    )


def _monday(week: int) -> date:
    """Return the Monday of one of the invented weeks."""
    return _FIRST_DAY + timedelta(weeks=week)


def _flagged_rows(finding: Finding) -> list[UsageRow]:
    """Spread a finding's days and models evenly over its accounts."""
    share = finding.extraction.share if finding.extraction else 1.0
    tokens_each = (finding.input_tokens + finding.output_tokens) / finding.exchanges
    rows: list[UsageRow] = []
    for week in range(3):
        in_week = sum(p.exchanges for p in finding.timeline if (p.day - _FIRST_DAY).days // 7 == week)
        for model, total in finding.models.items():
            each = in_week * total / finding.exchanges / len(finding.accounts)
            flagged = each * share
            row = (_monday(week), model)
            rows.extend(
                (*row, a, each, flagged, each * tokens_each, flagged * tokens_each)
                for a in finding.accounts
                if each
            )
    return rows


def _load(findings: tuple[Finding, ...], rng: np.random.Generator) -> ServiceLoad:
    """Return the load of the findings over drawn hours."""
    hours = np.arange(_DAYS * 24)
    daily = np.array(
        [
            [sum(p.exchanges for p in f.timeline if (p.day - _FIRST_DAY).days == h // 24) for h in hours]
            for f in findings
        ]
    )
    explained = np.array([f.extraction.share if f.extraction else 1.0 for f in findings])
    flagged = daily / 24 * rng.uniform(0.8, 1.2, daily.shape) * explained[:, None]
    tokens = np.array([(f.input_tokens + f.output_tokens) / f.exchanges for f in findings])
    output = np.array([f.output_tokens / f.exchanges for f in findings])
    requests = np.full(len(hours), _REQUESTS / len(hours)) * (
        1 + 0.5 * np.sin((hours % 24 - 9) / 24 * 2 * np.pi)
    )
    return service_load(
        hour=np.datetime64(_FIRST_DAY, "h") + hours,
        requests=requests,
        tokens=requests * 1_600,
        flagged_requests=flagged.sum(axis=0),
        flagged_tokens=tokens @ flagged,
        flagged_output_tokens=output @ flagged,
    )


def _replay(findings: tuple[Finding, ...]) -> tuple[ReplayStep, ...]:
    """Return one step per day, with what was first flagged in it."""
    ends = [_midnight(_FIRST_DAY, n + 1) for n in range(_DAYS)]
    return tuple(
        ReplayStep(step_end=end, findings=tuple(f.finding_id for f in findings if f.detected_at == end))
        for end in ends
    )
