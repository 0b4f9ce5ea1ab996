"""Make a scenario larger or smaller without changing how any account behaves."""

from math import ceil

from stillwatch.lab.simulation.campaigns import Campaign
from stillwatch.lab.simulation.customers import Customers
from stillwatch.lab.simulation.scenario import Scenario


def scaled(scenario: Scenario, scale: float) -> Scenario:
    """Multiply accounts, budgets and shared infrastructure; derive rates from budgets first.

    Args:
        scenario: The scenario as written.
        scale: The factor. What each account asks stays the same.
    """
    customers = {name: _customers(spec, scale) for name, spec in scenario.customers.items()}
    campaigns = tuple(_campaign(spec, scale, scenario.days) for spec in scenario.campaigns)
    return scenario.model_copy(update={"customers": customers, "campaigns": campaigns})


def _customers(spec: Customers, scale: float) -> Customers:
    return spec.model_copy(update={"accounts": _times(spec.accounts, scale)})


def _campaign(spec: Campaign, scale: float, days: int) -> Campaign:
    length = min(spec.end_day or days, days) - spec.start_day
    rate = spec.rate or (spec.query_budget or 0) / (spec.active * max(length, 1))
    infra = spec.infrastructure.model_copy(
        update={
            "cards": _times(spec.infrastructure.cards, scale),
            "pool": _times(spec.infrastructure.pool, scale),
        }
    )
    update: dict[str, object] = {
        "accounts": _times(spec.accounts, scale),
        "active": _times(spec.active, scale),
        "rate": rate,
        "infrastructure": infra,
        "users": _times(spec.users, scale),
    }
    for budget in ("query_budget", "data_budget"):
        value = getattr(spec, budget)
        update[budget] = None if value is None else _times(value, scale)
    return spec.model_copy(update=update)


def _times(count: int, scale: float) -> int:
    return max(1, ceil(count * scale - 1e-9)) if count else 0
