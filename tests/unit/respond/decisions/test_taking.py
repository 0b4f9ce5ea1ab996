"""Decisions are reversible, end by themselves, are reasoned, and are on the record."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError
from tests.unit.respond.decisions.conftest import START, Clock, make_decision

from stillwatch.domain.actions import Action, Mode
from stillwatch.domain.calls import Call
from stillwatch.domain.cases import CaseLabel
from stillwatch.domain.decisions import Decision, Status
from stillwatch.domain.findings import Finding
from stillwatch.domain.severity import Label
from stillwatch.errors import DecisionError, StillwatchError, UnknownDecisionError
from stillwatch.respond.audit import AuditTrail, verify
from stillwatch.respond.cases import add_label, find, record_finding
from stillwatch.respond.decisions.index import DecisionIndex
from stillwatch.respond.decisions.reading import changes_since, decision_of, decisions_now
from stillwatch.respond.decisions.taking import (
    close_ended,
    extend,
    release,
    take,
    turn_off,
    turn_on,
    undo,
)
from stillwatch.respond.store import Store

ALICE = "person:alice"
Make = Callable[..., Decision]


@pytest.fixture
def index(clock: Clock) -> DecisionIndex:
    return DecisionIndex(clock=clock.us)


def learn(index: DecisionIndex, store: Store, trail: AuditTrail) -> None:
    """Bring an index up to date as a guard does."""
    with store.reading() as connection:
        index.apply(changes_since(connection, index.sequence, trail._clock()).changes)


def acts(decision: Decision, trail: AuditTrail) -> list[str]:
    return [entry.action for entry in trail.of("decision", decision.decision_id)]


def test_a_decision_is_stored_recorded_and_undone(store: Store, trail: AuditTrail, decision: Make) -> None:
    with trail.writing(ALICE) as write:
        taken = take(write, decision())
    with trail.writing("person:bob") as write:
        undone = undo(write, taken.decision_id, "a mistake")
    assert (undone.undone_by, undone.undone_why) == ("person:bob", "a mistake")
    assert undone.status(trail._clock()) is Status.UNDONE
    with store.reading() as connection:
        assert decision_of(connection, taken.decision_id) == undone
        assert decisions_now(connection, trail._clock()) == ()
        assert decisions_now(connection, trail._clock(), everything=True) == (undone,)
    assert acts(taken, trail) == ["decision.taken", "decision.undone"]
    assert verify(store).holds


def test_a_guard_sees_each_change_once(
    store: Store, trail: AuditTrail, decision: Make, index: DecisionIndex
) -> None:
    live = {"mode": "live", "action": "block", "rationale": "our terms forbid it"}
    with trail.writing(ALICE) as write:
        take(write, decision(**live))
    learn(index, store, trail)
    assert index.decide(Call("a")).refused
    with trail.writing(ALICE) as write:
        release(write, "decision--1", "a", "it is a partner")
    learn(index, store, trail)
    assert [index.decide(Call(name)).refused for name in "ab"] == [False, True]
    with trail.writing(ALICE) as write:
        turn_off(write, "decision--1", "too early")
    learn(index, store, trail)
    assert (index.decide(Call("b")).refused, index.decide(Call("b")).would) == (False, Action.BLOCK)
    with trail.writing(ALICE) as write:
        undo(write, "decision--1", "done")
    learn(index, store, trail)
    assert len(index) == 0


def test_changes_come_in_pages_and_none_is_lost(store: Store, trail: AuditTrail, decision: Make) -> None:
    with trail.writing(ALICE) as write:
        for number in range(7):
            take(write, decision(decision_id=f"decision--{number}"))
    seen, sequence, more = [], 0, True
    while more:
        with store.reading() as connection:
            page = changes_since(connection, sequence, trail._clock(), limit=3)
        seen += [change.entry_id for change in page.changes]
        sequence, more = page.until, page.more
    assert seen == [f"decision--{number}" for number in range(7)]


def test_a_decision_ends_by_itself_and_the_end_is_recorded(
    store: Store, trail: AuditTrail, decision: Make, index: DecisionIndex, clock: Clock
) -> None:
    with trail.writing(ALICE) as write:
        taken = take(write, decision(mode="live", action="block", rationale="our terms"))
    learn(index, store, trail)
    clock.pass_by(days=7)
    assert not index.decide(Call("a")).refused
    with trail.writing("system:expiry") as write:
        assert close_ended(write) == (taken.decision_id,)
    with trail.writing("system:expiry") as write:
        assert close_ended(write) == ()
        write.record("node.looked", "node", "expiry")
    assert acts(taken, trail)[-1] == "decision.ended"
    with pytest.raises(DecisionError, match="ended already"), trail.writing(ALICE) as write:
        undo(write, taken.decision_id, "late")


def test_releasing_the_last_account_undoes_the_decision(trail: AuditTrail, decision: Make) -> None:
    with trail.writing(ALICE) as write:
        take(write, decision())
        assert release(write, "decision--1", "a", "partner").undone_at is None
        assert release(write, "decision--1", "b", "partner").undone_at is not None


def test_an_end_is_moved_by_a_person_within_a_year(trail: AuditTrail, decision: Make, clock: Clock) -> None:
    with trail.writing(ALICE) as write:
        take(write, decision())
        later = extend(write, "decision--1", clock.now + timedelta(days=30), "still going on")
    assert later.ends_at == clock.now + timedelta(days=30)
    for end in (clock.now, clock.now + timedelta(days=400)):
        with pytest.raises(DecisionError, match="within a year"), trail.writing(ALICE) as write:
            extend(write, "decision--1", end, "still going on")
    with pytest.raises(DecisionError, match="by a person"), trail.writing("playbook:p@1") as write:
        extend(write, "decision--1", clock.now + timedelta(days=30), "still going on")


def test_only_a_person_turns_a_decision_on_and_says_why(trail: AuditTrail, decision: Make) -> None:
    with trail.writing(ALICE) as write:
        take(write, decision())
    with pytest.raises(DecisionError, match="only a person"), trail.writing("playbook:p@1") as write:
        turn_on(write, "decision--1", "because")
    with pytest.raises(DecisionError, match="rationale"), trail.writing(ALICE) as write:
        turn_on(write, "decision--1", "  ")
    with trail.writing(ALICE) as write:
        assert turn_on(write, "decision--1", "our own reading of the logs").mode is Mode.LIVE


def test_a_playbook_that_nobody_turned_on_takes_nothing_live(trail: AuditTrail, decision: Make) -> None:
    by_playbook = decision(author="playbook:p@1", mode="live")
    with pytest.raises(DecisionError, match="in shadow"), trail.writing("playbook:p@1") as write:
        take(write, by_playbook)


def test_nobody_decides_in_the_name_of_somebody_else(trail: AuditTrail, decision: Make) -> None:
    with pytest.raises(DecisionError, match="cannot decide for"), trail.writing("playbook:p@1") as write:
        take(write, decision())


@pytest.mark.parametrize("mode", list(Mode))
def test_resale_alone_is_never_blocked(mode: Mode, decision: Make) -> None:
    with pytest.raises(ValidationError, match="resale alone"):
        decision(action="block", label="resale", mode=mode, rationale="x")


def test_resale_is_not_blocked_by_going_around_the_record(trail: AuditTrail, decision: Make) -> None:
    forged = decision(action="block").model_copy(update={"label": Label.RESALE})
    with pytest.raises(DecisionError, match="resale alone"), trail.writing(ALICE) as write:
        take(write, forged)


def test_a_case_of_resale_is_not_blocked_under_another_label(
    trail: AuditTrail, decision: Make, finding: Callable[..., Finding]
) -> None:
    with trail.writing(ALICE) as write:
        case = record_finding(write, finding(label="resale")).case
    with pytest.raises(DecisionError, match="resale alone"), trail.writing(ALICE) as write:
        take(write, decision(action="block", label=None, case_id=case.case_id))
    with trail.writing(ALICE) as write:
        add_label(write, case.case_id, CaseLabel.TRUE_CAMPAIGN, "sold on to train a model")
        take(write, decision(action="block", case_id=case.case_id))


def test_a_case_that_people_call_benign_is_not_hurt(
    store: Store, trail: AuditTrail, decision: Make, finding: Callable[..., Finding]
) -> None:
    with trail.writing(ALICE) as write:
        case = record_finding(write, finding()).case
        add_label(write, case.case_id, CaseLabel.BENIGN, "a benchmark")
    withhold = {"action": "withhold", "withheld": ("logprobs",), "case_id": case.case_id}
    with pytest.raises(DecisionError, match="benign"), trail.writing(ALICE) as write:
        take(write, decision(**withhold))
    with trail.writing(ALICE) as write:
        take(write, decision(case_id=case.case_id))
    with store.reading() as connection:
        linked = find(connection, case.case_id)
    assert linked is not None
    assert linked.decisions == ("decision--1",)


def test_a_block_names_what_it_rests_on(trail: AuditTrail, decision: Make) -> None:
    with pytest.raises(DecisionError, match="rests on"), trail.writing(ALICE) as write:
        take(write, decision(action="block", evidence=()))


@pytest.mark.parametrize("action", [Action.THROTTLE, Action.WITHHOLD, Action.BLOCK])
def test_what_hurts_is_not_live_without_an_independent_rationale(action: Action, decision: Make) -> None:
    throttle = {"requests_per_min": 1, "burst": 1} if action is Action.THROTTLE else None
    withheld = ("logprobs",) if action is Action.WITHHOLD else ()
    with pytest.raises(ValidationError, match="independent rationale"):
        decision(action=action, mode="live", throttle=throttle, withheld=withheld)


@given(days=st.integers(-3, 0))
def test_every_decision_has_an_end_after_its_start(days: int) -> None:
    with pytest.raises(ValidationError, match="end after it starts"):
        make_decision(ends_at=START + timedelta(days=days))


def test_what_nobody_decided_is_said_to_be_unknown(trail: AuditTrail) -> None:
    with pytest.raises(UnknownDecisionError) as caught, trail.writing(ALICE) as write:
        undo(write, "decision--none", "why")
    assert isinstance(caught.value, StillwatchError)
    assert caught.value.hint
