"""Indirect ownership equals the sum over all paths, circles included, and the bounds hold whatever is missing."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.strategies import DrawFn

from stillwatch.respond.access.ownership.attribution import (
    Attribution,
    cascade,
    exceeds,
    proportional,
    system_of,
)
from stillwatch.respond.access.ownership.graph import OwnershipGraph, build_graph
from stillwatch.respond.access.ownership.policy import OwnershipPolicy, Persons
from stillwatch.respond.access.ownership.tables import ENTITIES, HOLDINGS, TableRegister

POLICY = OwnershipPolicy(unsupported=frozenset({"XA"}))
Shares = Mapping[tuple[str, str], tuple[float, float]]


def graph_of(places: Mapping[str, str | None], shares: Shares, targets: Sequence[str] = ()) -> OwnershipGraph:
    """Build a graph; a place of `person` makes a harmless end."""
    entities = [
        {"entity_id": each, "kind": "person"}
        if place == "person"
        else {"entity_id": each, "kind": "entity", "headquarters": place}
        for each, place in places.items()
    ]
    holdings = [
        {
            "subject": subject,
            "owner": owner,
            "low": low,
            "high": high,
            "way": "direct",
            "basis": "shareholding",
        }
        for (subject, owner), (low, high) in shares.items()
    ]
    register = TableRegister(
        "test",
        holdings=pa.Table.from_pylist(holdings, HOLDINGS),
        entities=pa.Table.from_pylist(entities, ENTITIES),
    )
    return build_graph(targets or list(places), [register], POLICY)


def bounds(attribution: Attribution, graph: OwnershipGraph, entity_id: str) -> tuple[float, float]:
    """Return the certain and the possible share from unsupported regions."""
    number = list(graph.nodes).index(entity_id)
    return float(attribution.unsupported[number]), 1.0 - float(attribution.harmless[number])


def exact(shares: Mapping[tuple[str, str], float]) -> Shares:
    """Know every share exactly."""
    return {pair: (share, share) for pair, share in shares.items()}


def path_sum(target: str, places: Mapping[str, str | None], shares: Mapping[tuple[str, str], float]) -> float:
    """Add the products of all paths to the first unsupported owner; ends only without circles."""
    if places[target] == "XA":
        return 1.0
    return sum(
        share * path_sum(owner, places, shares)
        for (subject, owner), share in shares.items()
        if subject == target
    )


@st.composite
def trees(draw: DrawFn) -> tuple[dict[str, str | None], dict[tuple[str, str], float]]:
    """Draw companies whose owners all have higher numbers."""
    count = draw(st.integers(2, 9))
    names = [f"c{number}" for number in range(count)]
    places: dict[str, str | None] = {
        name: draw(st.sampled_from(["XA", "XB", "XB", "person"])) for name in names
    }
    shares: dict[tuple[str, str], float] = {}
    for number, name in enumerate(names[:-1]):
        owners = draw(st.lists(st.sampled_from(names[number + 1 :]), unique=True, max_size=4))
        parts = draw(st.lists(st.integers(1, 100), min_size=len(owners) + 1, max_size=len(owners) + 1))
        for owner, part in zip(owners, parts[1:], strict=True):
            if places[name] != "person":
                shares[name, owner] = part / sum(parts)
    return places, shares


@st.composite
def networks(draw: DrawFn) -> tuple[dict[str, str | None], dict[tuple[str, str], float]]:
    """Draw companies that may hold each other, and themselves, in circles; one always leaks."""
    count = draw(st.integers(2, 7))
    names = [f"c{number}" for number in range(count)]
    places: dict[str, str | None] = {
        name: draw(st.sampled_from(["XA", "XB", "XB", "person", None])) for name in names
    }
    shares: dict[tuple[str, str], float] = {}
    for name in names:
        owners = draw(st.lists(st.sampled_from(names), unique=True, max_size=4))
        parts = draw(st.lists(st.integers(1, 100), min_size=len(owners) + 1, max_size=len(owners) + 1))
        for owner, part in zip(owners, parts[1:], strict=True):
            shares[name, owner] = part / sum(parts)
    return places, shares


@settings(deadline=None, max_examples=60)
@given(trees())
def test_without_circles_the_share_is_the_sum_over_all_paths(
    drawn: tuple[dict[str, str | None], dict[tuple[str, str], float]],
) -> None:
    places, shares = drawn
    graph = graph_of(places, exact(shares))
    found = proportional(system_of(graph))
    for name in places:
        assert bounds(found, graph, name)[0] == pytest.approx(path_sum(name, places, shares), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(networks())
def test_with_circles_the_share_is_what_endless_paths_converge_to(
    drawn: tuple[dict[str, str | None], dict[tuple[str, str], float]],
) -> None:
    places, shares = drawn
    graph = graph_of(places, exact(shares))
    names = list(graph.nodes)
    weights = np.zeros((len(names), len(names)))
    for (subject, owner), share in shares.items():
        weights[names.index(subject), names.index(owner)] = share
    ends = np.array([places[name] in {"XA", "person"} for name in names])
    start = np.array([float(places[name] == "XA") for name in names])
    step = np.where(ends[:, None], np.eye(len(names)), weights)
    values = (
        np.linalg.matrix_power(step, 1 << 14) @ start
    )  # each step leaks one part in a few hundred at least
    assert proportional(system_of(graph)).unsupported == pytest.approx(values, abs=1e-7)


@settings(deadline=None, max_examples=100)
@given(networks(), st.data())
def test_the_bounds_contain_the_truth_however_missing_percentages_are_filled_in(
    drawn: tuple[dict[str, str | None], dict[tuple[str, str], float]], data: st.DataObject
) -> None:
    places, truth = drawn
    stated: dict[tuple[str, str], tuple[float, float]] = {}
    for pair, share in truth.items():
        known = data.draw(st.sampled_from(["exact", "band", "nothing", "unlisted"]))
        if known == "exact":
            stated[pair] = (share, share)
        elif known == "band":
            stated[pair] = (share * data.draw(st.floats(0, 1)), min(1.0, share * 1.5))
        elif known == "nothing":
            stated[pair] = (0.0, 1.0)
    known_places = {
        name: None if place in {"XA", "XB"} and data.draw(st.booleans()) else place
        for name, place in places.items()
    }
    real_places = {name: place or data.draw(st.sampled_from(["XA", "XB"])) for name, place in places.items()}
    everything, partly = graph_of(real_places, exact(truth)), graph_of(known_places, stated)
    for reading in (proportional, _cascade):
        whole, part = reading(system_of(everything)), reading(system_of(partly))
        for name in places:
            real = bounds(whole, everything, name)[0]
            low, high = bounds(part, partly, name)
            assert low <= real + 1e-9
            assert real <= high + 1e-9


def _cascade(system: object) -> Attribution:
    """The cascade reading with the policy's threshold."""
    return cascade(system, POLICY.threshold, inclusive=False)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=100)
