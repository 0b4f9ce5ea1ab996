"""Indicators: what was received only observes, and every one ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.unit.respond.decisions.conftest import START, Clock

from stillwatch.domain.actions import Action, IndicatorKind, IndicatorOrigin, Mode
from stillwatch.domain.calls import Call
from stillwatch.domain.decisions import Indicator
from stillwatch.errors import DecisionError
from stillwatch.respond.audit import AuditTrail, verify
from stillwatch.respond.decisions.index import DecisionIndex
from stillwatch.respond.decisions.indicating import (
    close_ended_indicators,
    record_indicator,
    turn_indicator_on,
    withdraw_indicator,
)
from stillwatch.respond.decisions.reading import changes_since, indicator_of, indicators_now
from stillwatch.respond.store import Store

ALICE = "person:alice"
PEER = "system:sharing"
Make = Callable[..., Indicator]


def indicator(**changes: object) -> Indicator:
    fields: dict[str, object] = {
        "indicator_id": "indicator--1",
        "kind": "network",
        "value": "192.0.2.77/24",
        "origin": "received",
        "valid_from": START,
        "valid_until": START + timedelta(days=30),
        "reason": "seen by another lab",
        "author": "person:alice",
        "evidence": ("sighting-1",),
    }
    return Indicator.model_validate({**fields, **changes})


def learned(store: Store, clock: Clock) -> DecisionIndex:
    index = DecisionIndex(clock=clock.us)
    with store.reading() as connection:
        index.apply(changes_since(connection, 0, clock.now).changes)
    return index


def test_what_was_received_observes_until_a_person_turns_it_on(
    store: Store, trail: AuditTrail, clock: Clock
) -> None:
    with trail.writing(PEER) as write:
        stored = record_indicator(write, indicator())
    assert stored.value == "192.0.2.0/24"
    verdict = learned(store, clock).decide(Call("z", client_address="192.0.2.1"))
    assert (verdict.would, verdict.would_id, verdict.refused) == (Action.OBSERVE, "indicator--1", False)
    with trail.writing(ALICE) as write:
        turn_indicator_on(write, "indicator--1", Action.BLOCK, "we saw the same in our logs", mode=Mode.LIVE)
    assert learned(store, clock).decide(Call("z", client_address="192.0.2.1")).refused
    assert verify(store).holds


@pytest.mark.parametrize("changes", [{"action": "verify"}, {"mode": "live"}])
def test_nothing_received_starts_with_more_than_observe(
    trail: AuditTrail, changes: dict[str, object]
) -> None:
    with pytest.raises(DecisionError, match="starts in observe"), trail.writing(PEER) as write:
        record_indicator(write, indicator(**changes))


def test_only_a_person_turns_an_indicator_on_and_says_why(trail: AuditTrail) -> None:
    with trail.writing(PEER) as write:
        record_indicator(write, indicator())
    with pytest.raises(DecisionError, match="only a person"), trail.writing(PEER) as write:
        turn_indicator_on(write, "indicator--1", Action.VERIFY, "others say so")
    with pytest.raises(DecisionError, match="rationale"), trail.writing(ALICE) as write:
        turn_indicator_on(write, "indicator--1", Action.VERIFY, "")


def test_an_indicator_of_resale_is_not_turned_into_a_block(trail: AuditTrail) -> None:
    with trail.writing(PEER) as write:
        record_indicator(write, indicator(label="resale"))
    with pytest.raises(DecisionError, match="resale alone"), trail.writing(ALICE) as write:
        turn_indicator_on(write, "indicator--1", Action.BLOCK, "we do not like it")


def test_an_indicator_is_withdrawn(store: Store, trail: AuditTrail, clock: Clock) -> None:
    with trail.writing(ALICE) as write:
        record_indicator(write, indicator(origin=IndicatorOrigin.OWN))
        withdraw_indicator(write, "indicator--1", "a university")
    assert len(learned(store, clock)) == 0
    with store.reading() as connection:
        assert indicators_now(connection, clock.now) == ()
        assert indicator_of(connection, "indicator--1").undone_why == "a university"


def test_validity_ends_by_itself_and_is_recorded(store: Store, trail: AuditTrail, clock: Clock) -> None:
    with trail.writing(ALICE) as write:
        record_indicator(write, indicator(origin="own"))
    index = learned(store, clock)
    clock.pass_by(days=30)
    assert index.decide(Call("z", client_address="192.0.2.1")).would_id is None
    with trail.writing("system:expiry") as write:
        assert close_ended_indicators(write) == ("indicator--1",)


@pytest.mark.parametrize(
    ("kind", "value", "normal"),
    [
        ("network", "192.0.2.77/24", "192.0.2.0/24"),
        ("network", "2001:DB8::1", "2001:db8::1/128"),
        ("template", "ABC", "0000000000000abc"),
        ("client", " t13d_1 curl/8 ", "t13d_1 curl/8"),
        ("payment", "f00d", "f00d"),
    ],
)
def test_values_are_written_in_one_way(trail: AuditTrail, kind: str, value: str, normal: str) -> None:
    with trail.writing(ALICE) as write:
        assert record_indicator(write, indicator(kind=kind, value=value)).value == normal


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("network", "0.0.0.0/0"),
        ("network", "2000::/3"),
        ("network", "here"),
        ("template", "xyz"),
        ("template", "f" * 17),
        ("client", "t13d_1"),
        ("email", "   "),
        ("client", "t13d_1 Bearer abcdefghijkl"),
    ],
)
def test_what_is_no_value_or_matches_everybody_is_refused(trail: AuditTrail, kind: str, value: str) -> None:
    with pytest.raises(DecisionError), trail.writing(ALICE) as write:
        record_indicator(write, indicator(kind=IndicatorKind(kind), value=value))


def test_validity_is_at_most_a_year(trail: AuditTrail) -> None:
    with pytest.raises(DecisionError, match="at most a year"), trail.writing(ALICE) as write:
        record_indicator(write, indicator(valid_until=START + timedelta(days=900)))
