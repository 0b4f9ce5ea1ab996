"""What the signals need to know of each account."""

from collections.abc import Callable

import numpy as np
import pytest

from stillwatch.detect.profiles.definition import KIND_BITS
from stillwatch.detect.profiles.population import Population
from stillwatch.detect.signals import measures as module
from stillwatch.detect.signals.measures import kind_rarity

Build = Callable[..., Population]


def alone(count: int) -> list[np.ndarray]:
    """Every account by itself."""
    return [np.array([place]) for place in range(count)]


def test_a_kind_that_one_account_in_ten_asks_for_is_worth_the_log_of_ten(make_population: Build) -> None:
    population = make_population(100, totals={"kind_0": [10] * 10 + [0] * 90})
    assert kind_rarity(population, alone(100))[0] == pytest.approx(np.log(10))


def test_a_kind_that_nobody_asks_for_is_worth_the_log_of_those_looked_at(make_population: Build) -> None:
    nats = kind_rarity(make_population(99), alone(99))
    assert nats.tolist() == pytest.approx([np.log(100)] * KIND_BITS)


def test_a_busy_account_counts_no_more_than_a_quiet_one(make_population: Build) -> None:
    requests = [10] * 99 + [1_000_000]
    population = make_population(100, totals={"kind_0": [0] * 99 + [1_000_000], "requests": requests})
    assert kind_rarity(population, alone(100))[0] == pytest.approx(np.log(100))


def test_authorized_accounts_do_not_make_a_kind_ordinary(make_population: Build) -> None:
    population = make_population(100, totals={"kind_0": [10] * 50 + [0] * 50})
    assert kind_rarity(population, alone(100)[50:])[0] == pytest.approx(np.log(51))


def test_a_third_of_the_accounts_under_one_operator_do_not_make_its_demand_ordinary(
    make_population: Build,
) -> None:
    population = make_population(150, totals={"kind_0": [10] * 50 + [0] * 100})
    units = [np.arange(50), *alone(150)[50:]]
    assert kind_rarity(population, units)[0] == pytest.approx(np.log(101))
    assert kind_rarity(population, alone(150))[0] == pytest.approx(np.log(3))


def test_whoever_converses_around_the_clock_is_several_people() -> None:
    around, day, single = np.full(24, 5.0), np.zeros(24), np.full(24, 5.0)
    day[8:20] = 10.0
    columns = {
        "clock": np.stack([around, day, single]),
        "requests": np.full(3, 120.0),
        "single_turn": np.array([30.0, 30.0, 120.0]),
    }
    assert module._sleepless_talk(columns).tolist() == [1.0, 0.0, 0.0]


def test_the_daily_load_is_the_mean_log_of_requests_per_active_day(make_population: Build) -> None:
    hours = [(0, 3), (0, 5), (0, 9), (0, 30), (1, 4)]
    found = module._daily_load(make_population(3, hours=hours))
    assert found["log_load"].tolist() == pytest.approx([np.log(3) / 2, 0.0, 0.0])
    assert found["log_load_squared"].tolist() == pytest.approx([(np.log(3) / 2) ** 2, 0.0, 0.0])


def test_the_clock_counts_requests_by_hour_of_the_day(make_population: Build) -> None:
    clock = module._clock(make_population(2, hours=[(0, 3), (0, 27), (1, 23)]))
    assert clock[0, 3] == 2
    assert clock[1, 23] == 1
    assert clock.sum() == 3


def test_a_model_that_was_there_from_the_start_is_not_new(make_population: Build) -> None:
    models = [
        (0, 0, "lab-1", 5),
        (0, 3, "lab-2", 4),
        (0, 3, "lab-1", 6),
        (1, 4, "lab-1", 3),
        (1, 5, "lab-2", 9),
    ]
    found = module._new_models(make_population(2, models=models))
    assert found["release_requests"].tolist() == [10, 3]
    assert found["pivoted_requests"].tolist() == [4, 0]


def test_only_closures_for_abuse_in_the_window_count(make_population: Build) -> None:
    hour_us = 3_600_000_000
    registry = {
        "closed_at": {0: 5 * hour_us, 1: 5 * hour_us, 2: 500 * hour_us},
        "close_reason": {0: "suspected_abuse", 1: "user_request", 2: "suspected_abuse"},
    }
    found = module._closures(make_population(4, hours=[(0, 50)], registry=registry))
    assert found["closed_for_abuse"].tolist() == [1, 0, 0, 0]


def test_without_an_accounts_table_nothing_is_said_of_closures(make_population: Build) -> None:
    assert module._closures(make_population(4)) == {}


def test_an_account_with_several_applications_mixes_modes(make_population: Build) -> None:
    values = [(0, "system", number) for number in range(5)] + [(1, "system", 7)]
    population = make_population(3, values=values, totals={"tools": [5, 5, 0]})
    assert module._mixed_modes(population).tolist() == [1.0, 0.0, 0.0]
