"""Every figure on the report card of the hand-made set equals the one computed by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stillwatch.errors import InputError, MissingColumnsError, NothingToReadError
from stillwatch.lab.evaluation import ReportCard, evaluate
from stillwatch.lab.evaluation.card import CampaignScore

Scan = Callable[[Path, list[tuple[Any, ...]]], Path]


@pytest.fixture(scope="module")
def card(scan_folder: Path, labeled_set: Path) -> ReportCard:
    return evaluate(scan_folder, labeled_set / "truth.parquet")


@pytest.fixture(scope="module")
def alpha(card: ReportCard) -> CampaignScore:
    score = card.campaign("alpha")
    assert score is not None
    return score


def test_a_campaign_is_found_by_the_reported_one_that_holds_three_of_its_four_accounts(
    alpha: CampaignScore,
) -> None:
    assert alpha.is_found
    assert (alpha.reported_id, alpha.severity, alpha.fragments) == ("c1", "high", 1)
    assert (alpha.account_recall, alpha.account_recall_any, alpha.purity) == (0.75, 0.75, 1.0)
    assert alpha.is_label_right is True


def test_what_was_sent_on_the_two_days_before_detection_leaked(alpha: CampaignScore) -> None:
    assert alpha.leak is not None
    assert (alpha.leak.extraction_requests, alpha.leak.leaked) == (20, 8)
    assert alpha.leak.leaked_share == pytest.approx(0.4)


def test_an_account_leaks_until_it_is_flagged_itself_if_only_flagged_ones_are_blocked(
    alpha: CampaignScore,
) -> None:
    assert alpha.leak is not None
    assert alpha.leak.leaked_if_blocked == 2 + 2 + 3 + 5
    assert alpha.leak.leaked_if_blocked_share == pytest.approx(0.6)


def test_the_true_extraction_share_is_that_of_the_reported_accounts(alpha: CampaignScore) -> None:
    assert alpha.extraction is not None
    assert alpha.extraction.truth == pytest.approx(15 / 20)
    assert (alpha.extraction.share, alpha.extraction.is_covered) == (0.7, True)


def test_a_campaign_reported_at_low_is_observed_and_not_found(card: ReportCard) -> None:
    relay = card.campaign("relay")
    assert relay is not None
    assert not relay.is_found
    assert (relay.reported_id, relay.account_recall, relay.observed_share) == (None, 0.0, 1.0)
    assert relay.leak is None


def test_benign_accounts_are_counted_by_archetype_and_authorized_ones_are_no_alarm(card: ReportCard) -> None:
    pipeline, individual = card.archetype("pipeline"), card.archetype("individual")
    assert pipeline is not None
    assert individual is not None
    assert (pipeline.accounts, pipeline.flagged, pipeline.observed) == (3, 1, 0)
    assert pipeline.flagged_per_1000 == pytest.approx(1000 / 3)
    assert (individual.accounts, individual.flagged, individual.observed) == (7, 0, 1)
    assert card.benign_flagged_per_1000 == pytest.approx(100.0)
    assert card.benign_observed_per_1000 == pytest.approx(100.0)


def test_precision_is_given_in_the_set_and_at_one_hostile_account_in_1000(card: ReportCard) -> None:
    score = card.distillation
    assert (score.extracting, score.recall, score.precision) == (4, 0.75, 0.75)
    assert score.precision_at_base_rate == pytest.approx(0.00075 / (0.00075 + 0.999 * 0.1))
    assert score.precision_at_base_rate_low is not None
    # 0.394163 is the upper 95 % bound for 1 of 10, from printed tables of Clopper and Pearson.
    assert score.precision_at_base_rate_low == pytest.approx(0.00075 / (0.00075 + 0.999 * 0.394163), rel=1e-4)


def test_findings_are_counted_by_day_and_one_without_a_hostile_account_is_false(card: ReportCard) -> None:
    assert (card.findings, card.false_findings, card.observations) == (2, 1, 1)
    assert (card.days, card.findings_per_day) == (4.0, 0.5)


def test_the_median_leak_is_over_distillation_campaigns_with_extraction(card: ReportCard) -> None:
    assert card.median_leaked_share == pytest.approx(0.4)


def test_the_language_audit_compares_two_accounts_with_eight(card: ReportCard) -> None:
    medium, low = card.language
    assert (medium.severity, medium.other_flagged, medium.other_accounts) == ("medium", 0, 2)
    assert medium.rate_ratio == 0.0
    assert medium.p_value == pytest.approx(1.0)
    assert (low.other_flagged, low.rest_flagged, low.rest_accounts) == (1, 1, 8)
    assert low.rate_ratio == pytest.approx((1 / 2) / (1 / 8))
    assert low.p_value == pytest.approx(17 / 45)
    assert not low.is_likelier


def test_every_account_on_which_scan_and_truth_differ_is_listed(card: ReportCard) -> None:
    assert [error.account_id for error in card.errors] == ["a4", "b5", "b9", "r1", "r2"]


def test_flagging_relay_accounts_changes_neither_recall_nor_precision(
    labeled_set: Path, tmp_path: Path, make_scan: Scan
) -> None:
    rows = [("a1", "distillation", "c1", "high", 3)]
    relays = [("r1", "distillation", "c1", "high", 3), ("r2", "distillation", "c1", "high", 3)]
    for name in ("without", "with"):
        (tmp_path / name).mkdir()
    without = evaluate(make_scan(tmp_path / "without", rows), labeled_set).distillation
    with_relays = evaluate(make_scan(tmp_path / "with", rows + relays), labeled_set).distillation
    assert (without.recall, without.precision) == (with_relays.recall, with_relays.precision) == (0.25, 1.0)
    assert (without.relay_flagged, with_relays.relay_flagged) == (0, 2)


def test_a_scan_that_reports_nothing_leaks_everything(
    labeled_set: Path, tmp_path: Path, make_scan: Scan
) -> None:
    card = evaluate(make_scan(tmp_path, []), labeled_set)
    alpha = card.campaign("alpha")
    assert alpha is not None
    assert alpha.leak is not None
    assert (card.found, card.findings, card.benign_flagged) == (0, 0, 0)
    assert (alpha.leak.leaked, alpha.leak.leaked_if_blocked, card.median_leaked_share) == (20, 20, 1.0)
    assert card.label_accuracy is None
    assert card.distillation.precision_at_base_rate is None


def test_a_campaign_that_is_not_found_leaks_everything_though_half_of_it_was_flagged(
    labeled_set: Path, tmp_path: Path, make_scan: Scan
) -> None:
    mixed = [(key, "distillation", "c1", "high", 2) for key in ("a1", "a2", "b0", "b1")]
    alpha = evaluate(make_scan(tmp_path, mixed), labeled_set).campaign("alpha")
    assert alpha is not None
    assert alpha.leak is not None
    assert (alpha.is_found, alpha.purity) == (False, 0.5)
    assert (alpha.leak.leaked, alpha.leak.leaked_if_blocked) == (20, 1 + 1 + 5 + 5)


def test_findings_json_alone_is_enough(labeled_set: Path, scan_folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "findings.json"
    alone.write_bytes((scan_folder / "findings.json").read_bytes())
    alpha = evaluate(alone, labeled_set).campaign("alpha")
    assert alpha is not None
    assert (alpha.is_found, alpha.account_recall) == (True, 0.75)


def test_without_logs_the_card_says_what_is_not_scored(
    scan_folder: Path, labeled_set: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "truth.parquet"
    alone.write_bytes((labeled_set / "truth.parquet").read_bytes())
    card = evaluate(scan_folder, alone)
    assert (card.found, card.language, card.median_leaked_share) == (1, (), None)
    assert (card.days, card.findings_per_day) == (4.0, 0.5)
    assert "no logs" in card.notes[0]


def test_logs_in_another_format_give_the_same_card(
    card: ReportCard, scan_folder: Path, labeled_set: Path, tmp_path: Path
) -> None:
    table = pq.read_table(labeled_set / "requests")
    lines = tmp_path / "requests.jsonl"
    rows = table.to_pylist()
    lines.write_text("".join(_json_line(row) for row in rows), encoding="utf-8")
    assert evaluate(scan_folder, labeled_set, logs=[lines]) == card


def _json_line(row: dict[str, Any]) -> str:
    return json.dumps(row | {"time": row["time"].isoformat()}, ensure_ascii=False) + "\n"


def test_a_truth_file_without_a_column_names_what_it_found(
    scan_folder: Path, labeled_set: Path, tmp_path: Path
) -> None:
    file = tmp_path / "truth.parquet"
    pq.write_table(pq.read_table(labeled_set / "truth.parquet").drop_columns(["archetype"]), file)
    with pytest.raises(MissingColumnsError, match=r"lacks archetype; found .*campaign_id"):
        evaluate(scan_folder, file)


def test_findings_that_are_no_report_are_a_plain_error(labeled_set: Path, tmp_path: Path) -> None:
    (tmp_path / "findings.json").write_text('{"findings": 3}')
    with pytest.raises(InputError, match="is not a scan's report"):
        evaluate(tmp_path, labeled_set)


def test_a_missing_report_is_a_plain_error(labeled_set: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        evaluate(tmp_path / "nothing", labeled_set)


def test_logs_that_are_not_there_are_a_plain_error(
    scan_folder: Path, labeled_set: Path, tmp_path: Path
) -> None:
    with pytest.raises(NothingToReadError):
        evaluate(scan_folder, labeled_set, logs=[tmp_path / "nothing"])


def test_a_truth_file_that_is_no_parquet_is_a_plain_error(scan_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "truth.parquet"
    file.write_text("no parquet")
    with pytest.raises(InputError, match="cannot read"):
        evaluate(scan_folder, file)
