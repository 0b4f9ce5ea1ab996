"""The rule answers refused, clear or unknown, says through whom, and says what it does not know."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest

from stillwatch.respond.access.ownership.assessment import Assessment, Outcome
from stillwatch.respond.access.ownership.policy import IndirectShares, OwnershipPolicy, Persons, Reading
from stillwatch.respond.access.ownership.rule import OwnershipRule
from stillwatch.respond.access.ownership.tables import ENTITIES, GAPS, HOLDINGS, TableRegister

POLICY = OwnershipPolicy(unsupported=frozenset({"XA", "XB-01"}))


def register(
    name: str = "test", *, places: Mapping[str, Any], shares: Sequence[Any] = (), gaps: Sequence[Any] = ()
) -> TableRegister:
    """Make a register: places or fields by id; (subject, owner, share or bounds, fields) ; (subject, reason, low)."""
    entities = [
        {"entity_id": each, "kind": "entity"}
        | (dict(place) if isinstance(place, dict) else {"headquarters": place})
        for each, place in places.items()
    ]
    holdings = []
    for subject, owner, share, *more in shares:
        low, high = share if isinstance(share, tuple) else (share, share)
        holdings.append(
            {
                "subject": subject,
                "owner": owner,
                "low": low,
                "high": high,
                "way": "direct",
                "basis": "shareholding",
            }
            | (more[0] if more else {})
        )
    return TableRegister(
        name,
        holdings=pa.Table.from_pylist(holdings, HOLDINGS),
        entities=pa.Table.from_pylist(entities, ENTITIES),
        gaps=pa.Table.from_pylist([dict(zip(GAPS.names, gap, strict=True)) for gap in gaps], GAPS),
    )


def checked(*registers: TableRegister, target: str = "x", **policy: Any) -> Assessment:
    """Check one organization under the policy of the tests, with changes."""
    rule = OwnershipRule(registers, POLICY.model_copy(update=policy))
    return rule.assess([target])[0]


PERSON = {"kind": "person", "residence": "XA"}
INDIRECT = {"way": "indirect"}
PARENT = {"basis": "consolidation"}


def test_a_majority_from_an_unsupported_region_is_refused_with_the_path() -> None:
    found = checked(
        register(
            places={"x": {"headquarters": "XC", "name": "Widgets Ltd"}, "a": "XC", "u": "XA", "p": PERSON},
            shares=[("x", "a", 0.8), ("x", "p", 0.2), ("a", "u", 0.9), ("a", "p", 0.1)],
        )
    )
    assert found.outcome is Outcome.REFUSED
    assert set(found.refused_by) == {Reading.PROPORTIONAL, Reading.CASCADE}
    (path,) = found.paths
    assert path.sentence == (
        "Widgets Ltd (x) is held with 80 % of the shares by a, "
        "which is held with 90 % of the shares by u, headquartered in XA."
    )
    assert found.paths[0].low == pytest.approx(0.72)
    assert [reason.partition(",")[2] for reason in found.reasons] == [
        " unsupported regions hold 72 %: more than 50 %, refused.",
        " unsupported regions hold 80 %: more than 50 %, refused.",
    ]
    assert found.unknowns == ()


def test_minorities_add_up_to_a_refusal() -> None:
    shares = [("x", "u", 0.2), ("x", "v", 0.2), ("x", "a", 0.6), ("a", "w", 0.3), ("a", "p", 0.7)]
    found = checked(
        register(
            places={"x": "XC", "u": "XA", "v": "XA", "w": "XB-01", "a": "XC", "p": PERSON}, shares=shares
        )
    )
    assert found.outcome is Outcome.REFUSED
    assert found.refused_by == (Reading.PROPORTIONAL,)
    assert found.bounds[0].low == pytest.approx(0.58)
    assert [path.low for path in found.paths] == pytest.approx([0.2, 0.2, 0.18])


@pytest.mark.parametrize(
    ("at_threshold", "outcome"), [("allowed", Outcome.CLEAR), ("refused", Outcome.REFUSED)]
)
def test_exactly_half_is_what_the_policy_says(at_threshold: str, outcome: Outcome) -> None:
    both = register(places={"x": "XC", "u": "XA", "p": PERSON}, shares=[("x", "u", 0.5), ("x", "p", 0.5)])
    policy = OwnershipPolicy.model_validate({"unsupported": ["XA"], "at_threshold": at_threshold})
    assert OwnershipRule([both], policy).assess(["x"])[0].outcome is outcome


def test_more_than_half_is_more_than_half_even_without_a_number() -> None:
    found = checked(
        register(places={"x": "XC", "u": "XA"}, shares=[("x", "u", (0.0, 1.0), PARENT)]),
    )
    assert found.outcome is Outcome.REFUSED
    assert "consolidated (more than 50 %) by u" in found.paths[0].sentence
    assert "at least just over 50 %" in found.reasons[0]


def test_consolidation_is_no_majority_when_the_lab_says_so_or_the_source_does() -> None:
    places = {"x": "XC", "u": "XA"}
    bare = register(places=places, shares=[("x", "u", (0.0, 1.0), PARENT)])
    assert checked(bare, consolidation_is_majority=False).outcome is Outcome.UNKNOWN
    minority = register(places=places, shares=[("x", "u", 0.4, PARENT)])
    assert checked(minority).outcome is Outcome.UNKNOWN
    assert checked(minority).bounds[0].low == pytest.approx(0.4)


def test_a_chain_of_majorities_is_refused_by_the_cascade() -> None:
    chain = register(
        places={"x": "XC", "a": "XC", "u": "XA"},
        shares=[("x", "a", (0.0, 1.0), PARENT), ("a", "u", (0.0, 1.0), PARENT)],
    )
    assert checked(chain).refused_by == (Reading.CASCADE,)
    assert checked(chain).outcome is Outcome.REFUSED
    assert checked(chain, reading=Reading.PROPORTIONAL).outcome is Outcome.UNKNOWN


def test_who_is_itself_of_an_unsupported_region_is_refused() -> None:
    found = checked(register(places={"x": "XA", "p": PERSON}, shares=[("x", "p", 1.0)]))
    assert found.outcome is Outcome.REFUSED
    assert found.reasons == ("x is itself headquartered in XA.",)


def test_nothing_known_is_not_clear() -> None:
    found = checked(register(places={"x": "XC"}))
    assert found.outcome is Outcome.UNKNOWN
    assert found.unknowns == ("Nobody says who owns x.",)
    assert (found.bounds[0].low, found.bounds[0].high) == (0.0, 1.0)


def test_an_organization_that_nobody_knows_is_not_clear() -> None:
    found = checked(register(places={"x": "XC"}), target="y")
    assert found.outcome is Outcome.UNKNOWN
    assert found.unknowns == ("None of the given registers knows y.",)


def test_an_lei_that_was_copied_wrongly_is_told() -> None:
    found = checked(register(places={"x": "XC"}), target="0000XX00000000000184")
    assert found.unknowns[0].endswith("knows 0000XX00000000000184, an LEI with wrong check digits.")


def test_an_owner_whom_no_register_describes_is_not_clear() -> None:
    found = checked(register(places={"x": "XC"}, shares=[("x", "a", 1.0)]))
    assert found.outcome is Outcome.UNKNOWN
    assert "No register says who or where a is." in found.unknowns


@pytest.mark.parametrize(("known", "outcome"), [(0.5, Outcome.CLEAR), (0.49, Outcome.UNKNOWN)])
def test_a_small_unknown_rest_does_not_matter(known: float, outcome: Outcome) -> None:
    found = checked(register(places={"x": "XC", "p": PERSON}, shares=[("x", "p", known)]))
    assert found.outcome is outcome


def test_a_gap_counts_as_harmless_only_when_the_lab_accepts_its_reason() -> None:
    listed = register(places={"x": "XC"}, gaps=[("x", "NO_KNOWN_PERSON", None)])
    assert checked(listed).outcome is Outcome.UNKNOWN
    assert "it knows of nobody who controls it (NO_KNOWN_PERSON)" in checked(listed).unknowns[0]
    assert checked(listed, accepted_gaps=frozenset({"NO_KNOWN_PERSON"})).outcome is Outcome.CLEAR
    both = register(places={"x": "XC"}, gaps=[("x", "NO_KNOWN_PERSON", None), ("x", "NON_PUBLIC", None)])
    assert checked(both, accepted_gaps=frozenset({"NO_KNOWN_PERSON"})).outcome is Outcome.UNKNOWN


def test_an_accepted_gap_stands_for_no_more_than_its_stated_share() -> None:
    part = register(places={"x": "XC"}, gaps=[("x", "publicListing", 0.3)])
    found = checked(part, accepted_gaps=frozenset({"publicListing"}))
    assert found.bounds[0].high == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("persons", "residence", "outcome"),
    [
        ("ignored", "XA", Outcome.CLEAR),
        ("ignored", None, Outcome.CLEAR),
        ("residence", "XA", Outcome.REFUSED),
        ("residence", "XC", Outcome.CLEAR),
        ("residence", None, Outcome.UNKNOWN),
    ],
)
def test_persons_count_by_residence_when_the_lab_says_so(
    persons: str, residence: str | None, outcome: Outcome
) -> None:
    owned = register(
        places={"x": "XC", "p": {"kind": "person", "residence": residence}}, shares=[("x", "p", 1.0)]
    )
    policy = OwnershipPolicy.model_validate({"unsupported": ["XA"], "persons": persons})
    assert OwnershipRule([owned], policy).assess(["x"])[0].outcome is outcome


def test_a_supported_state_is_an_end() -> None:
    state = register(
        places={"x": "XC", "s": {"kind": "state", "jurisdiction": "XC"}}, shares=[("x", "s", 1.0)]
    )
    assert checked(state).outcome is Outcome.CLEAR


def test_two_registers_that_mean_the_same_shares_are_not_added() -> None:
    places = {"x": "XC", "u": "XA", "v": "XA"}
    one = register("one", places=places, shares=[("x", "u", 0.3)])
    two = register("two", places=places, shares=[("x", "v", 0.4)])
    assert checked(one, two).bounds[0].low == pytest.approx(0.4)


def test_two_registers_fill_each_other_in_along_the_chain() -> None:
    one = register("one", places={"x": "XC", "a": "XC"}, shares=[("x", "a", 0.9)])
    two = register("two", places={"a": "XC", "u": "XA"}, shares=[("a", "u", 0.9)])
    assert checked(one, two).outcome is Outcome.REFUSED


def test_an_indirect_holding_is_not_added_to_the_direct_one_it_goes_through() -> None:
    found = checked(
        register(
            places={"x": "XC", "a": "XC", "u": "XA"},
            shares=[("x", "a", 0.4), ("x", "u", 0.4, INDIRECT), ("a", "u", 1.0)],
        )
    )
    assert found.bounds[0].low == pytest.approx(0.4)


def test_an_indirect_parent_is_followed_where_the_direct_chain_breaks_off() -> None:
    ultimate = {"basis": "consolidation", "way": "indirect"}
    found = checked(
        register(
            places={"x": "XC", "a": "XC", "u": "XA"},
            shares=[("x", "a", (0.0, 1.0), PARENT), ("x", "u", (0.0, 1.0), ultimate)],
        )
    )
    assert found.refused_by == (Reading.CASCADE,)
    assert found.bounds[0].low == 0.0  # a majority of a majority may be little of the shares
    assert "x is ultimately consolidated by u, headquartered in XA" in found.paths[0].sentence


def test_the_register_s_number_for_an_indirect_share_counts_unless_the_lab_says_otherwise() -> None:
    vague = register(places={"x": "XC", "u": "XA"}, shares=[("x", "u", 0.6, INDIRECT)])
    assert checked(vague).outcome is Outcome.REFUSED
    found = checked(vague, indirect_shares=IndirectShares.IGNORED)
    assert found.outcome is Outcome.UNKNOWN
    assert found.bounds[0].low == 0.0


def test_indirect_holders_are_added_when_none_of_them_can_own_another() -> None:
    apart = [("x", "u", 0.3, INDIRECT), ("x", "v", 0.3, INDIRECT)]
    companies = register(places={"x": "XC", "u": "XA", "v": "XA"}, shares=apart)
    assert checked(companies).bounds[0].low == pytest.approx(0.3)
    people = register(places={"x": "XC", "u": PERSON, "v": PERSON}, shares=apart)
    assert checked(people, persons=Persons.RESIDENCE).bounds[0].low == pytest.approx(0.6)


def test_an_indirect_holding_clears_only_when_the_lab_says_so() -> None:
    """The company in between may itself be of an unsupported region."""
    vague = register(
        places={"x": {"headquarters": "XC", "name": "Widgets Ltd"}, "p": PERSON},
        shares=[("x", "p", 1.0, INDIRECT)],
    )
    assert [bounds.high for bounds in checked(vague).bounds] == [1.0, 1.0]
    assert "It is not stated through whom Widgets Ltd (x) is held by p." in checked(vague).unknowns
    assert checked(vague, indirect_shares=IndirectShares.AS_STATED).outcome is Outcome.CLEAR


def test_an_ultimate_parent_never_clears() -> None:
    ultimate = {"basis": "consolidation", "way": "indirect"}
    state = {"kind": "state", "headquarters": "XC"}
    chain = [("x", "a", (0.0, 1.0), PARENT), ("x", "s", (0.0, 1.0), ultimate)]
    hidden = register(places={"x": "XC", "s": state}, shares=chain)
    assert checked(hidden, indirect_shares=IndirectShares.AS_STATED).outcome is Outcome.UNKNOWN
    assert checked(hidden).bounds[1].high == 1.0


def test_votes_count_where_no_shares_are_stated_and_are_never_added_to_shares() -> None:
    votes = {"basis": "votingRights"}
    places = {"x": "XC", "u": "XA", "v": "XA"}
    assert checked(register(places=places, shares=[("x", "u", 0.6, votes)])).outcome is Outcome.REFUSED
    mixed = register(places=places, shares=[("x", "u", 0.4), ("x", "v", 0.4, votes)])
    assert checked(mixed).bounds[0].low == pytest.approx(0.4)


def test_a_shareholding_without_a_number_does_not_hide_stated_votes() -> None:
    votes = {"basis": "votingRights"}
    shares = [("x", "a", (0.0, 1.0)), ("x", "u", 0.6, votes)]
    found = checked(register(places={"x": "XC", "u": "XA", "a": "XC"}, shares=shares))
    assert found.outcome is Outcome.REFUSED
    assert "held with 60 % of the votes by u" in found.paths[0].sentence


def test_an_owner_of_whom_only_another_basis_speaks_is_still_told() -> None:
    votes = {"basis": "votingRights"}
    shares = [("x", "a", 0.1), ("x", "u", 0.6, votes)]
    found = checked(register(places={"x": "XC", "u": "XA", "a": "XC"}, shares=shares))
    assert found.outcome is Outcome.UNKNOWN
    assert found.paths[0].steps[0].owner == "u"


def test_a_seat_on_the_board_is_no_share() -> None:
    board = register(places={"x": "XC", "u": "XA"}, shares=[("x", "u", (0.0, 1.0), {"basis": "boardMember"})])
    found = checked(board)
    assert found.outcome is Outcome.UNKNOWN
    assert "held with an unstated share by u" in found.paths[0].sentence


def test_a_register_that_contradicts_itself_is_scaled_down_and_said() -> None:
    found = checked(
        register(places={"x": "XC", "u": "XA", "p": PERSON}, shares=[("x", "u", 0.9), ("x", "p", 0.9)])
    )
    assert found.bounds[0].low == pytest.approx(0.5)
    assert any("add up to 180 %" in note for note in found.notes)


def test_a_circle_is_named() -> None:
    found = checked(
        register(
            places={"x": "XC", "a": "XC", "u": "XA"},
            shares=[("x", "a", 1.0), ("a", "x", 0.4), ("a", "u", 0.6)],
        )
    )
    assert found.outcome is Outcome.REFUSED
    assert found.bounds[0].low == pytest.approx(1.0)
    assert any("circle" in note for note in found.notes)


def test_a_country_of_which_a_part_is_listed_is_not_clear() -> None:
    owned = [("x", "a", 1.0), ("a", "p", 1.0)]
    assert (
        checked(register(places={"x": "XC", "a": "XB", "p": PERSON}, shares=owned)).outcome is Outcome.UNKNOWN
    )
    other = register(places={"x": "XC", "a": "XB-02", "p": PERSON}, shares=owned)
    assert checked(other).outcome is Outcome.CLEAR


@pytest.mark.parametrize(
    ("seat", "outcome"),
    [
        ("either", Outcome.REFUSED),
        ("jurisdiction", Outcome.REFUSED),
        ("headquarters", Outcome.CLEAR),
    ],
)
def test_the_seat_that_counts_is_the_policys(seat: str, outcome: Outcome) -> None:
    owner = {"headquarters": "XC", "jurisdiction": "XA"}
    company = {"headquarters": "XC", "jurisdiction": "XC"}
    policy = OwnershipPolicy.model_validate({"unsupported": ["XA"], "seat": seat})
    owned = register(
        places={"x": company, "u": owner, "p": PERSON}, shares=[("x", "u", 1.0), ("u", "p", 1.0)]
    )
    assert OwnershipRule([owned], policy).assess(["x"])[0].outcome is outcome


def test_many_are_checked_at_once_in_their_order() -> None:
    shared = register(
        places={"x": "XC", "y": "XC", "u": "XA", "p": PERSON}, shares=[("x", "u", 1.0), ("y", "p", 1.0)]
    )
    found = OwnershipRule([shared], POLICY).assess(["y", "z", "x", "y"])
    assert [each.outcome.value for each in found] == ["clear", "unknown", "refused", "clear"]


def test_direct_and_ultimate_parents_are_never_added() -> None:
    ultimate = {"basis": "consolidation", "way": "indirect"}
    chain = [("x", "a", (0.0, 1.0), PARENT), ("a", "b", (0.0, 1.0), PARENT), ("b", "u", (0.0, 1.0), PARENT)]
    chain += [("x", "u", (0.0, 1.0), ultimate), ("a", "u", (0.0, 1.0), ultimate)]
    found = checked(register(places={"x": "XC", "a": "XC", "b": "XC", "u": "XA"}, shares=chain))
    assert found.bounds[0].low == pytest.approx(0.125, abs=1e-6)
    assert found.bounds[1].low == pytest.approx(0.5, abs=1e-6)
    assert len(found.paths[0].steps) == 1


@pytest.mark.parametrize(
    ("place", "outcome"), [(None, Outcome.CLEAR), ("XA", Outcome.REFUSED), ("XC", Outcome.CLEAR)]
)
def test_an_arrangement_without_a_place_is_looked_through(place: str | None, outcome: Outcome) -> None:
    joint = register(
        places={"x": "XC", "j": {"kind": "arrangement", "jurisdiction": place}, "p": PERSON, "q": PERSON},
        shares=[("x", "j", 1.0), ("j", "p", 0.5), ("j", "q", 0.5)],
    )
    assert checked(joint).outcome is outcome


def test_chains_of_equal_strength_are_all_told_in_the_order_of_the_register() -> None:
    halves = [("x", "a", 0.5), ("x", "b", 0.5), ("a", "c", 1.0), ("b", "c", 1.0), ("c", "u", 1.0)]
    found = checked(register(places={"x": "XC", "a": "XC", "b": "XC", "c": "XC", "u": "XA"}, shares=halves))
    assert [[step.owner for step in path.steps] for path in found.paths] == [["a", "c", "u"], ["b", "c", "u"]]
    assert sum(path.low for path in found.paths) == found.bounds[0].low == 1.0


def test_the_paths_of_a_circle_end() -> None:
    shares = [
        ("x", "a", 0.5),
        ("a", "x", 0.5),
        ("a", "b", 0.5),
        ("b", "a", 0.5),
        ("b", "u", 0.5),
        ("x", "x", 0.5),
    ]
    found = checked(register(places={"x": "XC", "a": "XC", "b": "XC", "u": "XA"}, shares=shares))
    assert [[step.owner for step in path.steps] for path in found.paths] == [["a", "b", "u"]]
