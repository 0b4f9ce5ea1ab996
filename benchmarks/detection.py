"""What is found, how completely, how early, and who is disturbed: on labeled sets and on simulated ones.

./run bench detection                      everything
./run bench detection --only dev           the labeled sets beside the checkout
./run bench detection --only simulated     the project's own scenarios
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.must_hold import claims_on_benign, claims_on_dev, claims_on_quiet
from benchmarks.results import write_section
from benchmarks.scanning import SHARED, Scanned, scan_and_score, simulate
from stillwatch.lab.evaluation.baselines import baseline_rows, comparable, load_baselines
from stillwatch.lab.evaluation.card import ReportCard
from stillwatch.lab.evaluation.rendering import CAMPAIGN_HEADER, campaign_row, render, summary_lines
from stillwatch.lab.evaluation.table import markdown

REPLAY = ("--replay", "1d")
SEEDS = (11, 12)
SCENARIOS = {
    "fortnight": 1.0,
    "quiet": 1.0,
    "classroom": 1.0,
    "relay": 1.0,
    "adaptive": 1.0,
    "published": 0.01,
}
"""Scenario to scale. The published campaigns at full size are 46 million exchanges."""

ADAPTIVE_CAMPAIGNS = {"adaptive", "careless", "patient"}
"""Adversaries who know the detectors: their cards are printed, and nothing is claimed of them."""


CALIBRATION = {
    "self": "calibrated on itself",
    "baseline": "calibrated on dev-quiet and its accounts",
    "baseline without its accounts": "calibrated on dev-quiet, whose accounts are not known",
}
"""What ordinary means, by mode."""


@dataclass(frozen=True)
class Result:
    """One scan with what is claimed of it."""

    title: str
    scanned: Scanned
    claims: list[Claim]

    def markdown(self) -> str:
        """The part of the results page about this scan."""
        card = self.scanned.card
        campaigns = markdown(CAMPAIGN_HEADER, [campaign_row(score) for score in card.campaigns])
        figures = "\n".join(f"- {name}: {value}" for name, value in summary_lines(card))
        return "\n\n".join(
            [f"### {self.title}", campaigns if card.campaigns else "", figures, _false_alarms(card)]
        )


def main(arguments: Sequence[str] = ()) -> int:
    """Scan, score, print, write the results page, and return 1 if a claim was missed."""
    parser = argparse.ArgumentParser(prog="./run bench detection", description="Measure detection.")
    parser.add_argument("--only", choices=["dev", "simulated"], help="one kind of set")
    chosen = parser.parse_args(list(arguments)).only
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        if chosen in (None, "dev"):
            status |= _report("labeled", "Detection on labeled sets", _labeled(Path(folder)), _LABELED_NOTE)
        if chosen in (None, "simulated"):
            status |= _report(
                "simulated", "Detection on simulated sets", _simulated(Path(folder)), _SIMULATED_NOTE
            )
    return status


_LABELED_NOTE = """Semi-synthetic sets: real prompts and real traffic marginals, simulated accounts and campaigns. Nothing was
trained on them, but the first was looked at while constants were chosen: other sets will be harder. Three in ten
accounts are hostile, far more than anywhere; precision is re-weighted for that."""
_SIMULATED_NOTE = """The project's own scenarios, written from the published disclosures. The detector's weights come from the same
simulator, so these figures are the flattering ones."""


def _report(name: str, title: str, results: Iterator[Result], note: str) -> int:
    """Print each result as it comes, then write its section."""
    done = []
    for result in results:
        print(f"\n-- {result.title} ({result.scanned.cost.wall_s:.0f} s)\n")
        print(render(result.scanned.card), flush=True)
        done.append(result)
    if not done:
        print(f"{title}: skipped, no labeled set beside the checkout")
        return 0
    claims = [claim for result in done for claim in result.claims]
    failed = print_claims(claims)
    comparison = [_baselines(result.scanned.card) for result in done[:1]]
    parts = [note, claims_markdown(claims), *comparison, *(result.markdown() for result in done)]
    write_section(name, title, "\n\n".join(part for part in parts if part))
    return failed


def _labeled(folder: Path) -> Iterator[Result]:
    dev, quiet = SHARED / "dev", SHARED / "dev-quiet"
    if not dev.is_dir():
        return
    baseline = ("--baseline", str(quiet / "requests"))
    known = (*baseline, "--baseline-accounts", str(quiet / "accounts.parquet"))
    for mode, options in (("self", ()), ("baseline", known), ("baseline without its accounts", baseline)):
        scanned = scan_and_score(dev, folder / f"dev-{mode.replace(' ', '-')}", (*options, *REPLAY))
        yield Result(f"dev, {CALIBRATION[mode]}", scanned, list(claims_on_dev(scanned.card, mode=mode)))
    scanned = scan_and_score(quiet, folder / "quiet", REPLAY)
    yield Result("dev-quiet, calibrated on itself", scanned, list(claims_on_quiet(scanned.card, mode="self")))


def _simulated(folder: Path) -> Iterator[Result]:
    for name, scale in SCENARIOS.items():
        for seed in SEEDS:
            title = f"{name}, seed {seed}"
            labeled = simulate(name, folder / f"{name}-{seed}", seed=seed, scale=scale)
            scanned = scan_and_score(labeled, folder / f"{name}-{seed}-out", REPLAY)
            yield Result(title, scanned, list(_simulated_claims(scanned.card, title)))


def _simulated_claims(card: ReportCard, title: str) -> Iterator[Claim]:
    if not card.campaigns:
        yield from claims_on_quiet(card, mode=title)
        return
    plain = [
        score
        for score in card.campaigns
        if score.label == "distillation" and score.campaign_id not in ADAPTIVE_CAMPAIGNS
    ]
    found = sum(score.is_found for score in plain)
    if plain:
        sentence = f"{title}: every distillation campaign but adaptive ones found"
        yield Claim(sentence, f"{found} of {len(plain)}", found == len(plain))
    yield from claims_on_benign(card, mode=title)


def _false_alarms(card: ReportCard) -> str:
    rows = [
        (each.archetype, f"{each.accounts:,}", str(each.flagged), str(each.observed))
        for each in card.archetypes
        if each.flagged or each.observed
    ]
    header = ("benign archetype", "accounts", "at medium or above", "at low")
    return markdown(header, rows) if rows else "No benign account was reported at any severity."


def _baselines(card: ReportCard) -> str:
    published = load_baselines()
    if not comparable(card, published):
        return ""
    tables = [
        f"At {budget} benign accounts flagged per 1,000 on quiet traffic:\n\n"
        + markdown(*baseline_rows(card, published, budget))
        for budget in published.budgets
    ]
    head = "### Beside other detectors, on the same set\n\nShare of accounts, day of first detection, leak before it / if only flagged accounts are blocked."
    return "\n\n".join([head, *tables])
