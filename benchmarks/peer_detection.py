"""How far other people's per-account detectors get on a simulated set, at one benign account flagged per 1,000.

    ./run bench peer_detection

Thresholds are fixed on a quiet set, as a provider would; accounts with an authorization are never flagged.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq

from benchmarks.results import write_section
from benchmarks.scanning import simulate
from stillwatch.lab.evaluation.false_alarms import per_1000
from stillwatch.lab.evaluation.peers.features import hashed_ngrams
from stillwatch.lab.evaluation.peers.minhash import MinHashIndex
from stillwatch.lab.evaluation.peers.mmd import MmdDetector
from stillwatch.lab.evaluation.peers.prada import prada_score
from stillwatch.lab.evaluation.peers.volume import busiest_day
from stillwatch.lab.evaluation.table import markdown
from stillwatch.lab.evaluation.truth import load_truth

SCENARIO, QUIET = "fortnight", "quiet"
BUDGET_PER_1000 = 1.0
_MIN_WINDOW = 30  # fewer prompts make MMD a coin toss
_POOL = 6_000
_MINHASH_PROMPTS = 40_000  # the first of a set; at 3,000 a second a whole set would take minutes
Scores = Mapping[str, float]


def main(arguments: Sequence[str] = ()) -> int:
    """Score every account with every peer, print and write the table. Claims nothing, so it returns 0."""
    parser = argparse.ArgumentParser(
        prog="./run bench peer_detection", description="Measure other detectors."
    )
    parser.add_argument("--scale", type=float, default=0.3, help="of the simulated sets")
    scale = parser.parse_args(list(arguments)).scale
    with tempfile.TemporaryDirectory() as folder:
        # What a detector was fitted on looks more ordinary to it than anything else: thresholds need another set.
        reference = simulate(QUIET, Path(folder) / "reference", seed=20, scale=scale)
        quiet = simulate(QUIET, Path(folder) / "quiet", seed=21, scale=scale)
        tested = simulate(SCENARIO, Path(folder) / "tested", seed=22, scale=scale)
        header, rows = _compare(reference, quiet, tested)
    table = markdown(header, rows)
    print(table)
    write_section("peer_detection", "Other detectors on a simulated set", f"{table}\n\n{_NOTE}")
    return 0


_NOTE = """Share of each campaign's accounts above the threshold that flags at most one benign account per 1,000 on a quiet
set of the same make; MMD is fitted on a third set. All of them judge one account at a time (MinHash counts other
accounts with a like prompt). Shift tests take the template of a franchise or a pipeline for an attack: the threshold
that spares one set's franchises does not spare another's, and hides every campaign meanwhile."""


def _compare(reference: Path, quiet: Path, tested: Path) -> tuple[list[str], list[list[str]]]:
    fitted = _fit_mmd(reference)
    thresholds = {name: _threshold(scores, quiet) for name, scores in _score(quiet, fitted).items()}
    flagged = {
        name: {key for key, value in scores.items() if value > thresholds[name]} - _authorized(tested)
        for name, scores in _score(tested, fitted).items()
    }
    truth = load_truth(tested)
    rows = [
        [
            f"{campaign.campaign_id} ({len(campaign.accounts)})",
            *(f"{len(found & campaign.accounts) / len(campaign.accounts):.0%}" for found in flagged.values()),
        ]
        for campaign in truth.campaigns
    ]
    benign = {account.account_id for account in truth.benign()}
    alarms = [f"{per_1000(len(found & benign), len(benign)):.2f}" for found in flagged.values()]
    return ["campaign (accounts)", *flagged], [*rows, ["benign flagged per 1,000", *alarms]]


def _score(labeled: Path, fitted: MmdDetector) -> dict[str, Scores]:
    prompts = _prompts(labeled)
    features = {key: hashed_ngrams(texts) for key, texts in prompts.items()}
    prada = {key: prada_score(vectors) for key, vectors in features.items()}
    return {
        "volume": _volume(labeled),
        "PRADA": {key: value for key, value in prada.items() if value is not None},
        "MMD": {
            key: fitted.score(vectors[:1_500])
            for key, vectors in features.items()
            if len(vectors) >= _MIN_WINDOW
        },
        "MinHash": _minhash(labeled),
    }


def _prompts(labeled: Path) -> dict[str, list[str]]:
    rows = duckdb.execute(
        "select account_id, list(prompt order by time) from read_parquet($1) where prompt is not null group by 1",
        [str(labeled / "requests" / "*.parquet")],
    ).fetchall()
    return dict(rows)


def _volume(labeled: Path) -> Scores:
    rows = duckdb.execute(
        "select account_id, make_date((epoch_us(time) // 86400000000)::integer) from read_parquet($1)",
        [str(labeled / "requests" / "*.parquet")],
    ).fetchall()
    return busiest_day(rows)


def _minhash(labeled: Path) -> Scores:
    rows = duckdb.execute(
        "select account_id, prompt from read_parquet($1) where prompt is not null order by time limit $2",
        [str(labeled / "requests" / "*.parquet"), _MINHASH_PROMPTS],
    ).fetchall()
    index = MinHashIndex()
    index.add(rows)
    return index.accounts_alike()


def _fit_mmd(quiet: Path) -> MmdDetector:
    rows = duckdb.execute(
        "select prompt from read_parquet($1) where prompt is not null order by hash(request_id) limit $2",
        [str(quiet / "requests" / "*.parquet"), _POOL],
    ).fetchall()
    return MmdDetector.fit(hashed_ngrams([row[0] for row in rows]), np.random.default_rng(1))


def _threshold(scores: Scores, quiet: Path) -> float:
    """The lowest threshold that keeps the quiet set within the budget."""
    accounts = len(load_truth(quiet).accounts)
    granted = _authorized(quiet)
    ranked = sorted((value for key, value in scores.items() if key not in granted), reverse=True)
    allowed = int(BUDGET_PER_1000 * accounts / 1_000)
    # With fewer scores than the budget allows, the lowest of them is the threshold.
    return ranked[min(allowed, len(ranked) - 1)]


def _authorized(labeled: Path) -> set[str]:
    table = pq.read_table(labeled / "accounts.parquet", columns=["account_id", "authorization"])
    return {row["account_id"] for row in table.to_pylist() if row["authorization"] is not None}
