"""Record, turn on and withdraw indicators."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import insert, select, update

from stillwatch.domain.actions import Action, IndicatorOrigin, Mode, Withheld
from stillwatch.domain.decisions import Indicator, Throttle, is_person
from stillwatch.errors import DecisionError
from stillwatch.respond.audit import Write
from stillwatch.respond.decisions.entries import entry_of_indicator, normal_value
from stillwatch.respond.decisions.reading import indicator_of
from stillwatch.respond.decisions.taking import LONGEST, revised
from stillwatch.respond.decisions.wording import check_texts, said
from stillwatch.respond.store.decision_tables import indicators

KIND: Final = "indicator"
"""The kind of object under which the trail keeps indicators."""


def record_indicator(write: Write, indicator: Indicator) -> Indicator:
    """Record an indicator: one of our own, or one that was received.

    Args:
        write: The open transaction.
        indicator: What calls are to be recognized by. A received one observes, and nothing else.

    Returns:
        The indicator as it is stored, its value in normal form.

    Raises:
        DecisionError: it is not allowed.
    """
    normal = revised(indicator, {"value": normal_value(indicator.kind, indicator.value)})
    if normal.origin is IndicatorOrigin.RECEIVED and (normal.action, normal.mode) != (
        Action.OBSERVE,
        Mode.SHADOW,
    ):
        raise DecisionError(
            "a received indicator starts in observe",
            hint="a person turns it on: stillwatch decisions indicator on",
        )
    _check(write, normal)
    entry = write.record("indicator.recorded", KIND, normal.indicator_id, _facts(normal))
    row = {"indicator_id": normal.indicator_id, **_row(normal, entry.sequence)}
    write.connection.execute(insert(indicators).values(row))
    return normal


def turn_indicator_on(
    write: Write,
    indicator_id: str,
    action: Action,
    rationale: str,
    *,
    mode: Mode = Mode.SHADOW,
    throttle: Throttle | None = None,
    withheld: tuple[Withheld, ...] = (),
    tags: tuple[str, ...] = (),
) -> Indicator:
    """Let an indicator do something; only a person decides that.

    Args:
        write: The open transaction; its actor is the person.
        indicator_id: Which indicator.
        action: What happens to calls that match.
        rationale: This provider's own reason: that others recorded it is none.
        mode: Shadow first.
        throttle: The token bucket, for throttle.
        withheld: What answers are given without, for withhold.
        tags: What calls are marked with, for tag.

    Raises:
        DecisionError: no person asks, no reason is given, or it has ended.
    """
    if not is_person(write.actor):
        raise DecisionError("only a person turns an indicator on", hint="say who you are: person:NAME")
    indicator = _standing(write, indicator_id)
    changes = {
        "action": action,
        "mode": mode,
        "throttle": throttle,
        "withheld": withheld,
        "tags": tags,
        "author": write.actor,
        "rationale": said(rationale, "an indicator needs an independent rationale"),
    }
    after = revised(indicator, changes)
    _check(write, after)
    return _store(write, after, "indicator.turned_on", _facts(after))


def withdraw_indicator(write: Write, indicator_id: str, why: str) -> Indicator:
    """Stop matching an indicator.

    Raises:
        DecisionError: no reason is given, or it has ended.
    """
    indicator = _standing(write, indicator_id)
    text = said(why, "a withdrawal needs a reason")
    changes = {"undone_at": write.now, "undone_by": write.actor, "undone_why": text}
    return _store(write, revised(indicator, changes), "indicator.withdrawn", {"why": text})


def close_ended_indicators(write: Write, limit: int = 1_000) -> tuple[str, ...]:
    """Record the end of indicators whose validity is over; return their ids."""
    query = select(indicators.c.indicator_id, indicators.c.valid_until)
    ended = query.where(indicators.c.closed_at.is_(None), indicators.c.valid_until <= write.now)
    rows = write.connection.execute(ended.order_by(indicators.c.valid_until).limit(limit)).fetchall()
    for row in rows:
        entry = write.record(
            "indicator.ended", KIND, row.indicator_id, {"ended_at": row.valid_until.isoformat()}
        )
        write.connection.execute(
            update(indicators)
            .where(indicators.c.indicator_id == row.indicator_id)
            .values(change=entry.sequence, closed_at=row.valid_until, entry=None)
        )
    return tuple(row.indicator_id for row in rows)


def _standing(write: Write, indicator_id: str) -> Indicator:
    indicator = indicator_of(write.connection, indicator_id)
    if indicator.undone_at is not None or indicator.valid_until <= write.now:
        raise DecisionError("the indicator has ended already", hint="record a new one")
    return indicator


def _check(write: Write, indicator: Indicator) -> None:
    check_texts(indicator.value, indicator.reason, indicator.rationale, indicator.author, *indicator.tags)
    if indicator.valid_until <= write.now or indicator.valid_until > indicator.valid_from + LONGEST:
        raise DecisionError("an indicator ends in the future, at most a year after it begins")
    if indicator.mode is Mode.LIVE and not is_person(write.actor):
        raise DecisionError("only a person lets an indicator act", hint="say who you are: person:NAME")
    if indicator.action is Action.BLOCK and not indicator.evidence:
        raise DecisionError("a block names what it rests on", hint="record the indicator with evidence")


def _store(write: Write, indicator: Indicator, act: str, facts: Mapping[str, Any]) -> Indicator:
    entry = write.record(act, KIND, indicator.indicator_id, facts)
    write.connection.execute(
        update(indicators)
        .where(indicators.c.indicator_id == indicator.indicator_id)
        .values(_row(indicator, entry.sequence))
    )
    return indicator


def _facts(indicator: Indicator) -> dict[str, Any]:
    return indicator.model_dump(mode="json", exclude={"indicator_id"})


def _row(indicator: Indicator, change: int) -> dict[str, Any]:
    entry = entry_of_indicator(indicator)
    return {
        "change": change,
        "kind": indicator.kind.value,
        "value": indicator.value,
        "origin": indicator.origin.value,
        "valid_until": indicator.valid_until,
        "closed_at": indicator.undone_at,
        "record": indicator.model_dump(mode="json"),
        "entry": None if entry is None else msgspec.json.encode(entry).decode(),
    }
