"""Which clusters are findings, and what each is called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillwatch.detect.findings.detection import Look, Verdicts
from stillwatch.detect.findings.explanation import controls_defeated
from stillwatch.detect.findings.extraction import mark_requests
from stillwatch.detect.findings.severity import Gravity
from stillwatch.detect.profiles.state import State
from stillwatch.domain.findings import ExtractionEstimate, Label

MOSTLY = 0.5  # above this share of extraction the demand as a whole is called distillation-shaped


@dataclass(frozen=True)
class Flagged:
    """One flagged cluster, judged.

    Args:
        index: Which cluster of the look.
        label: What it is called.
        p_value: For that label.
        q_value: For that label.
        extraction: The share of its requests that is extraction.
        own_share: Each account's share, by position.
        gravity: What its severity rests on.
    """

    index: int
    label: Label
    p_value: float
    q_value: float
    extraction: ExtractionEstimate
    own_share: dict[int, float]
    gravity: Gravity


def flag(state: State, seen: Look, verdicts: Verdicts, fdr: float) -> list[Flagged]:
    """Judge every cluster that passed the false-discovery control.

    Args:
        state: Where the facts are, for the share of extraction.
        seen: The window.
        verdicts: p- and q-values.
        fdr: Nominal false-discovery rate.
    """
    out = []
    flagged = np.flatnonzero(verdicts.flagged(seen, fdr)).tolist()
    every = mark_requests(state, seen.population, [seen.groups.members[index] for index in flagged])
    for index, marked in zip(flagged, every, strict=True):
        extraction = marked.estimate(np.random.default_rng(0), pooled=bool(seen.scores.hands[index] > 0))
        hands = float(seen.groups.share("several_users", of="accounts")[index])
        label = _label(verdicts, index, fdr, hands, extraction.share)
        p_values, q_values = (
            (verdicts.p_distillation, verdicts.q_distillation)
            if label is Label.DISTILLATION
            else (verdicts.p_resale, verdicts.q_resale)
        )
        p_value, q_value = float(p_values[index]), float(q_values[index])
        out.append(
            Flagged(
                index,
                label,
                p_value,
                q_value,
                extraction,
                marked.own_share(),
                _gravity(seen, index, label, extraction),
            )
        )
    return out


def _label(verdicts: Verdicts, index: int, fdr: float, hands: float, share: float) -> Label:
    """Name the demand by the test that was passed; where both were, by what most of it is."""
    if verdicts.q_resale[index] > fdr:
        return Label.DISTILLATION
    if verdicts.q_distillation[index] > fdr:
        return Label.RESALE
    return Label.DISTILLATION if share >= MOSTLY or share >= hands else Label.RESALE


def _gravity(seen: Look, index: int, label: Label, extraction: ExtractionEstimate) -> Gravity:
    requests = float(seen.groups.pooled("requests")[index])
    coordinated = int(seen.groups.size[index]) if seen.is_group[index] and not seen.openly_one[index] else 0
    exchanges = requests if label is Label.RESALE else requests * extraction.share
    return Gravity(exchanges, coordinated, controls_defeated(seen, index))
