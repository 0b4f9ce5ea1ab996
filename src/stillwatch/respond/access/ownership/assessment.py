"""What the ownership rule says about one organization."""

from enum import StrEnum

from stillwatch.domain.record import Record, Share
from stillwatch.respond.access.ownership.policy import Reading


class Outcome(StrEnum):
    """Refused, clear, or not known: what is not known is not clear."""

    CLEAR = "clear"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class Bounds(Record):
    """Share from unsupported regions under one reading: the truth lies between the two."""

    reading: Reading
    low: Share
    high: Share
    outcome: Outcome


class Step(Record):
    """One holding on a path, from the company to its owner.

    Attributes:
        subject, subject_name: the company.
        owner, owner_name: who holds it.
        low, high: how much, 0 to 1.
        basis: what the share is a share of.
        way: direct or indirect.
        source: the register that says so.
        statement: the statement there.
    """

    subject: str
    subject_name: str | None
    owner: str
    owner_name: str | None
    low: Share
    high: Share
    basis: str
    way: str
    source: str
    statement: str | None = None


class OwnershipPath(Record):
    """A chain of holdings from the organization to an unsupported entity, and the product of its least shares."""

    steps: tuple[Step, ...]
    low: Share
    place: str | None
    sentence: str


class Assessment(Record):
    """The answer for one organization, with what it rests on.

    Attributes:
        entity_id: the organization, as the user named it.
        name: its name, where a register has one.
        outcome: the answer under the reading that the policy names.
        refused_by: the readings that refuse.
        bounds: both readings.
        paths: the strongest chains to unsupported entities, strongest first.
        reasons: plain sentences: why this answer.
        unknowns: plain sentences: what is not known, and where.
        notes: plain sentences: circles, contradictions, and what else a person should look at.
    """

    entity_id: str
    name: str | None
    outcome: Outcome
    refused_by: tuple[Reading, ...]
    bounds: tuple[Bounds, ...]
    paths: tuple[OwnershipPath, ...]
    reasons: tuple[str, ...]
    unknowns: tuple[str, ...]
    notes: tuple[str, ...]
