"""Take and change decisions inside one transaction: the row, its entry for guards, and the audit entry, or nothing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec
from pydantic import ValidationError
from sqlalchemy import insert, select, update

from stillwatch.domain.actions import Action, Mode
from stillwatch.domain.cases import CaseLabel
from stillwatch.domain.decisions import Decision, is_person
from stillwatch.domain.record import Record
from stillwatch.domain.severity import Label
from stillwatch.errors import DecisionError, UnknownCaseError
from stillwatch.respond.audit import Write
from stillwatch.respond.cases import find, link_decision
from stillwatch.respond.cases.wording import digest_of_names
from stillwatch.respond.decisions.entries import entry_of_decision
from stillwatch.respond.decisions.reading import decision_of
from stillwatch.respond.decisions.wording import check_texts, named, said
from stillwatch.respond.store.decision_tables import decision_accounts, decisions, playbook_switches

KIND: Final = "decision"
"""The kind of object under which the trail keeps decisions."""

LONGEST: Final = timedelta(days=366)
"""No decision lasts longer from one look to the next."""

AnyRecord = TypeVar("AnyRecord", bound=Record)


def take(write: Write, decision: Decision) -> Decision:
    """Take a decision.

    Args:
        write: The open transaction; its actor is the author.
        decision: What is decided.

    Returns:
        The decision as it is stored.

    Raises:
        DecisionError: it is not allowed: see `check`.
    """
    decision = revised(decision, {})
    check(write, decision)
    entry = write.record("decision.taken", KIND, decision.decision_id, facts_of(decision))
    row = {"decision_id": decision.decision_id, **_row(decision, entry.sequence)}
    write.connection.execute(insert(decisions).values(row))
    accounts = dict.fromkeys(decision.accounts)
    write.connection.execute(
        insert(decision_accounts),
        [{"decision_id": decision.decision_id, "account_id": account} for account in accounts],
    )
    if decision.case_id is not None:
        link_decision(write, decision.case_id, decision.decision_id)
    return decision


def undo(write: Write, decision_id: str, why: str) -> Decision:
    """End a decision now and let everybody go.

    Raises:
        DecisionError: no reason is given, or it has ended already.
    """
    decision = standing(write, decision_id)
    changes = {
        "undone_at": write.now,
        "undone_by": write.actor,
        "undone_why": said(why, "an undo needs a reason"),
    }
    return store(write, revised(decision, changes), "decision.undone", {"why": why})


def extend(write: Write, decision_id: str, ends_at: datetime, why: str) -> Decision:
    """Move the end of a decision, sooner or later; only a person does that.

    Raises:
        DecisionError: the end is past or more than a year away, or no person asks.
    """
    decision = standing(write, decision_id)
    _require_person(write, "the end of a decision is moved by a person")
    if not write.now < ends_at <= write.now + LONGEST:
        raise DecisionError("the new end must lie within a year from now", hint="extend it again later")
    facts = {"why": said(why, "an extension needs a reason"), "before": decision.ends_at.isoformat()}
    return store(write, revised(decision, {"ends_at": ends_at}), "decision.extended", facts)


def release(write: Write, decision_id: str, account_id: str, why: str) -> Decision:
    """Let one account go and keep the decision for the others; the last one to go undoes it.

    Raises:
        DecisionError: the decision does not touch the account.
    """
    decision = standing(write, decision_id)
    if account_id not in decision.bound:
        raise DecisionError(f"the decision does not touch the account {account_id!r}")
    text = said(why, "a release needs a reason")
    after = revised(decision, {"released": (*decision.released, account_id)})
    if not after.bound:
        changes = {"undone_at": write.now, "undone_by": write.actor, "undone_why": text}
        after = revised(after, changes)
    return store(write, after, "decision.released", {"account_id": named(account_id), "why": text})


def turn_on(write: Write, decision_id: str, rationale: str) -> Decision:
    """Make a decision in shadow act; only a person does that, for a reason of this provider's own.

    Raises:
        DecisionError: no person asks, no reason is given, or it acts already.
    """
    decision = standing(write, decision_id)
    _require_person(write, "only a person turns a decision on")
    if decision.mode is Mode.LIVE:
        raise DecisionError("the decision is live already")
    text = said(rationale, "turning on needs an independent rationale")
    after = revised(decision, {"mode": Mode.LIVE, "rationale": text})
    check(write, after)
    return store(write, after, "decision.turned_on", {"rationale": text})


def turn_off(write: Write, decision_id: str, why: str) -> Decision:
    """Put a live decision back into shadow.

    Raises:
        DecisionError: it does not act.
    """
    decision = standing(write, decision_id)
    if decision.mode is Mode.SHADOW:
        raise DecisionError("the decision is in shadow already")
    text = said(why, "turning off needs a reason")
    return store(write, revised(decision, {"mode": Mode.SHADOW}), "decision.turned_off", {"why": text})


def close_ended(write: Write, limit: int = 1_000) -> tuple[str, ...]:
    """Record the end of decisions that ended by themselves; guards stopped acting on them at that instant.

    Returns:
        Their ids; as many as `limit` when more wait.
    """
    query = select(decisions.c.decision_id, decisions.c.ends_at)
    ended = query.where(decisions.c.closed_at.is_(None), decisions.c.ends_at <= write.now)
    rows = write.connection.execute(ended.order_by(decisions.c.ends_at).limit(limit)).fetchall()
    for row in rows:
        entry = write.record("decision.ended", KIND, row.decision_id, {"ended_at": row.ends_at.isoformat()})
        write.connection.execute(
            update(decisions)
            .where(decisions.c.decision_id == row.decision_id)
            .values(change=entry.sequence, closed_at=row.ends_at, entry=None)
        )
    return tuple(row.decision_id for row in rows)


def check(write: Write, decision: Decision) -> None:
    """Refuse what must not be decided by this author in this way.

    Raises:
        DecisionError: what is wrong, and what to do about it.
    """
    check_texts(decision.reason, decision.rationale, decision.author, *decision.tags, *decision.evidence)
    if decision.author != write.actor and not is_person(write.actor):
        raise DecisionError(f"{write.actor} cannot decide for {decision.author}")
    if decision.ends_at <= write.now or decision.ends_at > decision.starts_at + LONGEST:
        raise DecisionError("a decision ends in the future, at most a year after it starts")
    if (
        decision.action is Action.BLOCK
        and decision.label is not Label.DISTILLATION
        and not is_person(decision.author)
    ):
        raise DecisionError("a playbook blocks for distillation only", hint="resale alone is never blocked")
    if decision.action is Action.BLOCK and not decision.evidence:
        raise DecisionError("a block names the case or finding it rests on", hint="give its id as evidence")
    if decision.mode is Mode.LIVE and not is_person(decision.author):
        _require_switch(write, decision.author)
    if decision.case_id is not None:
        _check_case(write, decision, decision.case_id)


def _check_case(write: Write, decision: Decision, name: str) -> None:
    """Listen to what people said about the case."""
    case = find(write.connection, name)
    if case is None:
        raise UnknownCaseError(f"there is no case {name!r}")
    said_of_it = {mark.label for mark in case.labels if mark.whole}
    innocent = sorted(said_of_it & {CaseLabel.BENIGN, CaseLabel.AUTHORIZED})
    if innocent and decision.action.hurts:
        raise DecisionError(
            f"{case.case_id} is labeled {innocent[0].phrase}", hint="withdraw the label first"
        )
    resale = CaseLabel.RESALE in said_of_it or case.figures.label is Label.RESALE
    if decision.action is Action.BLOCK and resale and CaseLabel.TRUE_CAMPAIGN not in said_of_it:
        raise DecisionError(
            f"{case.case_id} is resale, and resale alone is never blocked",
            hint="label it a true campaign if a person has found that it is one",
        )


def standing(write: Write, decision_id: str) -> Decision:
    """Return a decision that has not ended.

    Raises:
        DecisionError: it was undone, or has ended.
        UnknownDecisionError: there is none with this id.
    """
    decision = decision_of(write.connection, decision_id)
    if decision.undone_at is not None:
        raise DecisionError("the decision was undone already", hint="take a new one")
    if decision.ends_at <= write.now:
        raise DecisionError("the decision has ended already", hint="take a new one")
    return decision


def store(write: Write, decision: Decision, act: str, facts: Mapping[str, Any]) -> Decision:
    """Write a changed decision and record what was done."""
    entry = write.record(act, KIND, decision.decision_id, facts)
    write.connection.execute(
        update(decisions)
        .where(decisions.c.decision_id == decision.decision_id)
        .values(_row(decision, entry.sequence))
    )
    return decision


def revised(record: AnyRecord, changes: Mapping[str, Any]) -> AnyRecord:
    """Return the record with changes, validated as a whole.

    Raises:
        DecisionError: together they are not allowed.
    """
    kept = {name: getattr(record, name) for name in type(record).model_fields}
    try:
        return type(record).model_validate({**kept, **changes})
    except ValidationError as error:
        raise DecisionError(sentence(error)) from error


def sentence(error: ValidationError) -> str:
    """Say the first mistake of a record."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def facts_of(decision: Decision) -> dict[str, Any]:
    """Return what the trail keeps: everything but the list of accounts, of which it keeps the digest."""
    facts: dict[str, Any] = decision.model_dump(mode="json", exclude={"accounts", "released", "decision_id"})
    return {
        **facts,
        "accounts": len(decision.accounts),
        "accounts_digest": digest_of_names(decision.accounts),
    }


def _row(decision: Decision, change: int) -> dict[str, Any]:
    entry = entry_of_decision(decision)
    return {
        "change": change,
        "action": decision.action.value,
        "mode": decision.mode.value,
        "author": decision.author,
        "case_id": decision.case_id,
        "starts_at": decision.starts_at,
        "ends_at": decision.ends_at,
        "closed_at": decision.undone_at,
        "record": decision.model_dump(mode="json"),
        "entry": None if entry is None else msgspec.json.encode(entry).decode(),
    }


def _require_person(write: Write, otherwise: str) -> None:
    if not is_person(write.actor):
        raise DecisionError(otherwise, hint="say who you are: person:NAME")


def _require_switch(write: Write, author: str) -> None:
    """A playbook acts only when a person turned on exactly its content."""
    on = write.connection.execute(
        select(playbook_switches.c.signature).where(
            playbook_switches.c.signature == author, playbook_switches.c.mode == Mode.LIVE.value
        )
    ).first()
    if on is None:
        raise DecisionError(
            f"{author} is in shadow",
            hint="a person turns it on: stillwatch decisions live PLAYBOOK --rationale ...",
        )