@given(networks(), st.data())
def test_an_owner_who_turns_out_to_be_unsupported_never_lowers_a_share(
    drawn: tuple[dict[str, str | None], dict[tuple[str, str], float]], data: st.DataObject
) -> None:
    places, shares = drawn
    moved = data.draw(st.sampled_from(sorted(places)))
    before, after = graph_of(places, exact(shares)), graph_of({**places, moved: "XA"}, exact(shares))
    for reading in (proportional, _cascade):
        low_before, low_after = reading(system_of(before)), reading(system_of(after))
        assert (low_after.unsupported >= low_before.unsupported - 1e-9).all()
        assert (low_after.harmless <= low_before.harmless + 1e-9).all()


@settings(deadline=None, max_examples=100)
@given(networks())
def test_the_two_certain_shares_never_add_up_to_more_than_everything(
    drawn: tuple[dict[str, str | None], dict[tuple[str, str], float]],
) -> None:
    places, shares = drawn
    system = system_of(graph_of(places, exact(shares)))
    for reading in (proportional, _cascade):
        found = reading(system)
        assert (found.unsupported + found.harmless <= 1.0 + 1e-9).all()


def test_several_owners_are_added_up() -> None:
    shares = exact({("x", "a"): 0.2, ("x", "b"): 0.2, ("x", "c"): 0.15, ("x", "d"): 0.45})
    graph = graph_of({"x": "XB", "a": "XA", "b": "XA", "c": "XA", "d": "person"}, shares)
    assert bounds(proportional(system_of(graph)), graph, "x") == pytest.approx((0.55, 0.55))
    assert bounds(_cascade(system_of(graph)), graph, "x") == pytest.approx((0.55, 0.55))


def test_an_owner_and_the_owner_of_the_owner_are_not_counted_twice() -> None:
    graph = graph_of({"x": "XB", "a": "XA", "b": "XA"}, exact({("x", "a"): 0.4, ("a", "b"): 1.0}))
    assert bounds(proportional(system_of(graph)), graph, "x")[0] == pytest.approx(0.4)


