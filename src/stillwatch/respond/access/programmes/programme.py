"""A programme: who may be on it, for how long, for how much, and under which playbook."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from stillwatch.domain.record import Record

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Domain = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"(?i)^[a-z0-9-]+(\.[a-z0-9-]+)*$"),
]
"""A domain; accounts under it and under its subdomains match."""


class OwnershipNeed(StrEnum):
    """What the ownership rule must have said."""

    CLEAR = "clear"
    NOT_REFUSED = "not_refused"
    UNCHECKED = "unchecked"


class Requirements(Record):
    """What an account must show.

    Attributes:
        verified: it must be verified.
        ownership: what the ownership rule must have said about organizations; individuals own themselves.
        account_types: types of account that are admitted; none named means every type.
        email_domains: domains that are admitted, with their subdomains; none named means every domain.
    """

    verified: bool = True
    ownership: OwnershipNeed = OwnershipNeed.CLEAR
    account_types: tuple[Name, ...] = ()
    email_domains: tuple[Domain, ...] = ()


class Programme(Record):
    """One on-ramp. Every place on it ends.

    Attributes:
        programme: as the accounts table names it.
        title: what people call it.
        requires: what an account must show.
        max_requests: requests permitted over the whole term; None means without limit.
        term_days: days from the account's creation; None means until `ends_on`.
        ends_on: last day (UTC) of the programme, inclusive; None means that only the term ends a place.
        playbook: file of the programme's own playbook, as seen from the file of programmes.
    """

    programme: Name
    title: Name
    requires: Requirements = Requirements()
    max_requests: int | None = Field(default=None, gt=0)
    term_days: int | None = Field(default=None, gt=0, le=3660)
    ends_on: date | None = None
    playbook: Name

    @model_validator(mode="after")
    def _ends(self) -> Self:
        """Refuse a place for ever."""
        if self.term_days is None and self.ends_on is None:
            raise ValueError("one of term_days and ends_on must be given: every place ends")
        return self
