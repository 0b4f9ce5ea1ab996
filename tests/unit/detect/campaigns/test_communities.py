"""Communities: who is one operator, and who only sits in the same café."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from stillwatch.detect.campaigns.communities import CommunitySearch
from stillwatch.detect.campaigns.graph import NEIGHBORS, nearest_neighbors
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
CAFE = 900


def operator(
    accounts: Sequence[int], number: int
) -> tuple[list[tuple[int, str, int]], list[tuple[int, int, int]]]:
    """Let accounts share a client, an address for each four of them, and three prompt templates."""
    values = [(account, "client", 100 + number) for account in accounts]
    values += [
        (account, "address", 10_000 + 100 * number + place // 4) for place, account in enumerate(accounts)
    ]
    keys = [10_000 * (number + 1) + 100 * template + 2 * part for template in range(3) for part in range(2)]
    templates = [(account, key, 5 + key // 100 % 3) for account in accounts for key in keys]
    return values, templates


def world(build: Build, size: int, groups: Sequence[Sequence[int]], cafe: Sequence[int] = ()) -> LinkEvidence:
    """Put operators into a population, some accounts into a café, and a dozen other groups at the end."""
    values = [(account, "address", CAFE) for account in cafe]
    templates: list[tuple[int, int, int]] = []
    others = [range(size - 5 * (number + 1), size - 5 * number) for number in range(12)]
    for number, accounts in enumerate([*groups, *others]):
        more_values, more_templates = operator(accounts, number)
        values += more_values
        templates += more_templates
    return LinkEvidence(build(size, values=values, templates=templates))


def communities(evidence: LinkEvidence, seed: int = 0) -> list[list[int]]:
    """Find the communities among the accounts that are not of the dozen other groups."""
    graph = nearest_neighbors(evidence, np.random.default_rng(seed))
    found = [group.tolist() for group in CommunitySearch(evidence, graph, np.random.default_rng(seed)).run()]
    return [group for group in found if group[0] < evidence.size - 60]


def test_an_operator_is_found_and_nobody_else(make_population: Build) -> None:
    assert communities(world(make_population, 300, [range(20, 32)])) == [list(range(20, 32))]


def test_an_operator_is_found_where_there_is_nobody_else(make_population: Build) -> None:
    values, templates = operator(range(20, 32), 0)
    evidence = LinkEvidence(make_population(300, values=values, templates=templates))
    assert communities(evidence) == [list(range(20, 32))]


def test_two_operators_in_one_cafe_are_two_operators(make_population: Build) -> None:
    found = communities(world(make_population, 400, [range(6), range(6, 12)], cafe=[*range(12)]))
    assert sorted(found) == [list(range(6)), list(range(6, 12))]


def test_a_guest_in_the_cafe_joins_nobody(make_population: Build) -> None:
    found = communities(world(make_population, 400, [range(8)], cafe=[*range(8), 50, 51]))
    assert [0, 1, 2, 3, 4, 5, 6, 7] in found
    assert all(not {50, 51} & set(group) or set(group) == {50, 51} for group in found)


def test_a_small_tight_group_is_found_beside_a_huge_one(make_population: Build) -> None:
    found = communities(world(make_population, 2_000, [range(200), range(300, 304)], cafe=[199, 300]))
    assert list(range(300, 304)) in found
    assert list(range(200)) in found


def test_a_population_of_strangers_has_no_communities(make_population: Build) -> None:
    values = [(place, "address", place) for place in range(200)]
    evidence = LinkEvidence(make_population(200, values=values))
    graph = nearest_neighbors(evidence, np.random.default_rng(0))
    assert CommunitySearch(evidence, graph, np.random.default_rng(0)).run() == []


def test_the_same_seed_finds_the_same_communities(make_population: Build) -> None:
    evidence = world(
        make_population, 900, [range(120), range(150, 210), range(300, 309)], cafe=[*range(100, 160)]
    )
    assert communities(evidence, seed=4) == communities(evidence, seed=4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_clear_case_does_not_hang_on_the_seed(seed: int, make_population: Build) -> None:
    evidence = world(make_population, 600, [range(60), range(80, 90)])
    assert communities(evidence, seed=seed) == [list(range(60)), list(range(80, 90))]


def test_no_account_is_in_two_communities(make_population: Build) -> None:
    groups = [range(40), range(30, 70), range(65, 90)]
    found = communities(world(make_population, 500, groups))
    members = [account for group in found for account in group]
    assert len(members) == len(set(members))


def test_the_graph_keeps_the_strongest_ties_of_each_account(make_population: Build) -> None:
    evidence = world(make_population, 800, [range(45)])
    graph = nearest_neighbors(evidence, np.random.default_rng(0))
    assert abs(graph - graph.T).nnz == 0
    assert graph.diagonal().tolist() == [0.0] * 800
    assert graph.data.min() > 0
    assert np.diff(graph.indptr)[:45].min() > NEIGHBORS / 2
    assert np.diff(graph.indptr)[45:740].max() == 0
