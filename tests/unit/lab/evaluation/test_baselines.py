"""The published figures of other detectors are read, and compared on the right set only."""

from pathlib import Path

from stillwatch.lab.evaluation import evaluate
from stillwatch.lab.evaluation.baselines import baseline_rows, comparable, load_baselines


def test_the_best_baseline_has_31_percent_of_the_adaptive_accounts() -> None:
    cells = load_baselines().budgets[1]
    best = max(detector["dev-adaptive"][0] for detector in cells.values() if "dev-adaptive" in detector)
    assert best == 31


def test_every_detector_has_a_row_of_cells_at_both_budgets() -> None:
    published = load_baselines()
    assert set(published.budgets[1]) == set(published.budgets[10])
    assert len(published.budgets[1]) == 9


def test_a_card_of_another_set_is_not_comparable(scan_folder: Path, labeled_set: Path) -> None:
    card = evaluate(scan_folder, labeled_set)
    assert not comparable(card, load_baselines())


def test_rows_put_stillwatch_first_and_a_dash_where_nothing_was_detected(
    scan_folder: Path, labeled_set: Path
) -> None:
    card = evaluate(scan_folder, labeled_set)
    header, rows = baseline_rows(card, load_baselines(), 1)
    assert header[1] == "stillwatch"
    assert rows[0][:2] == ("alpha (4)", "yes 75%, leak 40%/60%")
    assert rows[1][1] == "-"
    assert rows[-1][0] == "benign flagged per 1,000"
