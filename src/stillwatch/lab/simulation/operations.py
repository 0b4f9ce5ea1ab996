"""Run campaigns: which accounts an operator uses on a day, and what it asks."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stillwatch.lab.simulation import chance, events
from stillwatch.lab.simulation.accounts import DAY_US
from stillwatch.lab.simulation.activity import gather, live_one_day
from stillwatch.lab.simulation.campaigns import Dispatch
from stillwatch.lab.simulation.chance import Indices, Keys
from stillwatch.lab.simulation.customers import Customers, Demand
from stillwatch.lab.simulation.events import Events
from stillwatch.lab.simulation.places import LANGUAGES
from stillwatch.lab.simulation.recruiting import Operation
from stillwatch.lab.simulation.schedule import call_times
from stillwatch.lab.simulation.texts import text_indices


class _Calls(NamedTuple):
    """Calls of one day: key, time, sitting and account of each."""

    rows: Keys
    times: Indices
    sitting: Keys
    account: Indices


def run_one_day(operation: Operation, day: int, start_us: int, release_us: int | None) -> Events:
    """Simulate one UTC day of a campaign.

    Args:
        operation: The campaign. Its place in the prompt set moves on.
        day: Days since the start of the scenario.
        start_us: The first instant of that day.
        release_us: When the lab's new model came out, if it does.
    """
    if operation.spec.dispatch is Dispatch.OWN:
        return _people(operation, day, start_us, release_us)
    times = _times(operation, day, start_us)
    rows = chance.key_range(0, len(times), chance.salt(operation.key, "calls", day))
    sitting = rows
    if operation.spec.users:
        times, sitting = _sittings(rows, times)
    account = _dispatched(operation, rows, times, sitting)
    lives = np.flatnonzero((account >= 0) & (times < operation.accounts.closed[account]))
    lives = lives[: _left(operation)]
    operation.sent += len(lives)
    calls = _Calls(rows[lives], times[lives], sitting[lives], account[lives])
    return _asked(operation, calls, release_us)


def _times(operation: Operation, day: int, start_us: int) -> Indices:
    return call_times(operation.spec, operation.key, day, start_us, alive=_alive(operation, start_us))


def _left(operation: Operation) -> int:
    return (operation.spec.query_budget or 1 << 60) - operation.sent


def _alive(operation: Operation, start_us: int) -> float:
    overlap = np.minimum(operation.given_up, start_us + DAY_US) - np.maximum(operation.taken_over, start_us)
    return float(overlap.clip(0).sum() / DAY_US)


def _sittings(rows: Keys, times: Indices) -> tuple[Indices, Keys]:
    # People come for some minutes and ask four or five questions in a row, each person on one account.
    if not len(rows):
        return times, rows
    first = chance.pick(rows, chance.salt("sitting"), max(1, len(rows) // 4)) * 4 % len(rows)
    minutes = -9.0 * np.log(1.0 - chance.uniform(rows, chance.salt("minutes")))
    moved = times[first] + (minutes * 6e7).astype(np.int64)
    order = np.argsort(moved, kind="stable")
    return moved[order], rows[first][order]


def _people(operation: Operation, day: int, start_us: int, release_us: int | None) -> Events:
    spec = operation.spec
    # Nobody asks every day: the rate per day is made up on the days on which somebody shows up (factors of `gather`).
    demand = Demand(
        median=1.25 * (spec.rate or 1.0), sigma=0.5, most=60, active_days=(0.5, 0.9), session=2.5, gap_s=150
    )
    crowd = gather(
        spec.name, Customers(accounts=0, demand=demand, text=spec.cover_text), operation.accounts, 0
    )
    lived = live_one_day(crowd, day, start_us)
    works = (lived.time >= operation.taken_over[lived.account]) & (
        lived.time < operation.given_up[lived.account]
    )
    lived = events.by_time(lived.take(works))
    lived = lived.take(slice(0, _left(operation)))
    operation.sent += len(lived)
    rows = chance.combine(lived.conversation, chance.mix(lived.turn.astype(np.uint64), 3))
    return _asked(operation, _Calls(rows, lived.time, lived.conversation, lived.account), release_us)


def _dispatched(operation: Operation, rows: Keys, times: Indices, sitting: Keys) -> Indices:
    spec, seats = operation.spec, operation.spec.active
    position = operation.sent + np.arange(len(rows))
    if spec.dispatch is Dispatch.ROUND_ROBIN:
        seat = position % seats
    elif spec.dispatch is Dispatch.LEAST_RECENT:
        # Calls overlap, so the least recently used account is known only up to those in flight.
        seat = (
            position + np.rint(3.0 * chance.normal(rows, chance.salt("in flight"))).astype(np.int64)
        ) % seats
    elif spec.dispatch is Dispatch.WEIGHTED:
        weight = chance.log_normal(chance.key_range(0, seats, operation.key), 6, 1.0, 0.8)
        seat = chance.pick_weighted(rows, chance.salt("seat"), weight)
    elif spec.dispatch is Dispatch.STICKY:
        # The hold ends with the hour, and now and then with a limit: the conversation goes on with another account.
        hour = chance.combine(sitting, (times // (DAY_US // 24)).astype(np.uint64))
        limited = chance.uniform(rows, chance.salt("limited")) < 0.03
        seat = chance.pick(np.where(limited, rows, hour), chance.salt("seat"), seats)
    else:
        seat = chance.pick(rows, chance.salt("seat"), seats)
    account = _holder(operation, seat, times)
    # A seat may be empty between ban and replacement: the call goes to another one, twice at most.
    for attempt in (1, 2):
        empty = np.flatnonzero(account < 0)
        other = chance.pick(rows[empty], chance.salt("retry", attempt), seats)
        account[empty] = _holder(operation, other, times[empty])
    return account


def _holder(operation: Operation, seat: Indices, times: Indices) -> Indices:
    # One search over all seats: seats are disjoint ranges of a combined key of seat and time.
    base = int(operation.taken_over.min()) - DAY_US
    width = np.int64(2) ** 48
    lengths = np.diff(operation.seat_start)
    seats = np.repeat(np.arange(len(lengths)), lengths)
    table = seats * width + (operation.taken_over - base)
    found = np.searchsorted(table, seat * width + (times - base), side="right") - 1
    found = found.clip(0)
    works = (
        (seats[found] == seat) & (times >= operation.taken_over[found]) & (times < operation.given_up[found])
    )
    return np.where(works, found, -1)


def _asked(operation: Operation, calls: _Calls, release_us: int | None) -> Events:
    spec, accounts = operation.spec, operation.accounts
    rows, account = calls.rows, calls.account
    extracts = _is_extraction(operation, calls)
    cover = _drawn(spec.cover_text, calls.sitting, "cover text")
    item = np.where(extracts, _prompt_set(operation, rows, extracts), chance.mix(rows, 11))
    recipe = _drawn(spec.recipe, item, "recipe")
    language = np.array([LANGUAGES.index(name) for name in spec.languages])[
        chance.pick_weighted(item, chance.salt("language"), list(spec.languages.values()))
    ]
    user = _end_users(operation, calls)
    conversation = np.where(extracts & (spec.dispatch is not Dispatch.OWN), rows, calls.sitting)
    asked = Events(
        time=calls.times, account=account + operation.first, conversation=conversation, turn=np.zeros(len(rows), np.int64),
        thread=conversation, item=item, theme=np.where(extracts, item, conversation),
        owner=np.where(extracts, _variant(operation, rows, account), chance.mix(user ^ accounts.key[account], 13)),
        text=np.where(extracts, recipe, cover).astype(np.int16),
        language=np.where(extracts, language, _own_language(operation, user, account)).astype(np.int16),
        user=np.zeros(len(rows), np.uint64), pivot=_moves(operation, rows, calls.times, release_us),
        campaign=np.where(extracts, operation.number, -1).astype(np.int16),
    )  # fmt: skip
    return _with_turns(asked)


def _drawn(weights: dict[str, float], keys: Keys, by: str) -> Indices:
    return text_indices(weights)[chance.pick_weighted(keys, chance.salt(by), list(weights.values()))]


def _end_users(operation: Operation, calls: _Calls) -> Keys:
    spec = operation.spec
    if not spec.users:
        return np.zeros(len(calls.rows), np.uint64)
    user = chance.zipf_rank(calls.sitting, chance.salt("user"), spec.users, 0.6).astype(np.uint64)
    return chance.combine(user, np.full(len(calls.rows), operation.operator, np.uint64))


def _is_extraction(operation: Operation, calls: _Calls) -> npt.NDArray[np.bool_]:
    if operation.spec.users:
        return chance.uniform(calls.rows, chance.salt("extracts")) < operation.extraction[calls.account]
    # Cover comes in whole sittings where people do it, and call by call where a program does.
    return chance.uniform(calls.sitting, chance.salt("extracts")) >= operation.spec.cover


def _prompt_set(operation: Operation, rows: Keys, extracts: npt.NDArray[np.bool_]) -> Keys:
    spec = operation.spec
    if not spec.without_replacement:
        size = spec.data_budget or 100_000
        rank = chance.zipf_rank(rows, chance.salt("item"), size, 0.5).astype(np.uint64)
    else:
        position = operation.asked + np.cumsum(extracts) - 1
        operation.asked += int(extracts.sum())
        rank = (position // spec.samples % (spec.data_budget or 1 << 40)).astype(np.uint64)
    return chance.combine(rank, np.full(len(rows), chance.salt(operation.operator, "prompts"), np.uint64))


def _variant(operation: Operation, rows: Keys, account: Indices) -> Keys:
    if operation.spec.variants_by == "account":
        return operation.accounts.owner[account]
    variant = chance.pick(rows, chance.salt("variant"), operation.spec.variants).astype(np.uint64)
    return chance.combine(variant, np.full(len(rows), operation.operator, np.uint64))


def _own_language(operation: Operation, users: Keys, account: Indices) -> Indices:
    accounts = operation.accounts
    if not operation.spec.users:
        return accounts.language[account]
    weights = operation.spec.registration.languages or operation.spec.languages
    rows = np.array([LANGUAGES.index(name) for name in weights])
    return rows[chance.pick_weighted(users, chance.salt("speaks"), list(weights.values()))]


def _moves(operation: Operation, rows: Keys, times: Indices, release_us: int | None) -> npt.NDArray[np.bool_]:
    if release_us is None or not operation.spec.pivot:
        return np.zeros(len(rows), bool)
    progress = ((times - release_us) / (operation.spec.pivot_h * DAY_US / 24)).clip(0, 1)
    return chance.uniform(rows, chance.salt("pivot")) < operation.spec.pivot * progress


def _with_turns(calls: Events) -> Events:
    order = np.lexsort((calls.time, calls.conversation))
    talk = calls.take(order)
    position = np.arange(len(talk))
    first = (
        np.append(True, talk.conversation[1:] != talk.conversation[:-1]) if len(talk) else np.zeros(0, bool)
    )
    talk.turn[:] = position - np.maximum.accumulate(np.where(first, position, 0)) if len(talk) else 0
    return talk
