"""Run a scenario: set up the labs, live through the days, write the log sets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np

from stillwatch.lab.simulation import activity, chance, columns, events, operations, recruiting
from stillwatch.lab.simulation.accounts import DAY_US, Accounts, Plan, concatenate, draw_accounts
from stillwatch.lab.simulation.activity import Crowd
from stillwatch.lab.simulation.chance import Keys
from stillwatch.lab.simulation.columns import Lab
from stillwatch.lab.simulation.customers import Customers
from stillwatch.lab.simulation.events import Events
from stillwatch.lab.simulation.recruiting import Operation
from stillwatch.lab.simulation.scaling import scaled
from stillwatch.lab.simulation.scenario import Scenario
from stillwatch.lab.simulation.writing import LogSetWriter, write_scenario

_ROWS_AT_ONCE = 150_000


@dataclass(frozen=True, slots=True)
class LabSummary:
    """What was written for one lab."""

    lab: str
    folder: Path
    requests: int
    accounts: int
    extraction_requests: int
    campaigns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimulationSummary:
    """What was written."""

    scenario: str
    seed: int
    scale: float
    labs: tuple[LabSummary, ...]

    @property
    def requests(self) -> int:
        """Count the requests of all labs."""
        return sum(lab.requests for lab in self.labs)

    @property
    def accounts(self) -> int:
        """Count the accounts of all labs."""
        return sum(lab.accounts for lab in self.labs)


@dataclass(frozen=True, slots=True)
class World:
    """One lab with everybody who uses it."""

    lab: Lab
    crowds: tuple[Crowd, ...]
    operations: tuple[Operation, ...]


def simulate(
    scenario: Scenario,
    out: Path,
    *,
    seed: int,
    scale: float = 1.0,
    progress: Callable[[float], None] = lambda _days: None,
) -> SimulationSummary:
    """Simulate a scenario and write its log sets. The same arguments give the same bytes.

    Args:
        scenario: What to simulate.
        out: Folder to write to. With several labs each has a folder of its own in it.
        seed: Seed of all chance.
        scale: Factor on the number of accounts and on campaign budgets; the behavior of an account does not change.
        progress: Called after each simulated day of each lab, with the days done since the last call.

    Raises:
        OutputError: The folder cannot be written.
    """
    plan = scaled(scenario, scale)
    write_scenario(out, scenario, seed=seed, scale=scale)
    labs = []
    for name in plan.labs:
        folder = out if len(plan.labs) == 1 else out / name
        labs.append(_simulate_lab(plan, name, folder, seed, progress))
    return SimulationSummary(scenario.name, seed, scale, tuple(labs))


def build_world(scenario: Scenario, lab: str, seed: int) -> World:
    """Set up one lab: its customers and the campaigns against it.

    Args:
        scenario: What to simulate, already scaled.
        lab: Which of its labs.
        seed: Seed of all chance.
    """
    world_key, lab_key = chance.salt(seed), chance.salt(seed, lab)
    start = int(datetime.combine(scenario.start, time(), UTC).timestamp()) * 1_000_000
    crowds, parts, first = [], [], 0
    for name, spec in scenario.customers.items():
        accounts = _customers(name, spec, scenario, world_key=world_key, lab_key=lab_key, start_us=start)
        crowds.append(activity.gather(name, spec, accounts, first))
        parts.append(accounts)
        first += len(accounts)
    ops: list[Operation] = []
    for campaign in scenario.campaigns:
        if campaign.labs and lab not in campaign.labs:
            continue
        label = campaign.name if len(scenario.labs) == 1 else f"{lab}-{campaign.name}"
        operation = recruiting.set_up(
            campaign,
            label,
            len(ops),
            first,
            lab_key=lab_key,
            world_key=world_key,
            start_us=start,
            days=scenario.days,
        )
        ops.append(operation)
        parts.append(operation.accounts)
        first += len(operation.accounts)
    release = (
        None if scenario.release_day is None else start + scenario.release_day * DAY_US + 17 * DAY_US // 24
    )
    everybody = concatenate(parts)
    ids = columns.identifiers(chance.mix(everybody.key, lab_key), "acct_", 16)
    passes = _passes_ids(everybody, crowds)
    return World(Lab(lab, lab_key, everybody, ids, passes, start, release), tuple(crowds), tuple(ops))


def days(world: World, scenario: Scenario) -> Iterator[Events]:
    """Yield each day's calls, sorted by time. Sittings that last past midnight are carried over."""
    carried: list[Events] = []
    for day in range(scenario.days):
        start = world.lab.start_us + day * DAY_US
        parts = [activity.live_one_day(crowd, day, start) for crowd in world.crowds]
        parts += [
            operations.run_one_day(operation, day, start, world.lab.release_us)
            for operation in world.operations
        ]
        today = events.by_time(events.concatenate(parts + carried))
        cut = int(np.searchsorted(today.time, start + DAY_US))
        carried = [today.take(slice(cut, None))]
        yield today.take(slice(0, cut))


