"""Two operators with the same tools, and one operator with two pools of clients."""

from collections.abc import Callable

import numpy as np
import pytest

from stillwatch.detect.campaigns.access_groups import groups_by_access
from stillwatch.detect.campaigns.communities import CommunitySearch
from stillwatch.detect.campaigns.graph import nearest_neighbors
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
SIZE = 400
HALF, ALL = 8, 16


def evidence_of(build: Build, templates: list[tuple[int, int, int]], unclear: int = 0) -> LinkEvidence:
    """Tie two pools of accounts, each reached through a client of its own; some accounts show none."""
    values = [(place, "client", 1 + place // HALF) for place in range(unclear, ALL)]
    return LinkEvidence(build(SIZE, values=values, templates=templates))


def searched(evidence: LinkEvidence) -> list[list[int]]:
    """Return the communities that a search finds."""
    graph = nearest_neighbors(evidence, np.random.default_rng(0))
    return sorted(
        group.tolist() for group in CommunitySearch(evidence, graph, np.random.default_rng(1)).run()
    )


def own_demand(places: range) -> list[tuple[int, int, int]]:
    """Give each pool two templates of its own."""
    return [
        (place, 1_000 * (1 + place // HALF) + 2 * part, 4 + part) for place in places for part in range(2)
    ]


def test_pools_that_share_a_recipe_but_neither_access_nor_demand_have_two_operators(
    make_population: Build,
) -> None:
    shared = [(place, 100, 3) for place in range(ALL)]
    evidence = evidence_of(make_population, shared + own_demand(range(ALL)))
    assert searched(evidence) == [list(range(HALF)), list(range(HALF, ALL))]


def test_pools_with_the_same_demand_have_one_operator(make_population: Build) -> None:
    shared = [(place, 100 + 2 * part, 3 + part) for place in range(ALL) for part in range(3)]
    assert searched(evidence_of(make_population, shared)) == [list(range(ALL))]


@pytest.mark.parametrize("unclear", [1, 2])
def test_an_account_without_a_tie_of_access_goes_where_its_demand_is(
    make_population: Build, unclear: int
) -> None:
    shared = [(place, 100, 3) for place in range(ALL)]
    evidence = evidence_of(make_population, shared + own_demand(range(ALL)), unclear)
    groups = groups_by_access(np.arange(ALL), np.triu_indices(ALL, 1), evidence, np.random.default_rng(0))
    assert groups is not None
    assert groups.tolist() == [0] * HALF + [1] * HALF or groups.tolist() == [1] * HALF + [0] * HALF


def test_one_pool_is_not_cut_by_access(make_population: Build) -> None:
    evidence = LinkEvidence(make_population(SIZE, values=[(place, "client", 1) for place in range(ALL)]))
    ties = np.triu_indices(ALL, 1)
    assert groups_by_access(np.arange(ALL), ties, evidence, np.random.default_rng(0)) is None
