"""An authorization as the node keeps it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.record import Record, UtcTime

Person = Annotated[str, Field(pattern=r"^person:.+$", max_length=512)]
"""Who acted, as the audit trail writes a person."""


class State(StrEnum):
    """What an authorization is on a day."""

    PENDING = "pending"
    IN_FORCE = "in_force"
    ENDED = "ended"
    REVOKED = "revoked"

    @property
    def phrase(self) -> str:
        """Return the words people read."""
        return self.value.replace("_", " ")


class RecordedAuthorization(Record):
    """A permission, and what was done with it.

    Attributes:
        authorization: the permission, with who approved it and when.
        granted_at: when it was recorded.
        granted_by: who recorded it.
        revoked_at: when it was taken back; None while it stands.
        revoked_by: who took it back.
        revoked_why: why.
    """

    authorization: Authorization
    granted_at: UtcTime
    granted_by: Person
    revoked_at: UtcTime | None = None
    revoked_by: Person | None = None
    revoked_why: str | None = None

    def state_at(self, now: datetime) -> State:
        """Say what it is at a time."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return State.REVOKED
        return state_on(self.authorization, now.date())


def state_on(authorization: Authorization, day: date) -> State:
    """Say what a permission's own dates make of it on a day (UTC)."""
    if day < authorization.starts_on:
        return State.PENDING
    return State.ENDED if day > authorization.ends_on else State.IN_FORCE
