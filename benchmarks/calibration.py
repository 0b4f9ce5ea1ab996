"""Are p-values uniform on clusters of ordinary accounts? Everything that a finding claims rests on this.

    ./run bench calibration            simulated quiet sets, and dev-quiet where it lies beside the checkout

With `--fdr 1` a scan reports every cluster that it tested, with its p-value, and discards none.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.results import write_section
from benchmarks.scanning import SHARED, simulate
from stillwatch.detect.logs import RejectedLog
from stillwatch.detect.pipeline import ScanOptions, scan as run_scan
from stillwatch.lab.evaluation.table import markdown

SCENARIO = "quiet"
SETS = 5
LEVELS = (0.01, 0.05, 0.1, 0.2, 0.5)
_FIRST_SEED = 2_000
_DOUBT = 0.01  # a claim is given up when what was seen has this probability or less if it were true
PValues = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """P-values of every cluster of ordinary accounts in one kind of set."""

    name: str
    p_values: PValues

    def share_at(self, level: float) -> float:
        """Share of clusters at or below a level; valid p-values keep it at the level or under."""
        return float(np.mean(self.p_values <= level)) if len(self.p_values) else 0.0


def main(arguments: Sequence[str] = ()) -> int:
    """Scan quiet sets, print, write the results page, and return 1 if p-values are too small too often."""
    parser = argparse.ArgumentParser(prog="./run bench calibration", description="Measure calibration.")
    parser.add_argument("--sets", type=int, default=SETS)
    parser.add_argument("--scale", type=float, default=1.0, help="of each simulated set")
    parser.add_argument("--scenario", default=SCENARIO, help="one without campaigns")
    options = parser.parse_args(list(arguments))
    samples = [_simulated(options)]
    if (SHARED / "dev-quiet").is_dir():
        samples.append(Sample("dev-quiet", _p_values_of(SHARED / "dev-quiet")))
    claims = [_claim(sample, level) for sample in samples for level in LEVELS]
    table = _table(samples)
    print(markdown(*table))
    failed = print_claims(claims)
    write_section("calibration", "Calibration", f"{markdown(*table)}\n\n{claims_markdown(claims)}\n\n{_NOTE}")
    return failed


_NOTE = """Only ordinary accounts. A claim is missed when so many clusters at or below the level would have a probability of
1 % or less if p-values were valid (exact binomial test, clusters taken as independent). The Kolmogorov-Smirnov
distance is one-sided: how far the distribution lies above the uniform one, which is the dangerous side."""


def _simulated(options: argparse.Namespace) -> Sample:
    found = []
    for number in range(options.sets):
        with tempfile.TemporaryDirectory() as folder:
            labeled = simulate(
                options.scenario, Path(folder) / "set", seed=_FIRST_SEED + number, scale=options.scale
            )
            found.append(_p_values_of(labeled))
    return Sample(f"{options.scenario}, {options.sets} simulated sets", np.concatenate(found))


def _p_values_of(labeled: Path) -> PValues:
    accounts, permissions = labeled / "accounts.parquet", labeled / "authorizations.yml"
    options = ScanOptions(
        logs=[str(labeled / "requests")],
        accounts=str(accounts),
        authorizations=str(permissions) if permissions.exists() else None,
    )
    return np.array(run_scan(options, RejectedLog()).p_values)


def _claim(sample: Sample, level: float) -> Claim:
    count, total = int(np.sum(sample.p_values <= level)), len(sample.p_values)
    chance = float(stats.binomtest(count, total, level, alternative="greater").pvalue) if total else 1.0
    return Claim(
        f"{sample.name}: at most {level:g} of the clusters have p ≤ {level:g}",
        f"{sample.share_at(level):.3f} ({count} of {total})",
        chance > _DOUBT if total else None,
    )


def _table(samples: Sequence[Sample]) -> tuple[list[str], list[list[str]]]:
    header = ["set", "clusters", *(f"share with p ≤ {level:g}" for level in LEVELS), "KS distance", "KS p"]
    return header, [_row(sample) for sample in samples]


def _row(sample: Sample) -> list[str]:
    shares = [f"{sample.share_at(level):.3f}" for level in LEVELS]
    if not len(sample.p_values):
        return [sample.name, "0", *shares, "-", "-"]
    test = stats.kstest(sample.p_values, "uniform", alternative="greater")
    return [sample.name, f"{len(sample.p_values):,}", *shares, f"{test.statistic:.3f}", f"{test.pvalue:.3g}"]
