"""Shares, places and chains in plain English."""

from collections.abc import Sequence
from typing import Final

from stillwatch.respond.access.ownership.assessment import Step
from stillwatch.respond.access.ownership.graph import Node
from stillwatch.respond.access.ownership.regions import Standing, place_in
from stillwatch.respond.access.ownership.tables import BRANCH, CONSOLIDATION, EXCLUSIVE_STEP

_EVERYTHING: Final = 1.0 - 1e-9
_BASES: Final = {"shareholding": "of the shares", "votingRights": "of the votes"}

GAP_WORDS: Final = {
    "NO_KNOWN_PERSON": "it knows of nobody who controls it",
    "NATURAL_PERSONS": "natural persons control it",
    "NON_CONSOLIDATING": "its parents do not consolidate it",
    "NO_LEI": "its parent has no LEI",
    "NON_PUBLIC": "its parent is not public",
    "BINDING_LEGAL_COMMITMENTS": "its parent is not public",
    "LEGAL_OBSTACLES": "its parent is not public",
    "DISCLOSURE_DETRIMENTAL": "its parent is not public",
    "DETRIMENT_NOT_EXCLUDED": "its parent is not public",
    "CONSENT_NOT_OBTAINED": "its parent did not consent to be named",
    "noBeneficialOwners": "it has no beneficial owners",
    "subjectUnableToConfirmOrIdentifyBeneficialOwner": "it could not identify its beneficial owners",
    "interestedPartyHasNotProvidedInformation": "an owner gave no information",
    "subjectExemptFromDisclosure": "it need not disclose its owners",
    "interestedPartyExemptFromDisclosure": "an owner need not be disclosed",
    "publicListing": "its shares are listed",
}
"""What the reasons of reporting exceptions (GLEIF) and of unspecified records (BODS) mean."""


def percent(share: float) -> str:
    """Return `60 %` or `33.33 %`."""
    return f"{round(share * 100, 2):g} %"


def share_words(low: float, high: float) -> str:
    """Say an interval as a person would.

    Args:
        low: Least share, 0 to 1.
        high: Greatest share, 0 to 1.
    """
    least = percent(low)
    if 0.0 < low - round(low, 6) < 10 * EXCLUSIVE_STEP:
        least = f"more than {least}"
    elif high >= _EVERYTHING and low < _EVERYTHING:
        least = f"at least {least}"
    if low <= EXCLUSIVE_STEP:
        return "an unstated share" if high >= _EVERYTHING else f"at most {percent(high)}"
    if high >= _EVERYTHING or high - low <= 10 * EXCLUSIVE_STEP:
        return least
    return f"{least} to {percent(high)}"


def called(name: str | None, entity_id: str) -> str:
    """Return the name with the id, or the id alone."""
    return f"{name} ({entity_id})" if name else entity_id


def place_words(node: Node, unsupported: frozenset[str]) -> str:
    """Say by which of its places a node belongs to an unsupported region."""
    if place_in(node.headquarters, unsupported) is Standing.UNSUPPORTED:
        return f"headquartered in {node.headquarters}"
    if place_in(node.jurisdiction, unsupported) is Standing.UNSUPPORTED:
        return f"registered in {node.jurisdiction}"
    return f"resident in {node.residence}" if node.residence else "of a place that is not stated"


def chain_words(steps: Sequence[Step], end: Node, unsupported: frozenset[str]) -> str:
    """Say a chain of holdings in one sentence."""
    parts = [called(steps[0].subject_name, steps[0].subject)]
    for number, step in enumerate(steps):
        parts.append(
            f"{', which ' if number else ' '}{_held(step)} {_by(step)} {called(step.owner_name, step.owner)}"
        )
    return "".join(parts) + f", {place_words(end, unsupported)}."


def _held(step: Step) -> str:
    """Say how a subject is held."""
    how = "is indirectly " if step.way == "indirect" else "is "
    if step.basis == CONSOLIDATION:
        how = "is ultimately " if step.way == "indirect" else how
        stated = f" ({share_words(step.low, step.high)})" if step.low > 0.0 else ""
        return f"{how}consolidated{stated}"
    if step.basis == BRANCH:
        return "is a branch"
    share = share_words(step.low, step.high)
    of = _BASES.get(step.basis, f"of {step.basis}")
    return f"{how}held with {share}" + ("" if share.startswith("an ") else f" {of}")


def _by(step: Step) -> str:
    """A branch is of somebody, a share is held by somebody."""
    return "of" if step.basis == BRANCH else "by"
