"""Requests per second from Parquet to findings, stage by stage, beside what others need for the same prompts.

./run bench speed                 0.5, 1 and 2 million requests
./run bench speed --full          1, 3 and 10 million
./run bench speed --rows 400000   one size
"""

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.load import Load, make_load
from benchmarks.measuring import Measured, measure
from benchmarks.results import write_section
from stillwatch.lab.evaluation.peers.features import hashed_ngrams
from stillwatch.lab.evaluation.peers.minhash import MinHashIndex
from stillwatch.lab.evaluation.peers.mmd import WINDOW, MmdDetector
from stillwatch.lab.evaluation.table import aligned, markdown

DEFAULT_ROWS = (500_000, 1_000_000, 2_000_000)
FULL_ROWS = (1_000_000, 3_000_000, 10_000_000)
REQUESTS_PER_S = 150_000
MEMORY_BYTES = 4 * 2**30
MAX_EXPONENT = 1.1  # time grows as rows^1 when linear; a tenth is left for measurement
STAGES = (
    "prepare", "read", "fingerprint", "profile", "links", "campaigns", "signals", "findings", "report",
)  # fmt: skip
PER_REQUEST = ("read", "fingerprint", "profile")
"""Stages whose cost grows with requests; that of the others grows with active accounts."""
_MINHASH_PROMPTS = 5_000
_MMD_PROMPTS = 12_000
_FLOOR_PROGRAM = """
import sys, time, pyarrow.dataset as ds
started = time.perf_counter()
sum(batch.num_rows for batch in ds.dataset(sys.argv[1]).to_batches())
print(time.perf_counter() - started)
"""


@dataclass(frozen=True)
class Run:
    """One scan of one load, and the seconds of a plain read of the same files."""

    rows: int
    floor_s: float
    scan: Measured
    stages: dict[str, float]

    @property
    def rate(self) -> float:
        """Requests per second from the first byte to the last finding, start of the program included."""
        return self.rows / self.scan.wall_s


def run_scan(load: Load) -> Run:
    """Measure the plain Parquet read of all columns, then the scan, each in a process of its own."""
    floor_s = float(measure([sys.executable, "-c", _FLOOR_PROGRAM, str(load.requests)]).stdout)
    with tempfile.TemporaryDirectory() as folder:
        timings = Path(folder) / "timings.json"
        scan = measure(
            [
                *(sys.executable, "-m", "stillwatch", "scan", str(load.requests)),
                *("--accounts", str(load.accounts), "--out", str(Path(folder) / "out")),
                *("--timings", str(timings)),
            ]
        )
        stages = json.loads(timings.read_text(encoding="utf-8"))
    return Run(load.rows, floor_s, scan, stages)


def peer_rates(load: Load) -> dict[str, float]:
    """Requests per second of other people's detectors on prompts of the same load."""
    batches = ds.dataset(load.requests).to_batches(columns=["account_id", "prompt"])
    rows = (row for batch in batches for row in batch.to_pylist())
    sample = [(row["account_id"], row["prompt"]) for row in islice(rows, _MMD_PROMPTS)]
    return {
        "MinHash per prompt (datasketch)": _minhash_rate(sample),
        "MMD windows (arXiv 2606.05725)": _mmd_rate(sample),
    }


