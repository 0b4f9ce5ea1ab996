"""Kinds of shared value that the logs of one period hold and those of the other do not."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np

from stillwatch.detect.profiles.population import Population, Table

VALUES_NEED = {
    "address": "client addresses",
    "network": "client addresses",
    "asn": "autonomous systems",
    "client": "TLS fingerprints or user agents",
    "conversation": "conversation ids",
    "system": "system instructions",
}
"""What logs must hold for each kind of shared value."""


@dataclass(frozen=True)
class OneSided:
    """What only one of two periods can be tied by.

    Args:
        scanned: Kinds of value that only the scanned logs hold.
        baseline: Kinds that only the baseline's logs hold.
    """

    scanned: frozenset[str] = frozenset()
    baseline: frozenset[str] = frozenset()

    @property
    def sentences(self) -> list[str]:
        """Say what the baseline lacks; what the scanned logs lack is said of them anyway."""
        return [
            f"the baseline's logs hold no {what}: what these tie was left out of the comparison on both sides, "
            "because the baseline could not have shown it"
            for what in sorted({VALUES_NEED[kind] for kind in self.scanned})
        ]


def without_values(population: Population, kinds: AbstractSet[str]) -> Population:
    """Leave out kinds of shared value that the other side's logs do not hold.

    Args:
        population: The accounts of one side.
        kinds: Kinds in `population.values`.
    """
    if not kinds:
        return population
    kept = ~np.isin(population.values["kind"].astype(str), sorted(kinds))
    columns = {name: column[kept] for name, column in population.values.columns.items()}
    return replace(population, values=Table(columns))
