"""`stillwatch simulate`: write a labeled log set of a simulated lab."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stillwatch.cli import terminal
from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.lab.simulation import Scenario, SimulationSummary

_SEED = 20260302


def simulate(
    scenario: str = "",
    *,
    out: Path | None = None,
    seed: int = _SEED,
    scale: float = 1.0,
    labs: str = "",
    list: Annotated[bool, Parameter(negative=())] = False,  # noqa: A002 - the flag is --list
) -> int:
    """Write a labeled log set: ordinary accounts and the campaigns of a scenario.

    The same scenario, seed and scale give the same bytes. Everything in the logs is invented.

    Args:
        scenario: Name of a packaged scenario, or a .yml file of your own.
        out: Folder to write to. With several labs each gets a folder of its own in it.
        seed: Seed of all chance.
        scale: Factor on accounts and campaign budgets. What one account asks does not change.
        labs: Names of the labs, separated by commas, instead of the scenario's.
        list: Print the packaged scenarios and stop.
    """
    if list:
        return _print_scenarios()
    if not scenario or out is None:
        raise UsageError(
            "simulate needs a scenario and --out", hint="`stillwatch simulate --list` names the scenarios"
        )
    if not scale > 0:
        raise UsageError(
            "--scale must be greater than 0", hint="1 is the scenario as written, 0.1 a tenth of it"
        )
    from stillwatch.lab import simulation  # noqa: PLC0415 - numpy and pyarrow are heavy

    loaded = _at_labs(simulation.load_scenario(scenario), labs)
    with _progress(loaded.days * len(loaded.labs)) as advance:
        summary = simulation.simulate(loaded, out, seed=seed, scale=scale, progress=advance)
    _print_summary(summary, out)
    return 0


@contextmanager
def _progress(days: int) -> Iterator[Callable[[float], None]]:
    """Show a bar on a terminal while the block runs, and nothing anywhere else."""
    if terminal.is_quiet() or not sys.stderr.isatty():
        yield lambda _days: None
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.progress import Progress  # noqa: PLC0415 - only a terminal pays for it

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("simulating", total=days)
        yield lambda done: bars.update(task, advance=done)


def _print_scenarios() -> int:
    from stillwatch.lab import simulation  # noqa: PLC0415 - numpy and pyarrow are heavy

    names = simulation.scenario_names()
    width = max(map(len, names))
    for name in names:
        print(f"{name:<{width}}  {simulation.load_scenario(name).description}")
    return 0


def _at_labs(scenario: "Scenario", labs: str) -> "Scenario":
    if not labs:
        return scenario
    from stillwatch.lab.simulation import at_labs  # noqa: PLC0415 - numpy and pyarrow are heavy

    return at_labs(scenario, tuple(name.strip() for name in labs.split(",")))


def _print_summary(summary: "SimulationSummary", out: Path) -> None:
    for lab in summary.labs:
        print(
            f"{lab.folder}: {lab.requests:,} requests of {lab.accounts:,} accounts, "
            f"{len(lab.campaigns)} campaigns, {lab.extraction_requests:,} extraction requests"
        )
    print(f"simulated {summary.scenario} with seed {summary.seed} at scale {summary.scale:g} in {out}")