def test_a_circle_hands_on_what_comes_into_it() -> None:
    # a = 0.5 b + 0.3, b = 0.6 a + 0.4: 0.7 of a and 0.82 of b come from outside.
    shares = exact({("a", "b"): 0.5, ("a", "u"): 0.3, ("a", "p"): 0.2, ("b", "a"): 0.6, ("b", "u"): 0.4})
    graph = graph_of({"a": "XB", "b": "XB", "u": "XA", "p": "person"}, shares)
    found = proportional(system_of(graph))
    assert bounds(found, graph, "a") == pytest.approx((0.5 / 0.7, 0.5 / 0.7))
    assert bounds(found, graph, "b") == pytest.approx((0.58 / 0.7, 0.58 / 0.7))


def test_a_circle_that_holds_only_itself_is_unknown() -> None:
    graph = graph_of({"a": "XB", "b": "XB"}, exact({("a", "b"): 1.0, ("b", "a"): 1.0}))
    for reading in (proportional, _cascade):
        assert bounds(reading(system_of(graph)), graph, "a") == (0.0, 1.0)


def test_a_majority_of_a_majority_counts_as_a_whole_in_the_cascade_only() -> None:
    shares = exact({("x", "a"): 0.6, ("a", "u"): 0.6, ("x", "p"): 0.4, ("a", "p"): 0.4})
    graph = graph_of({"x": "XB", "a": "XB", "u": "XA", "p": "person"}, shares)
    assert bounds(proportional(system_of(graph)), graph, "x") == pytest.approx((0.36, 0.36))
    assert bounds(_cascade(system_of(graph)), graph, "x") == pytest.approx((0.6, 0.6))


@pytest.mark.parametrize(
    ("shares", "blocked"),
    [
        ({("a", "u"): 0.5, ("b", "a"): 0.5}, {"a", "b"}),
        ({("a", "u"): 0.5, ("b", "u"): 0.5, ("c", "a"): 0.25, ("c", "b"): 0.25}, {"a", "b", "c"}),
        ({("a", "u"): 0.5, ("b", "u"): 0.1, ("b", "a"): 0.4}, {"a", "b"}),
        ({("a", "u"): 0.5, ("b", "u"): 0.25, ("c", "a"): 0.25, ("c", "b"): 0.25}, {"a"}),
        ({("a", "u"): 0.25, ("b", "u"): 0.25, ("c", "a"): 0.5, ("c", "b"): 0.5}, set()),
    ],
    ids=["chain", "two chains", "direct and through another", "half of a quarter", "quarters of everything"],
)
def test_the_cascade_with_fifty_percent_or_more_is_the_rule_of_faq_401(
    shares: dict[tuple[str, str], float], blocked: set[str]
) -> None:
    graph = graph_of({"u": "XA", "a": "XB", "b": "XB", "c": "XB"}, exact(shares))
    values = cascade(system_of(graph), 0.5, inclusive=True).unsupported
    over = exceeds(values, 0.5, inclusive=True)
    assert {name for name, flag in zip(graph.nodes, over, strict=True) if flag} - {"u"} == blocked


def test_a_long_chain_is_followed_to_its_end() -> None:
    names = [f"c{number}" for number in range(3_000)]
    places: dict[str, str | None] = {**dict.fromkeys(names, "XB"), names[-1]: "XA"}
    graph = graph_of(places, exact(dict.fromkeys(pairwise(names), 1.0)), ["c0"])
    assert bounds(proportional(system_of(graph)), graph, "c0") == pytest.approx((1.0, 1.0))
    assert bounds(_cascade(system_of(graph)), graph, "c0")[0] == 1.0


@settings(deadline=None, max_examples=100)
@given(networks())
def test_the_bounds_contain_the_truth_when_only_consolidating_parents_are_known(
    drawn: tuple[dict[str, str | None], dict[tuple[str, str], float]],
) -> None:
    places, truth = drawn
    real_places = {name: place or "XB" for name, place in places.items()}
    companies = {name for name, place in places.items() if place != "person"}
    parent = {
        subject: owner for (subject, owner), share in truth.items() if share > 0.5 and subject in companies
    }
    entities = [
        {"entity_id": name, "kind": "person"}
        if place == "person"
        else {"entity_id": name, "kind": "entity", "headquarters": place}
        for name, place in real_places.items()
    ]
    holdings = [
        {"subject": subject, "owner": owner, "low": 0.0, "high": 1.0, "way": way, "basis": "consolidation"}
        for subject, direct in parent.items()
        for way, owner in (("direct", direct), ("indirect", _ultimate(subject, parent)))
    ]
    register = TableRegister(
        "parents",
        holdings=pa.Table.from_pylist(holdings, HOLDINGS),
        entities=pa.Table.from_pylist(entities, ENTITIES),
    )
    everything = graph_of(real_places, exact(truth))
    partly = build_graph(list(places), [register], POLICY)
    for reading in (proportional, _cascade):
        whole, part = reading(system_of(everything)), reading(system_of(partly))
        for name in places:
            real = bounds(whole, everything, name)[0]
            low, high = bounds(part, partly, name)
            assert low <= real + 2e-8  # "more than" is one part in a hundred million
            assert real <= high + 2e-8