def _simulate_lab(
    scenario: Scenario, name: str, folder: Path, seed: int, progress: Callable[[float], None]
) -> LabSummary:
    world = build_world(scenario, name, seed)
    with LogSetWriter(folder, world) as writer:
        for calls in _portions(_told(days(world, scenario), progress)):
            writer.write(calls)
        writer.finish(scenario)
    ids = tuple(operation.campaign_id for operation in world.operations)
    return LabSummary(name, folder, writer.requests, writer.accounts, writer.extraction_requests, ids)


def _told(stream: Iterator[Events], progress: Callable[[float], None]) -> Iterator[Events]:
    for calls in stream:
        yield calls
        progress(1)


def _portions(stream: Iterator[Events]) -> Iterator[Events]:
    waiting: list[Events] = []
    for calls in stream:
        waiting.append(calls)
        if sum(map(len, waiting)) < _ROWS_AT_ONCE:
            continue
        together = events.concatenate(waiting)
        waiting = []
        for start in range(0, len(together), _ROWS_AT_ONCE):
            yield together.take(slice(start, start + _ROWS_AT_ONCE))
    if sum(map(len, waiting)):
        yield events.concatenate(waiting)


def _customers(
    name: str, spec: Customers, scenario: Scenario, *, world_key: int, lab_key: int, start_us: int
) -> Accounts:
    everywhere = chance.key_range(0, spec.accounts, chance.salt(world_key, name))
    here = chance.key_range(0, spec.accounts, chance.salt(lab_key, name))
    several = len(scenario.labs) > 1
    shared = several & (chance.uniform(everywhere, chance.salt("everywhere")) < scenario.shared_customers)
    persons = np.where(shared, everywhere, here)
    groups = _groups(spec, persons, chance.salt(lab_key, name, "groups"))
    keys = chance.mix(persons, chance.salt(lab_key, "account"))
    plan = Plan(
        spec.interface, spec.registration, spec.group, spec.networks, spec.clients, start_us, scenario.days
    )  # fmt: skip
    return draw_accounts(keys, persons, groups, plan)


def _groups(spec: Customers, persons: Keys, by: int) -> Keys:
    low, high = spec.group.size
    if not spec.group.share or not len(persons):
        return persons
    sizes = low + chance.pick(chance.key_range(0, len(persons), by), 1, high - low + 1)
    member_of = np.repeat(np.arange(len(sizes)), sizes)[: len(persons)]
    return chance.mix(member_of.astype(np.uint64), by)


def _passes_ids(everybody: Accounts, crowds: list[Crowd]) -> np.ndarray:
    share = np.full(len(everybody), 0.3)
    for crowd in crowds:
        share[crowd.first : crowd.first + len(crowd.accounts)] = crowd.spec.conversation_ids
    passes: np.ndarray = chance.uniform(everybody.owner, chance.salt("passes ids")) < share
    return passes


__all__ = ["LabSummary", "SimulationSummary", "World", "build_world", "days", "simulate"]
