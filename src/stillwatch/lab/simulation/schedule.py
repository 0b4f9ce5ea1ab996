"""When a campaign calls: steadily, in jobs, in its operator's working hours, or like people."""

import numpy as np

from stillwatch.lab.simulation import chance
from stillwatch.lab.simulation.accounts import DAY_US
from stillwatch.lab.simulation.campaigns import Campaign, Timing
from stillwatch.lab.simulation.chance import Floats, Indices, Keys

# Weights of the hours of an office that is open from nine to nine, in its own time.
_WORKING = np.array(
    [1, 0.6, 0.4, 0.3, 0.3, 0.3, 0.6, 2, 5, 9, 10, 10, 7, 8, 10, 10, 10, 9, 7, 7, 7, 6, 3, 1.5]
)
_AWAKE = np.array(
    [2.5, 1.4, 1, 0.7, 0.7, 1, 1.8, 3, 4.6, 5.6, 6, 6, 5.6, 5.8, 6, 6, 5.8, 5.6, 5.4, 5.6, 5.9, 5.6, 4.7, 3.6]
)
_OFFICE_UTC_OFFSET_H = 8


def call_times(spec: Campaign, key: int, day: int, start_us: int, *, alive: float) -> Indices:
    """Draw the times of a campaign's calls on one UTC day, sorted.

    Args:
        spec: The campaign.
        key: Its chance.
        day: Days since the start of the scenario.
        start_us: The first instant of that day.
        alive: Account-days in use on this day.
    """
    today = chance.salt(key, "today", day)
    one = np.array([today], dtype=np.uint64)
    wobble = float(chance.log_normal(one, 1, 1.0, 0.04)[0])
    count = int(_daily(spec, start_us, alive) * wobble + chance.uniform(one, 2)[0])
    rows = chance.key_range(0, count, chance.salt(today, "times"))
    hours = _HOURS[spec.timing](spec, rows, today)
    micros = np.sort((hours / 24.0 * DAY_US).astype(np.int64).clip(0, DAY_US - 1))
    return np.asarray(start_us + micros, dtype=np.int64)


def _daily(spec: Campaign, start_us: int, alive: float) -> float:
    rate = spec.rate or 0.0
    weekend = (start_us // DAY_US + 3) % 7 >= 5
    if spec.timing is Timing.OPERATOR:
        # Five days of work carry what the week has to yield.
        return alive * rate * (0.55 if weekend else 1.18)
    return alive * rate


def _steady(_spec: Campaign, rows: Keys, _today: int) -> Floats:
    return 24.0 * chance.uniform(rows, 1)


def _operator(_spec: Campaign, rows: Keys, _today: int) -> Floats:
    local = chance.pick_weighted(rows, 1, _WORKING) + chance.uniform(rows, 2)
    return np.asarray((local - _OFFICE_UTC_OFFSET_H) % 24.0)


def _human(_spec: Campaign, rows: Keys, _today: int) -> Floats:
    local = chance.pick_weighted(rows, 1, _AWAKE) + chance.uniform(rows, 2)
    # Accounts claim to live all over the world.
    zone = np.array([-6, -6, -5, 0, 1, 1, 5.5, 8, 9, 10, -3])[chance.pick(rows, 3, 11)]
    return np.asarray((local - zone) % 24.0)


def _jobs(spec: Campaign, rows: Keys, today: int) -> Floats:
    starts = 24.0 * chance.uniform(chance.key_range(0, spec.jobs_per_day, chance.salt(today, "jobs")), 1)
    job = chance.pick(rows, 1, spec.jobs_per_day)
    return np.asarray((starts[job].clip(0, 24 - spec.job_h) + spec.job_h * chance.uniform(rows, 2)) % 24.0)


def _synchronized(spec: Campaign, rows: Keys, today: int) -> Floats:
    # Fixed hours, every account in the same minutes: workers of one scheduler wake up together.
    step = 24.0 / spec.jobs_per_day
    phase = chance.pick(np.array([today & 1], np.uint64), 1, 2) * 0.25
    job = chance.pick(rows, 1, spec.jobs_per_day) * step
    pulse = np.floor(chance.uniform(rows, 2) * spec.job_h * 12) / 12
    return np.asarray((job + phase + pulse + 0.012 * chance.uniform(rows, 3)) % 24.0)


_HOURS = {
    Timing.STEADY: _steady,
    Timing.OPERATOR: _operator,
    Timing.HUMAN: _human,
    Timing.BATCH: _jobs,
    Timing.SYNCHRONIZED: _synchronized,
}
