"""A day in the life of ordinary customers: sittings, jobs and bursts, and the questions in them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stillwatch.lab.simulation import chance
from stillwatch.lab.simulation.accounts import DAY_US, Accounts
from stillwatch.lab.simulation.chance import Floats, Indices, Keys
from stillwatch.lab.simulation.customers import Customers, Hours, Items
from stillwatch.lab.simulation.events import Events
from stillwatch.lab.simulation.places import COUNTRIES, LANGUAGES
from stillwatch.lab.simulation.texts import text_indices

# Share of a day's sessions by local hour: people at home and at work, and offices only. Invented, smooth, two-humped.
_HUMAN = np.array(
    [
        2.4,
        1.5,
        1,
        0.7,
        0.6,
        0.8,
        1.4,
        2.6,
        4.2,
        5.6,
        6.3,
        6.3,
        5.6,
        5.7,
        6.3,
        6.4,
        6,
        5.5,
        5.2,
        5.6,
        5.9,
        5.7,
        4.9,
        3.7,
    ]
)
_OFFICE = np.array(
    [
        0.3,
        0.2,
        0.1,
        0.1,
        0.1,
        0.2,
        0.6,
        2.2,
        6.2,
        9.6,
        10.8,
        10.4,
        7.4,
        8.4,
        10.4,
        10.2,
        9,
        6.2,
        3,
        1.6,
        1.2,
        0.9,
        0.6,
        0.4,
    ]
)
_HOUR_US = DAY_US // 24
_OFFSETS = np.array([country.utc_offset_h for country in COUNTRIES])


@dataclass(frozen=True, slots=True)
class Crowd:
    """The accounts of one archetype, ready to live through days.

    Attributes:
        name: The archetype.
        spec: Its settings.
        accounts: Its accounts.
        first: Position of its first account in the lab's accounts.
        rate: Requests per active day.
        shows_up: Share of days with any activity.
        pool: Size of the account's pool or data set.
        samples: Repetitions of each item of a sweep.
    """

    name: str
    spec: Customers
    accounts: Accounts
    first: int
    rate: Floats
    shows_up: Floats
    pool: Indices
    samples: Indices


class _Calls(NamedTuple):
    """Calls of one day: account, key, conversation, turn and time of each."""

    account: Indices
    key: Keys
    conversation: Keys
    turn: Indices
    time: Indices


def gather(name: str, spec: Customers, accounts: Accounts, first: int) -> Crowd:
    """Draw how much each account asks, once for the whole period."""
    demand, source = spec.demand, spec.source
    keys = accounts.key
    rate = chance.log_normal(keys, chance.salt("rate"), demand.median, demand.sigma).clip(0.3, demand.most)
    low, high = demand.active_days
    shows_up = low + (high - low) * chance.uniform(keys, chance.salt("shows up"))
    pool_keys = _pool_owner(accounts, source.shared)
    spread = chance.uniform(pool_keys, chance.salt("pool size"))
    pool = (source.pool[0] * (source.pool[1] / source.pool[0]) ** spread).astype(np.int64).clip(1)
    samples = source.samples[0] + chance.pick(
        keys, chance.salt("samples"), source.samples[1] - source.samples[0] + 1
    )
    return Crowd(name, spec, accounts, first, rate, shows_up, pool, samples)


def live_one_day(crowd: Crowd, day: int, start_us: int) -> Events:
    """Simulate one UTC day of a crowd. Long sittings may end on the next day.

    Args:
        crowd: The accounts.
        day: Days since the start of the scenario.
        start_us: The first instant of that day.
    """
    account, sessions = _asked(crowd, day, start_us)
    key: Keys = chance.mix(crowd.accounts.key[account], chance.salt("row", day))
    key += np.arange(len(account), dtype=np.uint64)
    sitting = (chance.uniform(key, chance.salt("sitting")) * sessions[account]).astype(np.uint64)
    order = np.lexsort((sitting, account))
    account, key, sitting = account[order], np.asarray(key[order]), sitting[order]
    conversation = chance.combine(chance.mix(crowd.accounts.key[account], chance.salt("day", day)), sitting)
    turn = _turns(conversation)
    time: Indices = _starts(crowd, account, conversation, day)
    time += start_us + _elapsed(crowd, account, key, turn)
    lives = (time >= crowd.accounts.created[account]) & (time < crowd.accounts.closed[account])
    calls = _Calls(account, key, conversation, turn, time)
    return _questions(crowd, day, calls).take(lives)


def _asked(crowd: Crowd, day: int, start_us: int) -> tuple[Indices, Indices]:
    accounts, demand = crowd.accounts, crowd.spec.demand
    by_day = chance.mix(accounts.key, chance.salt("today", day))
    calendar = (start_us // DAY_US + 3) % 7  # the first day of 1970 was a Thursday
    busy = demand.weekend if calendar >= 5 else 1.0
    exists = (accounts.created < start_us + DAY_US) & (accounts.closed > start_us)
    shows = chance.uniform(by_day, 1) < crowd.shows_up * min(busy, 1.0)
    amount = crowd.rate * max(busy, 1.0) * chance.log_normal(by_day, 2, 1.0, 0.45)
    count = np.floor(amount + chance.uniform(by_day, 3)).astype(np.int64).clip(0, int(demand.most) * 2)
    count = np.where(shows & exists, np.maximum(count, 1), 0)
    sessions = np.maximum(
        1, np.rint(count / demand.session * (0.6 + 0.8 * chance.uniform(by_day, 4)))
    ).astype(np.int64)
    return np.repeat(np.arange(len(accounts)), count), sessions


def _turns(conversation: Keys) -> Indices:
    position = np.arange(len(conversation))
    first = np.ones(len(conversation), dtype=bool)
    first[1:] = conversation[1:] != conversation[:-1]
    return position - np.maximum.accumulate(np.where(first, position, 0))


def _starts(crowd: Crowd, account: Indices, conversation: Keys, day: int) -> Indices:
    accounts, hours = crowd.accounts, crowd.spec.demand.hours
    if hours in {Hours.HUMAN, Hours.OFFICE}:
        local = _hour_of_day(conversation, _HUMAN if hours is Hours.HUMAN else _OFFICE)
        # People differ: each has habits of their own, up to some hours earlier or later than the crowd.
        habit = 1.6 * chance.normal(accounts.person[account], chance.salt("habit"))
        hour = (local + habit - _OFFSETS[accounts.country[account]]) % 24.0
    elif hours is Hours.ALWAYS:
        hour = 24.0 * chance.uniform(conversation, chance.salt("hour"))
    else:
        hour = _timetable(crowd, account, conversation, day)
    return np.asarray((hour * _HOUR_US).astype(np.int64), dtype=np.int64)


def _timetable(crowd: Crowd, account: Indices, conversation: Keys, day: int) -> Floats:
    accounts, hours = crowd.accounts, crowd.spec.demand.hours
    late_h = chance.log_normal(conversation, chance.salt("late"), 0.02, 1.5).clip(0, 3)
    if hours is Hours.MIDNIGHT:
        return np.asarray(late_h / 4)
    if hours is Hours.CRON:
        minute = chance.pick(accounts.person[account], chance.salt("cron"), 96) * 15
        return np.asarray(minute / 60.0 + late_h)
    lesson = chance.mix(accounts.group[account], chance.salt("lesson", day))
    start = (8.0 + 9.0 * chance.uniform(lesson, 1) - _OFFSETS[accounts.country[account]]) % 24.0
    in_class = chance.uniform(conversation, chance.salt("in class")) < 0.6
    evening = (_hour_of_day(conversation, _HUMAN) - _OFFSETS[accounts.country[account]]) % 24.0
    return np.asarray(np.where(in_class, start + 1.5 * chance.uniform(conversation, 5), evening))


def _hour_of_day(keys: Keys, profile: Floats) -> Floats:
    hour = chance.pick_weighted(keys, chance.salt("hour"), profile)
    return np.asarray(hour + chance.uniform(keys, chance.salt("minute")))


def _elapsed(crowd: Crowd, account: Indices, key: Keys, turn: Indices) -> Indices:
    pace = chance.log_normal(crowd.accounts.key[account], chance.salt("pace"), crowd.spec.demand.gap_s, 0.5)
    gap_s = np.where(turn == 0, 0.0, pace * chance.log_normal(key, chance.salt("gap"), 1.0, 0.9))
    total = np.cumsum(gap_s)
    first = np.flatnonzero(turn == 0)
    base = np.repeat(total[first], np.diff(np.append(first, len(turn)))) if len(turn) else total
    jitter = chance.pick(key, chance.salt("microsecond"), 1_000_000)
    return np.asarray(((total - base).clip(0, 20 * 3600) * 1e6).astype(np.int64) + jitter)


def _questions(crowd: Crowd, day: int, calls: _Calls) -> Events:
    account, key, conversation, turn, time = calls
    accounts, spec = crowd.accounts, crowd.spec
    deciding = accounts.owner[account] if spec.text_by == "account" else conversation
    text = text_indices(spec.text)[
        chance.pick_weighted(deciding, chance.salt("text"), list(spec.text.values()))
    ]
    # People who know English use it now and then.
    foreign = chance.uniform(conversation, chance.salt("english")) < 0.06
    language = np.where(foreign, LANGUAGES.index("en"), accounts.language[account])
    has_users = chance.uniform(accounts.owner, chance.salt("users"))[account] < spec.user_ids
    user = chance.combine(
        accounts.key[account], chance.zipf_rank(conversation, chance.salt("user"), 400, 0.7).astype(np.uint64)
    )
    item, known = _items(crowd, day, account, key)
    return Events(
        time=time, account=account + crowd.first, conversation=conversation, turn=turn, thread=conversation,
        item=item, theme=np.where(known, item, conversation), owner=accounts.owner[account], text=text.astype(np.int16),
        language=language.astype(np.int16), user=np.where(has_users, user, np.uint64(0)),
        pivot=np.zeros(len(time), bool), campaign=np.full(len(time), -1, np.int16),
    )  # fmt: skip


def _pool_owner(accounts: Accounts, shared: str) -> Keys:
    if shared == "group":
        return accounts.group
    if shared == "world":
        # A public benchmark: forty exist, a few of them are popular.
        return chance.mix(
            chance.zipf_rank(accounts.owner, chance.salt("benchmark"), 40, 0.9).astype(np.uint64), 77
        )
    return accounts.key


def _items(crowd: Crowd, day: int, account: Indices, key: Keys) -> tuple[Keys, npt.NDArray[np.bool_]]:
    source = crowd.spec.source
    new = chance.mix(key, chance.salt("item"))
    if source.mode is Items.FRESH:
        return new, np.zeros(len(key), bool)
    pool_owner, pool = _pool_owner(crowd.accounts, source.shared)[account], crowd.pool[account]
    if source.mode is Items.SWEEP:
        rank = _sweep_position(crowd, day, account) // crowd.samples[account] % pool
    elif source.mode is Items.EXERCISES:
        pool_owner = chance.mix(pool_owner, chance.salt("week", day // 7))
        rank = chance.pick(key, chance.salt("exercise"), 1 << 30) % pool
    else:
        rank = chance.zipf_rank(key, chance.salt("rank"), pool, source.zipf)
    known = chance.uniform(key, chance.salt("fresh")) >= source.fresh
    return np.where(known, chance.combine(pool_owner, rank.astype(np.uint64)), new), known


def _sweep_position(crowd: Crowd, day: int, account: Indices) -> Indices:
    start = chance.pick(crowd.accounts.key, chance.salt("start"), 1_000_000)
    # Half of the sweeps begin at the top every time, the others go on where they stopped.
    again = chance.uniform(crowd.accounts.key, chance.salt("again")) < 0.5
    begin = np.where(again, 0, start + day * crowd.rate.astype(np.int64))
    return begin[account] + _turns(crowd.accounts.key[account])
