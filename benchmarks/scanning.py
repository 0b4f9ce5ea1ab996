"""Simulate and scan as a user does, through the command line, and read back what came out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Measured, measure
from stillwatch.lab.evaluation.card import ReportCard
from stillwatch.lab.evaluation.evaluate import evaluate

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Where the labeled sets from real prompts and real traffic marginals lie, beside a checkout that has them."""


@dataclass(frozen=True)
class Scanned:
    """One scan of one labeled set.

    Args:
        out: The scan's output folder.
        cost: What it cost.
        card: How it did.
    """

    out: Path
    cost: Measured
    card: ReportCard


def simulate(scenario: str, out: Path, *, seed: int, scale: float = 1.0) -> Path:
    """Write a labeled log set and return its folder."""
    measure(
        [
            *(sys.executable, "-m", "stillwatch", "simulate", scenario),
            *("--out", str(out), "--seed", str(seed), "--scale", str(scale)),
        ]
    )
    return out


def scan(labeled: Path, out: Path, *options: str) -> Measured:
    """Scan a labeled set's requests and accounts, with its authorizations where it has any."""
    granted = labeled / "authorizations.yml"
    return measure(
        [
            *(sys.executable, "-m", "stillwatch", "scan", str(labeled / "requests")),
            *("--accounts", str(labeled / "accounts.parquet"), "--out", str(out)),
            *(("--authorizations", str(granted)) if granted.exists() else ()),
            *options,
        ]
    )


def scan_and_score(labeled: Path, out: Path, options: Sequence[str] = ()) -> Scanned:
    """Scan a labeled set and compare with its truth."""
    cost = scan(labeled, out, *options)
    return Scanned(out, cost, evaluate(out, labeled))