def growth_exponent(runs: Sequence[Run]) -> float | None:
    """Slope of log time over log rows between the smallest and the largest run; 1 is linear."""
    if len(runs) < 2:
        return None
    first, last = runs[0], runs[-1]
    return math.log(last.scan.wall_s / first.scan.wall_s) / math.log(last.rows / first.rows)


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print, write the results page, and return 1 if a claim was missed."""
    options = _parse(arguments)
    runs = []
    for rows in options.rows or (FULL_ROWS if options.full else DEFAULT_ROWS):
        load = make_load(rows)
        runs.append(run_scan(load))
        print(f"{rows:,} requests: {runs[-1].rate:,.0f} requests/s", flush=True)
    peers = peer_rates(make_load(runs[0].rows))
    claims = _claims(runs)
    tables = [_stage_table(runs), _cost_table(runs), _peer_table(runs[-1], peers)]
    print("\n\n".join(aligned(*table) for table in tables))
    failed = print_claims(claims)
    body = "\n\n".join([*(markdown(*table) for table in tables), claims_markdown(claims), _NOTE])
    write_section("speed", "Speed", body)
    return failed


_NOTE = """Made-up words, about 320 characters a prompt, heavy-tailed accounts (95,000 for ten million requests), 18 days.
Seconds of stages are wall seconds. Reading is what the scan waits for its reader; the plain read is PyArrow's of every
column, in a process of its own, without the start of Python, which the scan's time holds. Memory is resident memory of
the whole process tree at its peak, shared pages counted for each process. The peers only fingerprint or score the same
prompts; they link no accounts and report no campaign.
The rate of MMD counts features and the score of full windows, without the fit on ordinary traffic."""


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run bench speed", description="Measure speed and memory of a scan."
    )
    parser.add_argument("--rows", type=int, nargs="+", help="sizes to measure, smallest first")
    parser.add_argument("--full", action="store_true", help="1, 3 and 10 million requests")
    return parser.parse_args(list(arguments))


def _claims(runs: Sequence[Run]) -> list[Claim]:
    last, exponent = runs[-1], growth_exponent(runs)
    size = f"{last.rows / 1e6:g} million requests"
    peak = last.scan.peak_bytes
    return [
        Claim(
            f"at least {REQUESTS_PER_S:,} requests/s from Parquet to findings",
            f"{last.rate:,.0f} requests/s over {size}",
            last.rate >= REQUESTS_PER_S,
        ),
        Claim("under 4 GiB", f"{peak / 2**30:.2f} GiB over {size}", peak < MEMORY_BYTES),
        Claim(
            "time grows linearly in requests",
            "one size only" if exponent is None else f"time grows as requests^{exponent:.2f}",
            None if exponent is None else exponent <= MAX_EXPONENT,
        ),
    ]


def _stage_table(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    header = ["requests", "requests/s", "wall s", "CPU s", "peak GiB", *(f"{stage} s" for stage in STAGES)]
    return header, [_stage_row(run) for run in runs]


def _stage_row(run: Run) -> list[str]:
    return [
        f"{run.rows:,}",
        f"{run.rate:,.0f}",
        f"{run.scan.wall_s:.1f}",
        f"{run.scan.cpu_s:.1f}",
        f"{run.scan.peak_bytes / 2**30:.2f}",
        *(f"{run.stages[f'{stage}_s']:.1f}" for stage in STAGES),
    ]


def _cost_table(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """What each request costs, with the plain read as the floor under all of it."""
    header = ["µs per request", "plain Parquet read", *PER_REQUEST, "all three, in plain reads"]
    return header, [_cost_row(run) for run in runs]


def _cost_row(run: Run) -> list[str]:
    seconds = [run.stages[f"{stage}_s"] for stage in PER_REQUEST]
    costs = (f"{value / run.rows * 1e6:.2f}" for value in (run.floor_s, *seconds))
    return [f"{run.rows:,} requests", *costs, f"{sum(seconds) / run.floor_s:.1f}"]


def _peer_table(run: Run, peers: dict[str, float]) -> tuple[list[str], list[list[str]]]:
    rows = [["stillwatch, Parquet to findings", f"{run.rate:,.0f}", "1"]]
    rows.extend([name, f"{rate:,.0f}", f"{rate / run.rate:.3f}"] for name, rate in peers.items())
    return ["same prompts, same run", "requests/s", "of stillwatch's rate"], rows


def _minhash_rate(sample: Sequence[tuple[str, str]]) -> float:
    chosen, index = sample[:_MINHASH_PROMPTS], MinHashIndex()
    started = time.perf_counter()
    index.add(chosen)
    return len(chosen) / (time.perf_counter() - started)


def _mmd_rate(sample: Sequence[tuple[str, str]]) -> float:
    half = len(sample) // 2
    texts = [prompt for _, prompt in sample]
    detector = MmdDetector.fit(hashed_ngrams(texts[:half]), np.random.default_rng(1))
    started = time.perf_counter()
    features = hashed_ngrams(texts[half:])
    windows = [features[first:last] for first, last in pairwise(range(0, len(features) + 1, WINDOW))]
    for window in windows:
        detector.score(window)
    return len(windows) * WINDOW / (time.perf_counter() - started)
