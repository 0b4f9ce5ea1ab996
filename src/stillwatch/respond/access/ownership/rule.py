"""The ownership rule, applied: registers and a policy in, assessments out."""

from collections.abc import Iterable, Sequence

import numpy as np

from stillwatch.respond.access.ownership.assessment import Assessment, Bounds, Outcome
from stillwatch.respond.access.ownership.attribution import (
    Attribution,
    cascade,
    exceeds,
    proportional,
    system_of,
)
from stillwatch.respond.access.ownership.explanation import explain
from stillwatch.respond.access.ownership.graph import OwnershipGraph, build_graph
from stillwatch.respond.access.ownership.paths import PathFinder
from stillwatch.respond.access.ownership.policy import AtThreshold, OwnershipPolicy, Reading
from stillwatch.respond.access.ownership.regions import Standing
from stillwatch.respond.access.ownership.tables import LEI_LENGTH, Register, is_lei


class OwnershipRule:
    """Checks organizations against a lab's policy, with what some registers say.

    Args:
        registers: Sources of ownership data. The first that knows an entity describes it.
        policy: The lab's policy.
    """

    def __init__(self, registers: Sequence[Register], policy: OwnershipPolicy) -> None:
        self._registers = tuple(registers)
        self._policy = policy

    def assess(self, identifiers: Iterable[str]) -> tuple[Assessment, ...]:
        """Check organizations.

        Args:
            identifiers: LEIs, BODS record ids, or `scheme:id` of an official register.

        Returns:
            One assessment for each, in the same order. An organization that no register knows is unknown.
        """
        asked = list(identifiers)
        found = [self._find(identifier) for identifier in asked]
        graph = build_graph([each for each in found if each is not None], self._registers, self._policy)
        readings = self._readings(graph)
        place = {entity_id: number for number, entity_id in enumerate(graph.nodes)}
        paths = PathFinder(graph, self._policy.unsupported)
        return tuple(
            _not_found(identifier)
            if entity_id is None
            else self._assessment(
                identifier, entity_id, graph, paths, self._bounds(place[entity_id], readings)
            )
            for identifier, entity_id in zip(asked, found, strict=True)
        )

    def _find(self, identifier: str) -> str | None:
        """Ask each register in turn what an identifier stands for."""
        for register in self._registers:
            entity_id = register.find(identifier.strip())
            if entity_id is not None:
                return entity_id
        return None

    def _readings(self, graph: OwnershipGraph) -> dict[Reading, Attribution]:
        """Attribute all shares under both readings."""
        system = system_of(graph)
        inclusive = self._policy.at_threshold is AtThreshold.REFUSED
        return {
            Reading.PROPORTIONAL: proportional(system),
            Reading.CASCADE: cascade(system, self._policy.threshold, inclusive=inclusive),
        }

    def _bounds(self, node: int, readings: dict[Reading, Attribution]) -> tuple[Bounds, ...]:
        """Compare one organization with the threshold under each reading."""
        inclusive = self._policy.at_threshold is AtThreshold.REFUSED
        found = []
        for reading, shares in readings.items():
            low = float(shares.unsupported[node])
            high = max(low, 1.0 - float(shares.harmless[node]))
            over = exceeds(np.array([low, high]), self._policy.threshold, inclusive=inclusive)
            outcome = Outcome.REFUSED if over[0] else Outcome.UNKNOWN if over[1] else Outcome.CLEAR
            found.append(Bounds(reading=reading, low=low, high=min(high, 1.0), outcome=outcome))
        return tuple(found)

    def _assessment(
        self,
        identifier: str,
        entity_id: str,
        graph: OwnershipGraph,
        paths: PathFinder,
        bounds: tuple[Bounds, ...],
    ) -> Assessment:
        """Put the answer together with what it rests on."""
        node = graph.nodes[entity_id]
        itself = node.standing is Standing.UNSUPPORTED
        explanation = explain(graph, node, bounds, self._policy)
        return Assessment(
            entity_id=identifier,
            name=node.name,
            outcome=_combined(bounds, self._policy.reading),
            refused_by=tuple(each.reading for each in bounds if each.outcome is Outcome.REFUSED),
            bounds=bounds,
            paths=() if itself else paths.strongest(entity_id),
            reasons=explanation.reasons,
            unknowns=explanation.unknowns,
            notes=explanation.notes,
        )


def _combined(bounds: Sequence[Bounds], reading: Reading) -> Outcome:
    """Answer under the reading that the policy names; with `either`, one refuses and both must clear."""
    counted = [each.outcome for each in bounds if reading in {Reading.EITHER, each.reading}]
    for outcome in (Outcome.REFUSED, Outcome.UNKNOWN):
        if outcome in counted:
            return outcome
    return Outcome.CLEAR


def _not_found(identifier: str) -> Assessment:
    """Say that nobody knows the organization."""
    return Assessment(
        entity_id=identifier,
        name=None,
        outcome=Outcome.UNKNOWN,
        refused_by=(),
        bounds=tuple(
            Bounds(reading=reading, low=0.0, high=1.0, outcome=Outcome.UNKNOWN)
            for reading in (Reading.PROPORTIONAL, Reading.CASCADE)
        ),
        paths=(),
        reasons=(),
        unknowns=(f"None of the given registers knows {identifier}{_hint(identifier)}.",),
        notes=(),
    )


def _hint(identifier: str) -> str:
    """Say when an identifier is an LEI that was copied wrongly."""
    looks_like_one = len(identifier) == LEI_LENGTH and identifier.isalnum()
    return ", an LEI with wrong check digits" if looks_like_one and not is_lei(identifier.upper()) else ""
