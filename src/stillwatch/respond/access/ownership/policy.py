"""The lab's own policy file: which regions are unsupported, and how ownership is counted."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, StringConstraints, ValidationError

from stillwatch.domain.record import Record
from stillwatch.errors import OwnershipError

_MOST_BYTES = 1 << 20
_HINT = 'docs/access.md shows a complete policy file; quote codes that YAML takes for words, such as "NO"'

Region = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"(?i)^[a-z]{2}(-[a-z0-9]{1,3})?$")
]
"""An ISO 3166-1 alpha-2 country code, or an ISO 3166-2 subdivision code."""


class Reading(StrEnum):
    """How shares that are held through others are counted."""

    PROPORTIONAL = "proportional"
    CASCADE = "cascade"
    EITHER = "either"


class Seat(StrEnum):
    """Which of its places an entity belongs to."""

    HEADQUARTERS = "headquarters"
    JURISDICTION = "jurisdiction"
    EITHER = "either"


class Persons(StrEnum):
    """Whether a natural person counts as an owner from a region."""

    IGNORED = "ignored"
    RESIDENCE = "residence"


class IndirectShares(StrEnum):
    """How a share counts that a register calls indirect, or of which it does not say that it is direct."""

    AGAINST = "against"
    AS_STATED = "as_stated"
    IGNORED = "ignored"


class AtThreshold(StrEnum):
    """What exactly the threshold means."""

    ALLOWED = "allowed"
    REFUSED = "refused"


class OwnershipPolicy(Record):
    """How one lab applies the ownership rule.

    Attributes:
        unsupported: regions whose entities count, as ISO 3166 codes. Nothing is shipped: the list is the lab's.
        threshold_percent: share above which an organization is refused.
        at_threshold: `allowed` refuses more than the threshold, `refused` the threshold and more.
        reading: `proportional` multiplies shares along a chain; `cascade` counts what a majority-held company
            holds as a whole and the rest not at all; `either` refuses when one of them does and clears when both do.
        seat: whether headquarters, the place of registration, or either of them makes an entity one of a region.
        persons: `ignored` does not count natural persons (the rule is about entities); `residence` counts them
            by residence. Nationality is never used.
        accepted_gaps: reasons for an unnamed owner that the lab takes as harmless, such as `NO_KNOWN_PERSON`.
        consolidation_is_majority: whether consolidated accounts stand for more than half of the shares.
        indirect_shares: `against` counts it against an organization and never for it, because the companies in between
            are not looked at; `as_stated` counts it both ways; `ignored` counts only direct holdings.
        bases: kinds of interest that count, best first; each company is measured on the first that is stated.
    """

    unsupported: Annotated[frozenset[Region], Field(min_length=1)]
    threshold_percent: float = Field(default=50.0, gt=0.0, lt=100.0)
    at_threshold: AtThreshold = AtThreshold.ALLOWED
    reading: Reading = Reading.EITHER
    seat: Seat = Seat.EITHER
    persons: Persons = Persons.IGNORED
    accepted_gaps: frozenset[str] = frozenset()
    consolidation_is_majority: bool = True
    indirect_shares: IndirectShares = IndirectShares.AGAINST
    bases: Annotated[tuple[str, ...], Field(min_length=1)] = ("shareholding", "votingRights")

    @property
    def threshold(self) -> float:
        """The threshold as a share, 0 to 1."""
        return self.threshold_percent / 100.0


def read_policy(path: str | Path) -> OwnershipPolicy:
    """Read the policy file.

    Args:
        path: A YAML file with the fields of `OwnershipPolicy`.

    Returns:
        The policy.

    Raises:
        OwnershipError: The file is missing or malformed.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise OwnershipError(f"{path} is larger than {_MOST_BYTES >> 20} MiB", hint=_HINT)
        document = yaml.safe_load(path.read_text("utf-8-sig"))
    except OSError as error:
        raise OwnershipError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        said = " ".join(str(error).split())
        raise OwnershipError(f"{path} cannot be parsed: {said}", hint=_HINT) from error
    if not isinstance(document, dict):
        raise OwnershipError(f"{path} holds no policy", hint=_HINT)
    return _validated(path, document)


def _validated(path: Path, document: dict[object, object]) -> OwnershipPolicy:
    """Check the fields and say in one sentence what is wrong."""
    try:
        return OwnershipPolicy.model_validate(document)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg'].lower()}" for detail in error.errors()
        )
        raise OwnershipError(f"{path}: {said}", hint=_HINT) from error
