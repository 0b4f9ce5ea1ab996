"""A playbook is followed again and again, and never against a person's word."""

import random
from collections.abc import Callable, Mapping

import pytest
from tests.unit.respond.decisions.conftest import Clock, make_finding

from stillwatch.domain.actions import Action, Mode
from stillwatch.domain.cases import CaseLabel
from stillwatch.domain.decisions import AppealOutcome, Decision
from stillwatch.domain.evidence import AuthorizationNote
from stillwatch.domain.findings import Finding
from stillwatch.domain.severity import Label
from stillwatch.errors import DecisionError, UnknownDecisionError
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.cases import add_label, label_of_each, labels_of, record_finding
from stillwatch.respond.decisions.appeals import answer_appeal, open_appeal
from stillwatch.respond.decisions.following import follow
from stillwatch.respond.decisions.playbook import Playbook
from stillwatch.respond.decisions.playbook_files import example, example_text, parse
from stillwatch.respond.decisions.reading import appeals_now, decision_of, decisions_now
from stillwatch.respond.decisions.switching import switch_of, turn_playbook_off, turn_playbook_on
from stillwatch.respond.decisions.taking import release, take, undo
from stillwatch.respond.store import Store

Make = Callable[..., Decision]
ALICE, BOB = "person:alice", "person:bob"


def followed(
    trail: AuditTrail,
    found: Finding,
    book: Playbook | None = None,
    programmes: Mapping[str, str] | None = None,
) -> tuple[Decision, ...]:
    book = book or example()
    with trail.writing(book.author) as write:
        return follow(write, book, found, rng=random.Random(len(trail.since(0))), programmes=programmes)


def actions(decisions: tuple[Decision, ...]) -> dict[Action, tuple[str, ...]]:
    return {decision.action: decision.accounts for decision in decisions}


def test_following_twice_does_nothing_twice(trail: AuditTrail) -> None:
    assert actions(followed(trail, make_finding())).keys() == {
        Action.VERIFY,
        Action.THROTTLE,
        Action.WITHHOLD,
    }
    assert followed(trail, make_finding()) == ()


def test_accounts_that_join_are_decided_about(trail: AuditTrail) -> None:
    followed(trail, make_finding())
    joined = followed(trail, make_finding(accounts=("a", "b", "c", "d")))
    assert set(actions(joined).values()) == {("d",)}


def test_a_new_version_does_not_repeat_what_the_old_one_did(trail: AuditTrail) -> None:
    followed(trail, make_finding())
    newer = parse(example_text().replace("version: 1", "version: 2"), "newer.yaml")
    assert followed(trail, make_finding(), newer) == ()


def test_what_a_person_undid_is_not_done_again_until_it_would_have_ended(
    trail: AuditTrail, clock: Clock
) -> None:
    taken = followed(trail, make_finding())
    with trail.writing(ALICE) as write:
        for decision in taken:
            undo(write, decision.decision_id, "a benchmark of ours")
    assert followed(trail, make_finding()) == ()
    clock.pass_by(days=30)
    assert followed(trail, make_finding())


def test_an_account_that_was_let_go_is_left_alone(trail: AuditTrail) -> None:
    for decision in followed(trail, make_finding()):
        with trail.writing(ALICE) as write:
            release(write, decision.decision_id, "a", "partner")
    assert followed(trail, make_finding()) == ()


def test_what_people_call_benign_is_spared(trail: AuditTrail) -> None:
    with trail.writing(example().author) as write:
        taken = follow(write, example(), make_finding(), rng=random.Random(1), spared=("a", "c"))
    assert {decision.accounts for decision in taken} == {("b",)}


def test_a_case_that_a_person_calls_resale_is_treated_as_resale(trail: AuditTrail) -> None:
    with trail.writing(ALICE) as write:
        case = record_finding(write, make_finding()).case
        add_label(write, case.case_id, CaseLabel.RESALE, "a relay of ordinary developers")
    with trail.writing(example().author) as write:
        taken = follow(write, example(), make_finding(), rng=random.Random(1), case_id=case.case_id)
    assert {decision.action for decision in taken} == {Action.VERIFY}
    assert {decision.label for decision in taken} == {Label.RESALE}


@pytest.mark.parametrize("status", ["in_scope", "out_of_scope"])
def test_use_within_a_permission_is_left_alone(trail: AuditTrail, status: str) -> None:
    note = AuthorizationNote.model_validate({"authorization_id": "x", "status": status, "sentence": "s"})
    taken = followed(trail, make_finding(authorization=note))
    assert bool(taken) is (status == "out_of_scope")


def test_a_playbook_acts_only_when_a_person_turned_on_exactly_this_content(
    store: Store, trail: AuditTrail
) -> None:
    with trail.writing(ALICE) as write:
        turn_playbook_on(write, example(), "we read our own logs")
    live = followed(trail, make_finding())
    assert {decision.mode for decision in live} == {Mode.LIVE}
    assert {decision.rationale for decision in live} == {"we read our own logs"}
    changed = parse(example_text().replace("burst: 120", "burst: 121"), "changed.yaml")
    shadow = followed(trail, make_finding(accounts=("x",)), changed)
    assert {decision.mode for decision in shadow} == {Mode.SHADOW}
    with store.reading() as connection:
        assert switch_of(connection, example()).author == ALICE


