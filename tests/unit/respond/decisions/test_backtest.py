"""A backtest says whom a playbook would have hit, request by request."""

import random
from collections.abc import Mapping
from datetime import timedelta

import pyarrow as pa
import pytest
from tests.unit.respond.decisions.conftest import START, make_decision, make_finding

from stillwatch.domain.decisions import Decision
from stillwatch.domain.findings import CalibrationSummary, Finding, InputSummary, ReplayStep, ScanReport
from stillwatch.domain.requests import TIME_TYPE
from stillwatch.respond.decisions.backtest import BacktestReport, TrueKind, backtest
from stillwatch.respond.decisions.playbook import Playbook
from stillwatch.respond.decisions.playbook_files import example, parse
from stillwatch.respond.decisions.rendering import backtest_text

TRUTH = {
    "a": TrueKind("distillation", "bulk"),
    "b": TrueKind("distillation", "bulk"),
    "c": TrueKind("benign", "pipeline"),
}


def book(step: str, when: str = "{label: [distillation]}") -> Playbook:
    return parse(f"name: p\nversion: 1\nrules:\n  - {{name: r, when: {when}, steps: [{step}]}}\n", "p.yaml")


def scanned(*findings: Finding, replayed: bool = False) -> ScanReport:
    return ScanReport(
        tool_version="0",
        generated_at=START,
        scanned=InputSummary(files=1, requests=1),
        calibration=CalibrationSummary(mode="self", reference_clusters=1, fdr=0.05),
        findings=findings,
        replay=(ReplayStep(step_end=START),) if replayed else (),
    )


def requests(*rows: tuple[str, float]) -> pa.RecordBatch:
    """Return requests by account and hours after the first of them."""
    start = START - timedelta(days=3)
    return pa.record_batch(
        {
            "account_id": pa.array([account for account, _ in rows], pa.string()),
            "time": pa.array([start + timedelta(hours=hours) for _, hours in rows], TIME_TYPE),
        }
    )


def run(step: str, *rows: tuple[str, float], replayed: bool = False, **finding: object) -> BacktestReport:
    report = scanned(make_finding(**finding), replayed=replayed)
    return backtest(book(step), report, [requests(*rows)], rng=random.Random(1), truth=TRUTH)


def test_every_request_of_a_blocked_account_is_refused_while_the_step_lasts() -> None:
    found = run("{action: block, for: 2h}", ("a", 0.5), ("b", 1), ("c", 1.5), ("a", 2.5), ("z", 1))
    assert (found.requests, found.touched, found.refused) == (5, 3, 3)
    assert (found.accounts, found.hurt, found.benign_hurt) == (3, 3, 1)


def test_a_pooled_bucket_is_played_as_it_would_have_run() -> None:
    step = "{action: throttle, for: 9h, requests_per_min: 1, burst: 2, pooled: true}"
    found = run(step, *(("abc"[number % 3], number / 3_600) for number in range(9)))
    assert (found.touched, found.refused) == (9, 7)


def test_what_is_withheld_is_counted_and_not_refused() -> None:
    found = run("{action: withhold, withhold: [logprobs], for: 9h}", ("a", 1), ("b", 2))
    assert (found.refused, found.withheld) == (0, 2)


def test_a_replay_begins_when_the_campaign_was_found() -> None:
    rows = [("a", hours) for hours in range(10)]
    late = START - timedelta(days=3) + timedelta(hours=6)
    assert run("{action: block, for: 9d}", *rows, replayed=True, detected_at=late).refused == 4
    assert run("{action: block, for: 9d}", *rows, detected_at=late).refused == 10


def test_who_was_hit_is_said_by_archetype_and_label() -> None:
    found = run("{action: block, for: 9h}", ("a", 1), ("a", 2), ("c", 3))
    kinds = {(group.label, group.archetype): group for group in found.groups}
    assert kinds["distillation", "bulk"].accounts == 2
    assert kinds["distillation", "bulk"].refused == 2
    assert kinds["benign", "pipeline"].hurt == 1
    assert found.labels == {"distillation": 3}


def test_overlap_counts_accounts_about_which_something_is_in_force() -> None:
    standing: Decision = make_decision(accounts=("a", "q"))
    found = backtest(
        book("{action: verify, for: 9h}"), scanned(make_finding()), rng=random.Random(1), in_force=[standing]
    )
    assert found.overlap == {"verify": 1}


def test_without_truth_nobody_is_called_benign() -> None:
    found = backtest(example(), scanned(make_finding()), rng=random.Random(1))
    assert found.benign_hurt is None
    assert {step.benign for step in found.steps} == {None}


def test_chance_is_an_argument() -> None:
    step = "{action: block, for: 9h, share: 0.5, after: {min: 0m, max: 3h}}"
    rows = [("a", number / 10) for number in range(80)]
    assert run(step, *rows) == run(step, *rows)


@pytest.mark.parametrize(
    ("findings", "programmes", "accounts"),
    [
        ((), {}, 0),
        ((make_finding(confidence="low", label="resale"),), {}, 3),
        ((make_finding(),), {"a": "enterprise"}, 3),
    ],
)
def test_any_scan_can_be_tried(
    findings: tuple[Finding, ...], programmes: Mapping[str, str], accounts: int
) -> None:
    found = backtest(example(), scanned(*findings), rng=random.Random(1), programmes=programmes)
    assert found.accounts == accounts
    assert backtest_text(found)


def test_the_report_reads_well() -> None:
    text = backtest_text(run("{action: block, for: 9h}", ("a", 1), ("c", 3)))
    assert "1 of 1 findings matched, 3 accounts hit, 3 would feel it, 1 of them benign" in text
    assert "r     block   1          3         1       2         2" in text
    assert "2 requests played: 2 met a decision, 2 refused" in text
