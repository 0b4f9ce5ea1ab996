"""A claim, what was measured, and whether it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from stillwatch.lab.evaluation.table import aligned, markdown

_HEADER = ("claim", "measured", "verdict")


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of what must hold.

    Args:
        sentence: What is claimed.
        measured: What was measured, in words.
        holds: Whether that meets the claim; None if it could not be measured here.
    """

    sentence: str
    measured: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        """One word for the table."""
        return {True: "pass", False: "MISS", None: "not measured"}[self.holds]

    def row(self) -> tuple[str, str, str]:
        """The claim as a line of a table."""
        return self.sentence, self.measured, self.verdict


def print_claims(claims: Sequence[Claim]) -> int:
    """Print the table and return 1 if a claim was missed, else 0."""
    print(aligned(_HEADER, [claim.row() for claim in claims]), flush=True)
    return 1 if any(claim.holds is False for claim in claims) else 0


def claims_markdown(claims: Sequence[Claim]) -> str:
    """The table for the results page."""
    return markdown(_HEADER, [claim.row() for claim in claims])