def test_turning_a_playbook_off_stops_everything_it_does_at_once(store: Store, trail: AuditTrail) -> None:
    with trail.writing(ALICE) as write:
        turn_playbook_on(write, example(), "our own reading")
    live = followed(trail, make_finding())
    with trail.writing(BOB) as write:
        stopped = turn_playbook_off(write, "cautious", "too many complaints")
    assert set(stopped) == {decision.decision_id for decision in live}
    with store.reading() as connection:
        assert {d.mode for d in decisions_now(connection, trail._clock())} == {Mode.SHADOW}
        assert switch_of(connection, example()).mode is Mode.SHADOW


def test_a_machine_turns_no_playbook_on(trail: AuditTrail) -> None:
    with pytest.raises(DecisionError, match="only a person"), trail.writing(example().author) as write:
        turn_playbook_on(write, example(), "because")


def appealed(trail: AuditTrail, decision: Decision) -> str:
    with trail.writing("system:support") as write:
        take_id = decision.decision_id
        return open_appeal(write, take_id, "a", "we run a benchmark", rng=random.Random(4)).appeal_id


def test_an_appeal_that_is_granted_frees_the_account_and_labels_it(
    store: Store, trail: AuditTrail, decision: Make
) -> None:
    with trail.writing(ALICE) as write:
        taken = take(write, decision())
    appeal_id = appealed(trail, taken)
    with trail.writing(BOB) as write:
        answered = answer_appeal(write, appeal_id, AppealOutcome.REINSTATED, "we were wrong")
    assert answered.outcome is AppealOutcome.REINSTATED
    with store.reading() as connection:
        assert decision_of(connection, taken.decision_id).bound == ("b",)
        assert appeals_now(connection) == ()
    labels = label_of_each(labels_of(store, as_of=trail._clock()))
    assert {account: known.label for account, known in labels.items()} == {"a": CaseLabel.BENIGN}
    assert "a" not in {account for one in followed(trail, make_finding()) for account in one.accounts}


def test_an_appeal_within_a_case_labels_the_account_in_the_case(
    store: Store, trail: AuditTrail, decision: Make
) -> None:
    with trail.writing(ALICE) as write:
        case = record_finding(write, make_finding()).case
        taken = take(write, decision(case_id=case.case_id))
    appeal_id = appealed(trail, taken)
    with trail.writing(BOB) as write:
        answer_appeal(write, appeal_id, AppealOutcome.REINSTATED, "sorry", label=CaseLabel.AUTHORIZED)
    (known,) = labels_of(store, as_of=trail._clock())
    assert (known.case_id, known.label, known.accounts) == (case.case_id, CaseLabel.AUTHORIZED, ("a",))


def test_an_appeal_that_is_refused_changes_nothing_but_is_answered(
    store: Store, trail: AuditTrail, decision: Make
) -> None:
    with trail.writing(ALICE) as write:
        taken = take(write, decision())
    appeal_id = appealed(trail, taken)
    with trail.writing(BOB) as write:
        answer_appeal(write, appeal_id, AppealOutcome.KEPT, "the pattern goes on")
    with store.reading() as connection:
        assert decision_of(connection, taken.decision_id) == taken
        assert appeals_now(connection, everything=True)[0].answered_by == BOB
    assert labels_of(store) == ()
    with pytest.raises(DecisionError, match="answered once"), trail.writing(BOB) as write:
        answer_appeal(write, appeal_id, AppealOutcome.REINSTATED, "changed our mind")


@pytest.mark.parametrize("actor", [ALICE, "system:support", "playbook:cautious@1"])
def test_an_appeal_is_answered_by_another_person(trail: AuditTrail, decision: Make, actor: str) -> None:
    with trail.writing(ALICE) as write:
        taken = take(write, decision())
    appeal_id = appealed(trail, taken)
    with pytest.raises(DecisionError, match="person"), trail.writing(actor) as write:
        answer_appeal(write, appeal_id, AppealOutcome.REINSTATED, "fine")


def test_an_account_appeals_once_at_a_time_and_only_for_itself(trail: AuditTrail, decision: Make) -> None:
    with trail.writing(ALICE) as write:
        taken = take(write, decision())
    appealed(trail, taken)
    with pytest.raises(DecisionError, match="open already"):
        appealed(trail, taken)
    with pytest.raises(DecisionError, match="was not about"), trail.writing(ALICE) as write:
        open_appeal(write, taken.decision_id, "z", "hello", rng=random.Random(1))
    with pytest.raises(UnknownDecisionError), trail.writing(ALICE) as write:
        open_appeal(write, "decision--none", "z", "hello", rng=random.Random(1))
