"""A complete report, and the same report written by somebody hostile."""

import pytest

from stillwatch.detect.findings.report.example import example_report
from stillwatch.domain.findings import Exemplar, Explanation, Finding, ScanReport, Verdict

HOSTILE_TEXTS = (
    "</style></script><script>window.pwned=1</script>",
    '"><img src=x onerror=window.pwned=1>',
    "<svg onload=window.pwned=1><use href=https://evil.example/x#y></svg>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "javascript:window.pwned=1 <a href='javascript:window.pwned=1'>click</a>",
    "\x1b[2J\x1b]8;;https://evil.example\x07clear\x1b[31m",
    "abc\u202egnp.exe\u2066 \u200b zero",
    "[bold red]markup[/bold red] :bomb:",
)


@pytest.fixture(scope="session")
def report() -> ScanReport:
    """Return the example report."""
    return example_report()


@pytest.fixture(scope="session")
def hostile_report(report: ScanReport) -> ScanReport:
    """Return the example report with every text that traffic can carry replaced by an attack."""
    return report.model_copy(update={"findings": tuple(_poison(f) for f in report.findings)})


def _poison(finding: Finding) -> Finding:
    """Put attacks wherever a log could put them."""
    texts = HOSTILE_TEXTS
    exemplars = [Exemplar(template="ab12", text=t, accounts=1, exchanges=1) for t in texts]
    evidence = [
        e.model_copy(update={"sentence": texts[n % len(texts)]}) for n, e in enumerate(finding.evidence)
    ]
    accounts = (*texts, *finding.accounts[len(texts) :])
    nodes = [
        n.model_copy(update={"account_id": n.account_id + texts[i % len(texts)]})
        for i, n in enumerate(finding.graph.nodes)
    ]
    renamed = dict(
        zip((n.account_id for n in finding.graph.nodes), (n.account_id for n in nodes), strict=True)
    )
    edges = [
        e.model_copy(
            update={"source": renamed[e.source], "target": renamed[e.target], "kinds": (texts[1], *e.kinds)}
        )
        for e in finding.graph.edges
    ]
    return finding.model_copy(
        update={
            "title": texts[0],
            "exemplars": tuple(exemplars),
            "evidence": tuple(evidence),
            "accounts": accounts,
            "innocent": (Explanation(name=texts[2], sentence=texts[3], verdict=Verdict.POSSIBLE),),
            "controls_defeated": texts,
            "severity_reasons": texts,
            "models": dict.fromkeys(texts, 1),
            "surfaces": dict.fromkeys(texts, 1),
            "graph": finding.graph.model_copy(update={"nodes": tuple(nodes), "edges": tuple(edges)}),
            "action": texts[1],
        }
    )
