"""The published figures of other detectors beside a report card's, where both were measured on the same set."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Annotated

import yaml
from pydantic import Field

from stillwatch.domain.record import Record
from stillwatch.lab.evaluation.card import CampaignScore, ReportCard
from stillwatch.lab.evaluation.table import number

Cell = tuple[float, int, float | None, float | None]
"""Accounts recalled (%), day of first detection, leak before detection (%), leak if blocked (%)."""


class Baselines(Record):
    """What other detectors reach on one labeled set.

    Attributes:
        set: name of the log set.
        budgets: benign accounts flagged per 1,000 on quiet traffic → detector → campaign → cell.
        benign_flagged_per_1000: the same keys without the campaign, measured on the set itself.
    """

    set: Annotated[str, Field(min_length=1)]
    budgets: Mapping[int, Mapping[str, Mapping[str, Cell]]]
    benign_flagged_per_1000: Mapping[int, Mapping[str, float]]


@cache
def load_baselines() -> Baselines:
    """Read the figures that are packaged with stillwatch."""
    text = resources.files("stillwatch.lab.evaluation").joinpath("baselines.yml").read_text(encoding="utf-8")
    return Baselines.model_validate(yaml.safe_load(text))


def comparable(card: ReportCard, baselines: Baselines) -> bool:
    """Whether the card was made on the set that the figures were measured on, judged by its campaigns."""
    measured = {
        campaign
        for detectors in baselines.budgets.values()
        for cells in detectors.values()
        for campaign in cells
    }
    return measured <= {score.campaign_id for score in card.campaigns}


def baseline_rows(
    card: ReportCard, baselines: Baselines, budget: int
) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the comparison at one budget of false alarms: stillwatch first, then each detector.

    Args:
        card: Made on the same set.
        baselines: The published figures.
        budget: Benign accounts flagged per 1,000 on quiet traffic that fixed each detector's threshold.
    """
    detectors = baselines.budgets[budget]
    alarms = baselines.benign_flagged_per_1000[budget]
    rows: list[Sequence[str]] = [
        (
            f"{score.campaign_id} ({score.accounts})",
            _ours(score),
            *(_theirs(cells.get(score.campaign_id)) for cells in detectors.values()),
        )
        for score in card.campaigns
    ]
    ours = number(card.benign_flagged_per_1000)
    rows.append(("benign flagged per 1,000", ours, *(number(alarms.get(name)) for name in detectors)))
    return ("campaign (accounts)", "stillwatch", *detectors), rows


def _ours(score: CampaignScore) -> str:
    if score.reported_id is None:
        return "-"
    verdict = "yes" if score.is_found else "no"
    leak = score.leak
    gone = "" if leak is None else f", leak {leak.leaked_share:.0%}/{leak.leaked_if_blocked_share:.0%}"
    return f"{verdict} {score.account_recall:.0%}{gone}"


def _theirs(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    recall, day, before, blocked = cell
    gone = "" if before is None or blocked is None else f", leak {before:.0f}%/{blocked:.0f}%"
    return f"yes {recall:.0f}% d{day}{gone}"
