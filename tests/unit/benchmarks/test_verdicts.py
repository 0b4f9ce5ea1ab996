"""Verdicts follow from figures: what must hold, false discoveries, calibration, growth."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.__main__ import main, names
from benchmarks.calibration import Sample, _claim
from benchmarks.fdr import Discoveries, _claim as fdr_claim, count_discoveries
from benchmarks.measuring import Measured
from benchmarks.must_hold import claims_on_dev
from benchmarks.speed import Run, growth_exponent

from stillwatch.lab.evaluation.card import (
    CampaignScore,
    DistillationScore,
    ExtractionScore,
    LeakScore,
    ReportCard,
)

Change = dict[str, Any]


def score(name: str, **changes: Any) -> CampaignScore:
    usual: Change = {
        "campaign_id": name,
        "label": "distillation",
        "accounts": 100,
        "is_found": True,
        "account_recall": 0.95,
        "account_recall_any": 0.95,
        "purity": 0.97,
        "fragments": 1,
        "reported_label": "distillation",
        "is_label_right": True,
        "observed_share": 1.0,
    }
    return CampaignScore(**(usual | changes))


def card(*campaigns: CampaignScore, **changes: Any) -> ReportCard:
    distillation = DistillationScore(
        extracting=1,
        recall=1.0,
        precision=1.0,
        base_rate=0.001,
        precision_at_base_rate=1.0,
        precision_at_base_rate_low=0.5,
        relay_flagged=0,
        relay_accounts=0,
    )
    usual: Change = {
        "campaigns": campaigns,
        "found": len(campaigns),
        "median_leaked_share": 0.08,
        "label_accuracy": 1.0,
        "account_label_accuracy": 1.0,
        "benign_accounts": 4000,
        "benign_flagged": 0,
        "benign_flagged_per_1000": 0.0,
        "benign_observed_per_1000": 0.0,
        "archetypes": (),
        "distillation": distillation,
        "findings": 3,
        "false_findings": 0,
        "observations": 0,
        "days": 18.0,
        "findings_per_day": 0.2,
    }
    return ReportCard(**(usual | changes))


RELAY = score(
    "dev-relay-mixed",
    label="resale",
    reported_label="resale",
    extraction=ExtractionScore(truth=0.2, share=0.25, low=0.15, high=0.35, is_covered=True),
    leak=LeakScore(
        extraction_requests=10, leaked=1, leaked_share=0.1, leaked_if_blocked=1, leaked_if_blocked_share=0.1
    ),
)
RESALE = score("dev-resale", label="resale", reported_label="resale")
ADAPTIVE = score("dev-adaptive", account_recall_any=0.5)
PLAIN = score("dev-qwen-like")


def missed(report: ReportCard) -> list[str]:
    return [claim.sentence for claim in claims_on_dev(report, mode="self") if claim.holds is not True]


def test_a_card_that_meets_every_claim_misses_none() -> None:
    assert missed(card(PLAIN, ADAPTIVE, RELAY, RESALE)) == []


@pytest.mark.parametrize(
    ("campaigns", "changes", "words"),
    [
        ((score("dev-qwen-like", account_recall=0.89), ADAPTIVE, RELAY, RESALE), {}, "account recall"),
        ((score("dev-qwen-like", purity=0.94), ADAPTIVE, RELAY, RESALE), {}, "purity"),
        ((score("dev-qwen-like", purity=None), ADAPTIVE, RELAY, RESALE), {}, "purity"),
        ((PLAIN, score("dev-adaptive", account_recall_any=0.31), RELAY, RESALE), {}, "best baseline"),
        ((PLAIN, ADAPTIVE, RELAY, RESALE.model_copy(update={"is_label_right": False})), {}, "resold access"),
        ((PLAIN, ADAPTIVE, RELAY.model_copy(update={"extraction": None}), RESALE), {}, "interval"),
        ((PLAIN, ADAPTIVE, RELAY, RESALE), {"median_leaked_share": 0.11}, "median leaked"),
        ((PLAIN, ADAPTIVE, RELAY, RESALE), {"benign_flagged_per_1000": 0.51}, "per 1,000"),
    ],
)
def test_each_claim_can_be_missed(campaigns: tuple[CampaignScore, ...], changes: Change, words: str) -> None:
    sentences = missed(card(*campaigns, **changes))
    assert len(sentences) == 1
    assert words in sentences[0]


def test_false_findings_are_those_of_mostly_ordinary_accounts(tmp_path: Path) -> None:
    rows = [
        {
            "account_id": f"{kind}{number}",
            "label": label,
            "campaign_id": campaign,
            "archetype": "x",
            "attack_fraction": 1.0,
        }
        for kind, label, campaign in (("h", "distillation", "c"), ("b", "benign", None))
        for number in range(4)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "truth.parquet")
    findings = [("half", ["h0", "h1", "b0", "b1"]), ("false", ["h2", "b2", "b3"]), ("true", ["h3"])]
    text = ",".join(
        f'{{"campaign_id": "{name}", "label": "distillation", "severity": "low", "accounts": {accounts}}}'
        for name, accounts in findings
    ).replace("'", '"')
    (tmp_path / "findings.json").write_text(f'{{"findings": [{text}]}}')
    assert count_discoveries(tmp_path, tmp_path) == Discoveries(findings=3, false=1)


@pytest.mark.parametrize(("false", "holds"), [(0, True), (1, True), (2, False)])
def test_the_mean_proportion_is_compared_with_the_level(false: int, holds: bool) -> None:  # noqa: FBT001
    counts = [Discoveries(2, 1)] * false + [Discoveries(2, 0)] * (10 - false)
    assert fdr_claim(counts, 0.05).holds is holds


def test_a_set_without_findings_has_no_false_discoveries() -> None:
    assert Discoveries(0, 0).proportion == 0.0


@pytest.mark.parametrize(("power", "holds"), [(1.0, True), (2.0, False), (0.5, True)])
def test_only_p_values_that_are_too_small_too_often_miss(power: float, holds: bool) -> None:  # noqa: FBT001
    uniform = (np.arange(1_000) + 0.5) / 1_000
    assert _claim(Sample("s", uniform**power), 0.05).holds is holds


def run(rows: int, wall_s: float) -> Run:
    cost = Measured(wall_s, wall_s, 1, "")
    return Run(rows, wall_s, cost, {})


@pytest.mark.parametrize(("wall_s", "exponent"), [(10.0, 1.0), (100.0, 2.0), (1.0, 0.0)])
def test_growth_is_the_exponent_of_rows(wall_s: float, exponent: float) -> None:
    assert growth_exponent([run(1_000_000, 1.0), run(10_000_000, wall_s)]) == pytest.approx(exponent)
    assert growth_exponent([run(1_000_000, 1.0)]) is None


def test_every_benchmark_is_found_by_name() -> None:
    assert {"calibration", "fdr", "detection", "speed"} <= set(names())


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert "the benchmarks are all" in capsys.readouterr().err
