"""Whatever registers claim, however they contradict themselves: an answer comes, and it is consistent."""

import pyarrow as pa
from hypothesis import given, settings, strategies as st

from stillwatch.respond.access.ownership.assessment import Assessment, Outcome
from stillwatch.respond.access.ownership.policy import OwnershipPolicy
from stillwatch.respond.access.ownership.rule import OwnershipRule
from stillwatch.respond.access.ownership.tables import ENTITIES, GAPS, HOLDINGS, TableRegister

NAMES = ["a", "b", "c", "d", "e"]
SHARES = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0])
HOLDING = st.fixed_dictionaries(
    {
        "subject": st.sampled_from(NAMES),
        "owner": st.sampled_from([*NAMES, "stranger"]),
        "low": SHARES,
        "high": SHARES,
        "way": st.sampled_from(["direct", "indirect"]),
        "basis": st.sampled_from(["shareholding", "votingRights", "consolidation", "branch", "boardMember"]),
    }
)
ENTITY = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["entity", "person", "state", "arrangement", "unknown"]),
        "headquarters": st.sampled_from(["XA", "XC", "XB", None, "nowhere"]),
        "jurisdiction": st.sampled_from(["XA", "XC", None]),
        "residence": st.sampled_from(["XA", "XC", None]),
    }
)
GAP = st.fixed_dictionaries(
    {
        "subject": st.sampled_from(NAMES),
        "reason": st.sampled_from(["NO_KNOWN_PERSON", "NON_PUBLIC", "something"]),
        "low": st.none() | SHARES,
    }
)
POLICIES = st.builds(
    lambda **fields: OwnershipPolicy.model_validate({"unsupported": ["XA", "XB-01"], **fields}),
    threshold_percent=st.sampled_from([50, 25, 75]),
    at_threshold=st.sampled_from(["allowed", "refused"]),
    reading=st.sampled_from(["either", "proportional", "cascade"]),
    seat=st.sampled_from(["either", "headquarters", "jurisdiction"]),
    persons=st.sampled_from(["ignored", "residence"]),
    accepted_gaps=st.sampled_from([[], ["NO_KNOWN_PERSON"]]),
    consolidation_is_majority=st.booleans(),
    indirect_shares=st.sampled_from(["against", "as_stated", "ignored"]),
)


@st.composite
def registers(draw: st.DrawFn, name: str) -> TableRegister:
    """Draw a register that may say anything."""
    entities = [
        {"entity_id": each, **draw(ENTITY)} for each in draw(st.lists(st.sampled_from(NAMES), unique=True))
    ]
    return TableRegister(
        name,
        holdings=pa.Table.from_pylist(draw(st.lists(HOLDING, max_size=12)), HOLDINGS),
        entities=pa.Table.from_pylist(entities, ENTITIES),
        gaps=pa.Table.from_pylist(draw(st.lists(GAP, max_size=3)), GAPS),
    )


@settings(deadline=None, max_examples=120)
@given(registers("one"), registers("two"), POLICIES)
def test_an_answer_comes_and_is_consistent(
    one: TableRegister, two: TableRegister, policy: OwnershipPolicy
) -> None:
    for found in OwnershipRule([one, two], policy).assess([*NAMES, "stranger"]):
        _check_consistent(found)


def _check_consistent(found: Assessment) -> None:
    for bounds in found.bounds:
        assert 0.0 <= bounds.low <= bounds.high <= 1.0
    outcomes = {bounds.outcome for bounds in found.bounds}
    assert found.outcome in outcomes
    assert (Outcome.REFUSED in outcomes) == bool(found.refused_by)
    for path in found.paths:
        nodes = [path.steps[0].subject, *(step.owner for step in path.steps)]
        assert len(set(nodes)) == len(nodes)
        assert [step.subject for step in path.steps[1:]] == [step.owner for step in path.steps[:-1]]
        assert path.sentence.endswith(".")
    if found.outcome is Outcome.REFUSED:
        assert found.paths or any("is itself" in reason for reason in found.reasons)
    if found.outcome is Outcome.UNKNOWN:
        assert found.unknowns or found.notes


@settings(deadline=None, max_examples=60)
@given(registers("one"), POLICIES)
def test_the_order_of_the_questions_changes_no_answer(one: TableRegister, policy: OwnershipPolicy) -> None:
    rule = OwnershipRule([one], policy)
    together = {each.entity_id: each for each in rule.assess(NAMES)}
    backwards = {each.entity_id: each for each in rule.assess(NAMES[::-1])}
    for name in NAMES:
        (alone,) = rule.assess([name])
        for other in (together[name], backwards[name]):
            assert (other.outcome, other.refused_by) == (alone.outcome, alone.refused_by)
