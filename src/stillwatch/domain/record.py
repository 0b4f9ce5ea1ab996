"""What every record of a scan's result has in common: frozen, closed, finite, in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _to_utc(time: datetime) -> datetime:
    """Return the same instant in UTC."""
    return time.astimezone(UTC)


UtcTime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An instant with a zone; stored and written in UTC."""

Count = Annotated[int, Field(ge=0)]
"""How many of something."""

Mass = Annotated[float, Field(ge=0.0)]
"""A count that may be fractional, because rows enter with a probability."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A part of a whole, or a probability, 0 to 1."""


class Record(BaseModel):
    """A frozen record: unknown fields, infinities and NaN are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
