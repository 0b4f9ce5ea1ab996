"""False-discovery control: over many simulated sets, the share of findings that are false against the nominal level.

./run bench fdr                        50 sets
./run bench fdr --sets 10 --scale 0.2  fewer, smaller
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.results import write_section
from benchmarks.scanning import scan, simulate
from stillwatch.lab.evaluation.outcome import load_outcome
from stillwatch.lab.evaluation.table import markdown
from stillwatch.lab.evaluation.truth import load_truth

SETS = 50
NOMINAL = 0.05
SCENARIO = "fortnight"
SCALE = 0.15
_FIRST_SEED = 1_000
_RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Discoveries:
    """Findings of one set at any severity, and those whose accounts are mostly ordinary customers."""

    findings: int
    false: int

    @property
    def proportion(self) -> float:
        """False-discovery proportion; 0 without findings, as Benjamini and Hochberg (1995) define it."""
        return self.false / self.findings if self.findings else 0.0


def count_discoveries(out: Path, labeled: Path) -> Discoveries:
    """Count what a scan reported against the truth of the set."""
    truth = load_truth(labeled).accounts
    campaigns = load_outcome(out).campaigns
    false = 0
    for campaign in campaigns:
        benign = sum(account not in truth or truth[account].is_benign for account in campaign.accounts)
        false += 2 * benign > len(campaign.accounts)
    return Discoveries(len(campaigns), false)


def main(arguments: Sequence[str] = ()) -> int:
    """Simulate, scan, count, print, write the results page, and return 1 if the level is exceeded."""
    options = _parse(arguments)
    counts = []
    for number in range(options.sets):
        with tempfile.TemporaryDirectory() as folder:
            counts.append(_one_set(Path(folder), _FIRST_SEED + number, options))
        latest = counts[-1]
        print(f"set {number + 1}: {latest.findings} findings, {latest.false} false", flush=True)
    claim = _claim(counts, options.fdr)
    table = _table(counts, options)
    print(markdown(*table))
    failed = print_claims([claim])
    write_section(
        "fdr", "False-discovery control", f"{markdown(*table)}\n\n{claims_markdown([claim])}\n\n{_NOTE}"
    )
    return failed


_NOTE = """A finding at any severity, low included, is false if more than half of its accounts are ordinary customers. The
proportion of a set without findings is 0."""


def _one_set(folder: Path, seed: int, options: argparse.Namespace) -> Discoveries:
    labeled = simulate(options.scenario, folder / "set", seed=seed, scale=options.scale)
    scan(labeled, folder / "out", "--fdr", str(options.fdr))
    return count_discoveries(folder / "out", labeled)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench fdr", description="Measure false-discovery control.")
    parser.add_argument("--sets", type=int, default=SETS)
    parser.add_argument("--scale", type=float, default=SCALE, help="of each simulated set")
    parser.add_argument("--scenario", default=SCENARIO)
    parser.add_argument("--fdr", type=float, default=NOMINAL, help="nominal level")
    return parser.parse_args(list(arguments))


def _claim(counts: Sequence[Discoveries], nominal: float) -> Claim:
    """The mean proportion is at or below the nominal level; its interval says how sure 50 sets can make that."""
    proportions = np.array([count.proportion for count in counts])
    low, high = _interval(proportions)
    return Claim(
        f"achieved false-discovery proportion over {len(counts)} simulated sets ≤ {nominal:g}",
        f"{proportions.mean():.4f} (95 % bootstrap interval {low:.4f} to {high:.4f})",
        bool(proportions.mean() <= nominal),
    )


def _interval(proportions: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float, float]:
    rng = np.random.default_rng(0)
    means = rng.choice(proportions, (_RESAMPLES, len(proportions))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _table(counts: Sequence[Discoveries], options: argparse.Namespace) -> tuple[list[str], list[list[str]]]:
    findings, false = sum(count.findings for count in counts), sum(count.false for count in counts)
    worst = max((count.proportion for count in counts), default=0.0)
    header = ["scenario", "scale", "sets", "findings", "false", "worst set", "sets with a false finding"]
    touched = sum(count.false > 0 for count in counts)
    row = [
        options.scenario,
        f"{options.scale:g}",
        str(len(counts)),
        str(findings),
        str(false),
        f"{worst:.2f}",
        str(touched),
    ]
    return header, [row]