def _ultimate(subject: str, parent: Mapping[str, str]) -> str:
    """Follow majorities to the top, or once around."""
    met = {subject}
    while subject in parent and parent[subject] not in met:
        subject = parent[subject]
        met.add(subject)
    return subject


@pytest.mark.parametrize(("inclusive", "expected"), [(False, (0.0, 0.0)), (True, (1.0, 1.0))])
def test_a_company_held_by_halves_belongs_to_the_group_only_when_half_is_enough(
    *, inclusive: bool, expected: tuple[float, float]
) -> None:
    shares = exact({("x", "a"): 1.0, ("a", "u"): 0.5, ("a", "p"): 0.5})
    graph = graph_of({"x": "XB", "a": "XB", "u": "XA", "p": "person"}, shares)
    assert bounds(cascade(system_of(graph), 0.5, inclusive=inclusive), graph, "x") == expected


@settings(deadline=None, max_examples=60)
@given(networks(), st.data())
def test_the_bounds_contain_the_truth_when_holdings_are_stated_across_companies(
    drawn: tuple[dict[str, str | None], dict[tuple[str, str], float]], data: st.DataObject
) -> None:
    """People are counted where they live, so that their indirect shares are added."""
    places, truth = drawn
    policy = POLICY.model_copy(update={"persons": Persons.RESIDENCE})
    kinds = {name: data.draw(st.sampled_from(["entity", "person"])) for name in places}
    shares = {pair: share for pair, share in truth.items() if kinds[pair[0]] == "entity"}
    home = {name: place if place in {"XA", "XB"} else "XB" for name, place in places.items()}
    entities = [
        {"entity_id": name, "kind": kinds[name], "headquarters": home[name], "residence": home[name]}
        for name in places
    ]
    claims = []
    for owner in places:
        if data.draw(st.booleans()):
            for subject, held in _held_across(list(places), shares, owner).items():
                low = held * data.draw(st.sampled_from([0.0, 0.5, 1.0]))
                claims.append((subject, owner, low, "indirect"))
    claims += [(*pair, share, "direct") for pair, share in shares.items() if data.draw(st.booleans())]
    partly, everything = (
        build_graph(list(places), [_register(entities, stated)], policy)
        for stated in (claims, [(*pair, share, "direct") for pair, share in shares.items()])
    )
    whole, part = proportional(system_of(everything)), proportional(system_of(partly))
    for name in places:
        real = bounds(whole, everything, name)[0]
        low, high = bounds(part, partly, name)
        assert low <= real + 1e-9
        assert real <= high + 1e-9


def _held_across(names: list[str], shares: Mapping[tuple[str, str], float], owner: str) -> dict[str, float]:
    """Return how much of each company an owner holds through all chains."""
    weights = np.zeros((len(names), len(names)))
    for (subject, holder), share in shares.items():
        if subject != owner:
            weights[names.index(subject), names.index(holder)] = share
    weights[names.index(owner), names.index(owner)] = 1.0
    reached = np.linalg.matrix_power(weights, 1 << 14)[:, names.index(owner)]
    return {name: float(share) for name, share in zip(names, reached, strict=True) if share and name != owner}


def _register(
    entities: Sequence[Mapping[str, str | None]], claims: Sequence[tuple[str, str, float, str]]
) -> TableRegister:
    """Make a register of claims with least shares."""
    holdings = [
        {"subject": subject, "owner": owner, "low": low, "high": 1.0, "way": way, "basis": "shareholding"}
        for subject, owner, low, way in claims
    ]
    return TableRegister(
        "stated",
        holdings=pa.Table.from_pylist(holdings, HOLDINGS),
        entities=pa.Table.from_pylist([dict(each) for each in entities], ENTITIES),
    )
