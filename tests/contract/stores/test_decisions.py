"""Decisions, changes for guards and counts are the same on every kind of store."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.contract.stores.conftest import Clock
from tests.unit.respond.decisions.conftest import make_finding

from stillwatch.domain.actions import IndicatorKind, Mode
from stillwatch.domain.calls import Call
from stillwatch.domain.decisions import AppealOutcome, Indicator
from stillwatch.respond.audit import AuditTrail, verify
from stillwatch.respond.cases import record_finding
from stillwatch.respond.decisions.appeals import answer_appeal, open_appeal
from stillwatch.respond.decisions.effects import Effect
from stillwatch.respond.decisions.following import follow
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.index import DecisionIndex
from stillwatch.respond.decisions.indicating import close_ended_indicators, record_indicator
from stillwatch.respond.decisions.playbook_files import example
from stillwatch.respond.decisions.reading import changes_since, decision_of, decisions_about, decisions_now
from stillwatch.respond.decisions.reporting import effects_of, keep_effects
from stillwatch.respond.decisions.switching import turn_playbook_off, turn_playbook_on
from stillwatch.respond.decisions.taking import close_ended, undo
from stillwatch.respond.store import Store, open_store

ALICE, BOB = "person:alice", "person:bob"
HOSTILE = "a\\b\x00'; DROP TABLE decisions"


def test_a_playbook_is_followed_appealed_against_and_stopped(store: Store, trail: AuditTrail) -> None:
    finding = make_finding(accounts=("a", "b", HOSTILE))
    with trail.writing(ALICE) as write:
        case = record_finding(write, finding).case
        turn_playbook_on(write, example(), "our own logs")
    with trail.writing(example().author) as write:
        taken = follow(write, example(), finding, rng=random.Random(1), case_id=case.case_id)
        assert follow(write, example(), finding, rng=random.Random(2), case_id=case.case_id) == ()
    with trail.writing("system:support") as write:
        appeal = open_appeal(write, taken[0].decision_id, "a", "a benchmark", rng=random.Random(3))
    with trail.writing(BOB) as write:
        answer_appeal(write, appeal.appeal_id, AppealOutcome.REINSTATED, "sorry")
        stopped = turn_playbook_off(write, "cautious", "complaints")
        undo(write, taken[1].decision_id, "too harsh")
    assert set(stopped) == {decision.decision_id for decision in taken}
    with store.reading() as connection:
        assert decision_of(connection, taken[0].decision_id).released == ("a",)
        standing = decisions_now(connection, taken[0].decided_at, case_id=case.case_id)
        assert {decision.mode for decision in standing} == {Mode.SHADOW}
        assert len(standing) == len(taken) - 1
        about = decisions_about(connection, [finding.accounts[2]], taken[0].decided_at)
        assert {decision.decision_id for decision in about} == {decision.decision_id for decision in taken}
    assert verify(store).holds


def test_guards_learn_every_change_in_order(store: Store, trail: AuditTrail, clock: Clock) -> None:
    with trail.writing(example().author) as write:
        taken = follow(write, example(), make_finding(), rng=random.Random(1))
    index = DecisionIndex(clock=lambda: 0)
    with store.reading() as connection:
        page = changes_since(connection, 0, clock.now, limit=2)
        index.apply(page.changes)
        assert page.more
        index.apply(changes_since(connection, page.until, clock.now).changes)
    assert len(index) == len(taken)
    with trail.writing(ALICE) as write:
        undo(write, taken[0].decision_id, "a mistake")
    with store.reading() as connection:
        (change,) = changes_since(connection, index.sequence, clock.now).changes
    assert (change.entry_id, change.entry) == (taken[0].decision_id, None)


def test_ends_are_recorded_once(store: Store, trail: AuditTrail, clock: Clock) -> None:
    with trail.writing(ALICE) as write:
        record_indicator(
            write,
            Indicator(
                indicator_id="indicator--1",
                kind=IndicatorKind.EMAIL,
                value=HOSTILE,
                valid_from=write.now,
                valid_until=write.now + timedelta(days=1),
                reason="seen",
                author=ALICE,
            ),
        )
    with trail.writing(example().author) as write:
        taken = follow(write, example(), make_finding(), rng=random.Random(1))
    clock.now += timedelta(days=60)
    with trail.writing("system:node") as write:
        assert len(close_ended(write)) == len(taken)
        assert close_ended(write) == ()
        assert close_ended_indicators(write) == ("indicator--1",)
    with store.reading() as connection:
        assert changes_since(connection, 0, clock.now).changes == ()


def test_counts_add_up(store: Store) -> None:
    counted = [Effect("d", "a", 0, matched=2, refused=1), Effect("d", "b", 0, matched=1)]
    keep_effects(store, counted)
    keep_effects(store, counted)
    with store.reading() as connection:
        (report,) = effects_of(connection)
    assert (report.accounts, report.matched, report.refused) == (2, 6, 2)


def test_a_guard_reads_the_store_by_its_url(make_url: Callable[[], str]) -> None:
    url = make_url()
    with open_store(url) as store:
        now = datetime.now(UTC)
        with AuditTrail(store, lambda: now).writing(example().author) as write:
            follow(write, example(), make_finding(), rng=random.Random(1))
        with Guard(url, wait_s=30) as guard:
            assert guard.decide(Call("a")).would_id is not None
            assert guard.counters.loaded
        with store.reading() as connection:
            assert effects_of(connection)
