"""The closed vocabularies of a finding: how bad, how sure, what it is called.

Severity and confidence are two axes. Severity comes from scale, coordination and the
controls that were defeated; confidence comes from the evidence alone. A small campaign
can be certain, and a huge one can be a guess.
"""

from enum import StrEnum


class Severity(StrEnum):
    """How much a finding would matter if it is right, lowest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return the position on the scale: 1 for low to 4 for critical."""
        return tuple(Severity).index(self) + 1

    def at_least(self, other: "Severity") -> bool:
        """Say whether this is as severe as `other`, or more."""
        return self.rank >= other.rank


class Confidence(StrEnum):
    """How well the evidence supports a finding, lowest first."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """Return the position on the scale: 1 for low to 3 for high."""
        return tuple(Confidence).index(self) + 1


class Label(StrEnum):
    """What a cluster's demand is called. The first two are never merged into one.

    `distillation` is distillation-shaped demand, `resale` is pooled or resold access
    (most people behind a reseller are ordinary developers), `authorized` is use that a
    recorded permission covers and therefore never a finding.
    """

    DISTILLATION = "distillation"
    RESALE = "resale"
    AUTHORIZED = "authorized"

    @property
    def phrase(self) -> str:
        """Return the words people read for this label."""
        return _PHRASES[self]


_PHRASES = {
    Label.DISTILLATION: "distillation-shaped demand",
    Label.RESALE: "resold access",
    Label.AUTHORIZED: "authorized use",
}


class Verdict(StrEnum):
    """Where an innocent explanation stands after it was checked."""

    RULED_OUT = "ruled_out"
    LESS_LIKELY = "less_likely"
    POSSIBLE = "possible"

    @property
    def phrase(self) -> str:
        """Return the words people read for this verdict."""
        return self.value.replace("_", " ")


class AuthorizationStatus(StrEnum):
    """How the demand that was seen compares with a recorded permission."""

    IN_SCOPE = "in_scope"
    OUT_OF_SCOPE = "out_of_scope"
    OUT_OF_DATE = "out_of_date"

    @property
    def phrase(self) -> str:
        """Return the words people read for this status."""
        return self.value.replace("_", " ")


class EvidenceKind(StrEnum):
    """Whether evidence ties accounts together or describes their pooled demand."""

    LINK = "link"
    SIGNAL = "signal"
