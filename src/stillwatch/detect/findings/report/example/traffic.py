"""The ordinary traffic around the invented clusters, and what it makes of prevalence and load."""

from datetime import date, timedelta
from typing import Final

import numpy as np

from stillwatch.detect.findings.report.prevalence import prevalence
from stillwatch.detect.findings.report.service_load import service_load
from stillwatch.domain.findings import Finding, PrevalencePoint, ServiceLoad

UsageRow = tuple[date, str, str, float, float, float, float]
"""Week, model, account, requests, flagged requests, tokens, flagged tokens."""

FIRST_DAY: Final = date(2026, 11, 2)
DAYS: Final = 16
ACCOUNTS: Final = 6_031
REQUESTS: Final = 4_218_340
_MODELS: Final = ("boreal-3", "boreal-mini", "boreal-4")


def draw_prevalence(findings: tuple[Finding, ...], rng: np.random.Generator) -> tuple[PrevalencePoint, ...]:
    """Return prevalence computed from drawn usage and the findings' own days."""
    rows: list[UsageRow] = []
    ordinary = ACCOUNTS - sum(len(f.accounts) for f in findings)
    sizes = rng.lognormal(5.0, 1.3, ordinary)
    flagged_total = sum(f.exchanges for f in findings)
    sizes *= (REQUESTS - flagged_total) / sizes.sum()
    for n, size in enumerate(sizes):
        model = _MODELS[int(rng.choice(3, p=[0.55, 0.35, 0.10]))]
        for week in range(3):
            requests = round(size * (7, 7, 2)[week] / DAYS)
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
    return FIRST_DAY + timedelta(weeks=week)


def _flagged_rows(finding: Finding) -> list[UsageRow]:
    """Spread a finding's days and models evenly over its accounts."""
    share = finding.extraction.share if finding.extraction else 1.0
    tokens_each = (finding.input_tokens + finding.output_tokens) / finding.exchanges
    rows: list[UsageRow] = []
    for week in range(3):
        in_week = sum(p.exchanges for p in finding.timeline if (p.day - FIRST_DAY).days // 7 == week)
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


def draw_load(findings: tuple[Finding, ...], rng: np.random.Generator) -> ServiceLoad:
    """Return the load of the findings over drawn hours."""
    hours = np.arange(DAYS * 24)
    daily = np.array(
        [
            [sum(p.exchanges for p in f.timeline if (p.day - FIRST_DAY).days == h // 24) for h in hours]
            for f in findings
        ]
    )
    explained = np.array([f.extraction.share if f.extraction else 1.0 for f in findings])
    flagged = daily / 24 * rng.uniform(0.8, 1.2, daily.shape) * explained[:, None]
    tokens = np.array([(f.input_tokens + f.output_tokens) / f.exchanges for f in findings])
    output = np.array([f.output_tokens / f.exchanges for f in findings])
    requests = np.full(len(hours), REQUESTS / len(hours)) * (
        1 + 0.5 * np.sin((hours % 24 - 9) / 24 * 2 * np.pi)
    )
    return service_load(
        hour=np.datetime64(FIRST_DAY, "h") + hours,
        requests=requests,
        tokens=requests * 1_600,
        flagged_requests=flagged.sum(axis=0),
        flagged_tokens=tokens @ flagged,
        flagged_output_tokens=output @ flagged,
    )
