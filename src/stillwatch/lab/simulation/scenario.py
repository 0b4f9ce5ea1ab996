"""A whole simulated world: labs, their customers, the campaigns against them."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from stillwatch.lab.simulation.campaigns import Campaign, LabName
from stillwatch.lab.simulation.customers import Customers, Share, Strict


class Scenario(Strict):
    """A whole simulated world.

    Attributes:
        name: Short name.
        description: One sentence for `--list`.
        start: First day (UTC).
        days: Length.
        release_day: Day on which the labs release a new model; none means never.
        labs: Names of the labs.
        shared_customers: Share of ordinary customers who are customers of every lab.
        customers: Ordinary customers by archetype.
        campaigns: Operations against the labs.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    description: str = ""
    start: date = date(2026, 3, 2)
    days: int = Field(ge=1, le=400)
    release_day: int | None = Field(default=None, ge=0)
    labs: tuple[LabName, ...] = ("lab",)
    shared_customers: Share = 0.15
    customers: dict[str, Customers] = Field(default={})
    campaigns: tuple[Campaign, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [campaign.name for campaign in self.campaigns]
        if len(set(names)) < len(names):
            raise ValueError("two campaigns have one name")
        unknown = {lab for campaign in self.campaigns for lab in campaign.labs} - set(self.labs)
        if unknown:
            raise ValueError(
                f"campaigns attack labs that are not in the scenario: {', '.join(sorted(unknown))}"
            )
        return self
