"""Two operators with the same tools, and one operator with two pools of clients."""

from collections.abc import Callable

import numpy as np

from stillwatch.detect.campaigns.operators import operators_of
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
SIZE = 400
HALF, ALL = 8, 16


def operators(build: Build, templates: list[tuple[int, int, int]]) -> list[list[int]] | None:
    """Tie two pools of accounts, each reached through a client of its own."""
    values = [(place, "client", 1 + place // HALF) for place in range(ALL)]
    evidence = LinkEvidence(build(SIZE, values=values, templates=templates))
    ends = np.triu_indices(ALL, 1)
    found = operators_of(np.arange(ALL), *ends, evidence, np.random.default_rng(0))
    return None if found is None else sorted(part.tolist() for part in found)


def test_pools_that_share_a_tool_but_not_their_demand_have_two_operators(make_population: Build) -> None:
    shared = [(place, 100, 3) for place in range(ALL)]
    own = [
        (place, 1_000 * (1 + place // HALF) + 2 * part, 4 + part) for place in range(ALL) for part in range(2)
    ]
    assert operators(make_population, shared + own) == [list(range(HALF)), list(range(HALF, ALL))]


def test_pools_with_the_same_demand_have_one_operator(make_population: Build) -> None:
    shared = [(place, 100 + 2 * part, 3 + part) for place in range(ALL) for part in range(3)]
    assert operators(make_population, shared) is None
