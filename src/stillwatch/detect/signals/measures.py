"""What the signals need to know of each account, as sums that pool by addition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.links.load_levelling import daily_log_load
from stillwatch.detect.profiles.definition import KIND_BITS
from stillwatch.detect.profiles.population import Population, numbering_of
from stillwatch.detect.profiles.prompt_rows import repeats_by_account
from stillwatch.detect.profiles.state import State
from stillwatch.detect.signals.groups import Groups, wilson_low

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOURS_PER_DAY = 24
ABUSE_REASONS = frozenset({"suspected_abuse", "policy_violation", "payment_fraud", "fraud", "abuse"})
MIXED_MODES = (
    0.1,
    0.9,
)  # an account that has its system instructions in this share of its requests uses two kinds
NIGHT_H = 6  # hours in a row in which one person does next to nothing, somewhere on the clock
NIGHT_SHARE = 0.05  # of the requests; evenly spread they would be a quarter
MOSTLY_TALK = 0.5  # share of requests that go on with a conversation


@dataclass(frozen=True)
class AccountMeasures:
    """Per-account measures by name, each `(n_accounts,)` or `(n_accounts, k)` float64.

    Args:
        columns: The measures.
        kind_nats: `(n_kinds,)` what one request of each elicitation kind is worth, by its rarity here.
    """

    columns: dict[str, NDArray[np.float64]]
    kind_nats: NDArray[np.float64]

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Return one measure."""
        return self.columns[name]

    def __len__(self) -> int:
        """Count the accounts."""
        return len(next(iter(self.columns.values())))


def kind_rarity(population: Population, units: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Return the nats of one request of each kind: the log of how little of ordinary demand is of it.

    Every cluster counts as one, like every account in none, however many accounts or requests it has: a campaign over a
    third of the accounts is still one operator among many and does not make its own demand look common. A kind that
    nobody uses is worth the log of the number of operators that were looked at, not infinity.

    Args:
        population: All accounts.
        units: Positions of the accounts of each cluster, and of each account in none.

    Returns:
        `(KIND_BITS,)` float64.
    """
    counts = np.stack([population.totals[f"kind_{bit}"] for bit in range(KIND_BITS)], axis=1)
    measures = AccountMeasures(
        {
            "kinds": counts.astype(np.float64),
            "requests": population.totals["requests"].astype(np.float64),
        },
        np.zeros(KIND_BITS),
    )
    mean = Groups(units, measures).share("kinds").mean(axis=0) if len(units) else np.zeros(KIND_BITS)
    return -np.log(np.clip(mean, 1.0 / (len(units) + 1), 1.0))


def account_measures(state: State, population: Population, kind_nats: NDArray[np.float64]) -> AccountMeasures:
    """Collect the measures of every account of a population."""
    totals = population.totals
    names = (
        "requests",
        "single_turn",
        "tools",
        "harvest",
        "saturated",
        "failed",
        "limited",
        "elicited",
        "contents",
    )
    columns = {name: totals[name].astype(np.float64) for name in (*names, "output_tokens", "input_tokens")}
    columns["accounts"] = np.ones(len(population))
    columns["kinds"] = np.stack([totals[f"kind_{bit}"] for bit in range(KIND_BITS)], axis=1).astype(
        np.float64
    )
    columns["clock"] = _clock(population)
    columns.update(_daily_load(population))
    columns.update(_repeats(state, population))
    columns.update(_new_models(population))
    columns["several_users"] = np.maximum(_mixed_modes(population), _sleepless_talk(columns))
    columns.update(_closures(population))
    return AccountMeasures(columns, kind_nats)


def _clock(population: Population) -> NDArray[np.float64]:
    """Return requests by hour of the day (UTC), `(n, 24)`."""
    out = np.zeros((len(population), HOURS_PER_DAY))
    hours = population.hours
    position = (hours["account"].astype(np.int64), (hours["hour"].astype(np.int64) % HOURS_PER_DAY))
    np.add.at(out, position, hours["requests"].astype(np.float64))
    return out


def _daily_load(population: Population) -> dict[str, NDArray[np.float64]]:
    """Return each account's mean log requests per active day, and its square."""
    load = daily_log_load(population)
    return {"log_load": load, "log_load_squared": load**2}


def _repeats(state: State, population: Population) -> dict[str, NDArray[np.float64]]:
    """Count repeatable prompts, the different ones among them, and those that other accounts sent as well."""
    accounts = numbering_of(population.connection)
    counted: dict[str, NDArray[np.float64]] = repeats_by_account(
        state.tables("prompts", population.days), accounts
    )
    return counted


def _new_models(population: Population) -> dict[str, NDArray[np.float64]]:
    """Count requests in the two days after a model first appeared, and those of them that went to it.

    A model that is there on the first day is not new.
    """
    models = population.models
    out = {"release_requests": np.zeros(len(population)), "pivoted_requests": np.zeros(len(population))}
    if len(models) == 0:
        return out
    names, code = np.unique(models["model"].astype(str), return_inverse=True)
    day = models["day"].astype(np.int64)
    account, requests = models["account"].astype(np.int64), models["requests"].astype(np.float64)
    first = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(first, code, day)
    for one in np.flatnonzero((first > day.min()) & (names != "")):
        soon = (day >= first[one]) & (day <= first[one] + 1)
        np.add.at(out["release_requests"], account[soon], requests[soon])
        moved = soon & (code == one)
        np.add.at(out["pivoted_requests"], account[moved], requests[moved])
    return out


def _mixed_modes(population: Population) -> NDArray[np.float64]:
    """Mark accounts that mix demand of unlike applications: with and without system instructions or tools."""
    requests = np.maximum(population.totals["requests"].astype(np.float64), 1.0)
    systems = population.values["kind"] == "system"
    account = population.values["account"][systems].astype(np.int64)
    with_system = np.bincount(
        account, population.values["requests"][systems].astype(np.float64), len(population)
    )
    different = np.bincount(account, minlength=len(population))
    low, high = MIXED_MODES
    mixed_system = (with_system / requests > low) & (with_system / requests < high) & (different > 1)
    tool_share = population.totals["tools"] / requests
    mixed_tools = (tool_share > low) & (tool_share < high) & (different > 1)
    return mixed_system.astype(np.float64) * 0.5 + mixed_tools.astype(np.float64) * 0.5


def _sleepless_talk(columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mark accounts that converse around the clock: people sleep, and programs mostly ask single questions."""
    requests = np.maximum(columns["requests"], 1.0)
    twice = np.concatenate([columns["clock"], columns["clock"]], axis=1)
    nights = np.stack([twice[:, hour : hour + NIGHT_H].sum(axis=1) for hour in range(HOURS_PER_DAY)], axis=1)
    at_night = wilson_low(nights.min(axis=1), requests)
    talks = 1 - columns["single_turn"] / requests
    return ((at_night > NIGHT_SHARE) & (talks > MOSTLY_TALK)).astype(np.float64)


def _closures(population: Population) -> dict[str, NDArray[np.float64]]:
    """Mark accounts that were closed for abuse within the window; empty without an accounts table."""
    closed = population.registry.get("closed_at")
    if closed is None:
        return {}
    reasons = population.registry.get("close_reason")
    marks = np.zeros(len(population))
    for index, when in enumerate(closed):
        reason = reasons[index] if reasons is not None else None
        if when is not None and when <= population.last_us and reason in ABUSE_REASONS:
            marks[index] = 1.0
    return {"closed_for_abuse": marks}
