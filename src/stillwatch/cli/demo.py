"""`stillwatch demo`: all of it in one command, on traffic that is made up on the spot."""

import contextlib
import time
from pathlib import Path

from stillwatch.cli import terminal
from stillwatch.cli.scan import scan
from stillwatch.cli.simulate import simulate

_SEED = 20260302


def demo(
    scenario: str = "fortnight",
    *,
    out: Path = Path("stillwatch-demo"),
    seed: int = _SEED,
    scale: float = 1.0,
) -> int:
    """Simulate a lab's fortnight, scan it, and say what was found, how well, and how early.

    Everything in it is invented. It takes a few minutes, and ends by itself.

    Args:
        scenario: What to simulate; `stillwatch simulate --list` names the scenarios with one lab.
        out: Folder for the logs, the findings and the report.
        seed: Seed of all chance.
        scale: Factor on the number of accounts and on campaign budgets.

    Returns:
        0 once everything is printed, whatever was found.
    """
    from stillwatch.lab import evaluation  # noqa: PLC0415 - --help does not pay for the engine
    from stillwatch.lab.evaluation.rendering import render  # noqa: PLC0415

    logs, findings = out / "logs", out / "findings"
    _announce(1, f"simulate the scenario {scenario}")
    simulate(scenario, out=logs, seed=seed, scale=scale)
    _announce(2, "scan it, day by day, without the answers")
    _scan_to_file(logs, findings)
    _announce(3, "compare what was found with what is true")
    print(render(evaluation.evaluate(findings, logs)))
    print(f"everything found, in words: {findings / 'findings.txt'}")
    print(f"the same as a page:         {findings / 'report.html'}")
    return 0


def _announce(step: int, what: str) -> None:
    print(f"\n[{step}/3] {what}", flush=True)


def _scan_to_file(logs: Path, findings: Path) -> None:
    """Scan with the text for people kept in a file, and print its headlines."""
    findings.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    words = findings / "findings.txt"
    with words.open("w", encoding="utf-8") as stream, contextlib.redirect_stdout(stream):
        scan(
            str(logs / "requests"),
            accounts=str(logs / "accounts.parquet"),
            authorizations=str(logs / "authorizations.yml"),
            out=findings,
            replay="1d",
        )
    lines = words.read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith(("critical[", "high[", "medium[", "low[")):
            print(line)
    print(next((line for line in reversed(lines) if line.startswith("stillwatch:")), ""))
    terminal.say(f"scanned in {time.monotonic() - started:.0f} s")
