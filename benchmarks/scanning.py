"""Simulate and scan as a user does, through the command line, and read back what came out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.measuring import Measured, measure
from stillwatch.lab.evaluation.card import ReportCard
from stillwatch.lab.evaluation.evaluate import evaluate
from stillwatch.lab.simulation import load_scenario

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


def quiet_scenario(folder: Path, scenario: str = "fortnight") -> Path:
    """Write a packaged scenario without its campaigns as a file in `folder`, and return the file."""
    loaded = load_scenario(scenario)
    quiet = loaded.model_copy(update={"name": f"quiet-{loaded.name}", "campaigns": ()})
    file = folder / "quiet.yml"
    file.write_text(yaml.safe_dump(quiet.model_dump(mode="json")), encoding="utf-8")
    return file


def simulate(scenario: str | Path, out: Path, *, seed: int, scale: float = 1.0) -> Path:
    """Write a labeled log set and return its folder."""
    measure(
        [
            *(sys.executable, "-m", "stillwatch", "simulate", str(scenario)),
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
