"""Read decisions, indicators and appeals, and what changed since."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, select

from stillwatch.domain.decisions import Appeal, AppealOutcome, Decision, Indicator
from stillwatch.errors import UnknownDecisionError
from stillwatch.respond.decisions.changes import Change, ChangePage, Entry
from stillwatch.respond.store.decision_tables import appeals, decision_accounts, decisions, indicators

PAGE: Final = 10_000
"""Changes read at once: a guard that starts with a million entries holds no more than this in between."""

_CHUNK: Final = 500
"""Values in one IN list; SQLite takes 32,766 and PostgreSQL's driver 65,535."""

_ENTRIES: Final = msgspec.json.Decoder(Entry)


def changes_since(connection: Connection, sequence: int, now: datetime, limit: int = PAGE) -> ChangePage:
    """Return what changed after a sequence, in order.

    Args:
        connection: An open transaction.
        sequence: What the guard has seen; 0 asks for everything that still acts.
        now: What has ended by then is left out of a first load.
        limit: Changes at most.
    """
    found: list[Change] = []
    until: int | None = None
    for table, end in ((decisions, decisions.c.ends_at), (indicators, indicators.c.valid_until)):
        rows = _changed(connection, table, end, sequence, now, limit)
        found.extend(_as_change(row) for row in rows)
        if len(rows) == limit:
            until = rows[-1].change if until is None else min(until, rows[-1].change)
    ordered = sorted(
        (one for one in found if until is None or one.sequence <= until), key=lambda one: one.sequence
    )
    return ChangePage(
        changes=tuple(ordered),
        until=ordered[-1].sequence if ordered else sequence,
        more=until is not None,
    )


def _changed(
    connection: Connection, table: Table, end: Any, sequence: int, now: datetime, limit: int
) -> Sequence[Row[Any, Any, Any]]:
    key = next(iter(table.primary_key))
    query = select(table.c.change, key.label("entry_id"), table.c.entry).where(table.c.change > sequence)
    if sequence == 0:
        query = query.where(and_(table.c.entry.is_not(None), end > now))
    return connection.execute(query.order_by(table.c.change).limit(limit)).fetchall()


def _as_change(row: Row[Any, Any, Any]) -> Change:
    return Change(row.change, row.entry_id, None if row.entry is None else _ENTRIES.decode(row.entry))


def _record(connection: Connection, table: Table, key: ColumnElement[str], entry_id: str) -> object:
    """Return what one entry of a table records."""
    record = connection.execute(select(table.c.record).where(key == entry_id)).scalar_one_or_none()
    if record is None:
        raise UnknownDecisionError(f"no {table.name.removesuffix('s')} has the id {entry_id}")
    return record


def decision_of(connection: Connection, decision_id: str) -> Decision:
    """Return one decision.

    Raises:
        UnknownDecisionError: there is none with this id.
    """
    return Decision.model_validate(_record(connection, decisions, decisions.c.decision_id, decision_id))


def indicator_of(connection: Connection, indicator_id: str) -> Indicator:
    """Return one indicator.

    Raises:
        UnknownDecisionError: there is none with this id.
    """
    return Indicator.model_validate(_record(connection, indicators, indicators.c.indicator_id, indicator_id))


def appeal_of(connection: Connection, appeal_id: str) -> Appeal:
    """Return one appeal.

    Raises:
        UnknownDecisionError: there is none with this id.
    """
    return Appeal.model_validate(_record(connection, appeals, appeals.c.appeal_id, appeal_id))


def decisions_now(
    connection: Connection,
    now: datetime,
    *,
    case_id: str | None = None,
    account_id: str | None = None,
    everything: bool = False,
    limit: int = 1_000,
) -> tuple[Decision, ...]:
    """Return decisions, newest first.

    Args:
        connection: An open transaction.
        now: The time.
        case_id: Only those of this case.
        account_id: Only those that were taken about this account.
        everything: Also those that ended or were undone; else only what acts or will act.
        limit: How many at most.
    """
    query = select(decisions.c.record)
    if not everything:
        query = query.where(decisions.c.closed_at.is_(None), decisions.c.ends_at > now)
    if case_id is not None:
        query = query.where(decisions.c.case_id == case_id)
    if account_id is not None:
        about = select(decision_accounts.c.decision_id).where(decision_accounts.c.account_id == account_id)
        query = query.where(decisions.c.decision_id.in_(about))
    rows = connection.execute(query.order_by(decisions.c.change.desc()).limit(limit)).scalars()
    return tuple(Decision.model_validate(record) for record in rows)


def decisions_about(
    connection: Connection, accounts: Iterable[str], until_after: datetime
) -> tuple[Decision, ...]:
    """Return every decision, undone or not, about any of the accounts, that ends or would have ended after a time."""
    wanted = sorted(set(accounts))
    found: dict[str, Decision] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = connection.execute(
            select(decisions.c.decision_id, decisions.c.record)
            .join(decision_accounts, decision_accounts.c.decision_id == decisions.c.decision_id)
            .where(
                decision_accounts.c.account_id.in_(wanted[start : start + _CHUNK]),
                decisions.c.ends_at > until_after,
            )
            .distinct()
        )
        for row in rows:
            if row.decision_id not in found:
                found[row.decision_id] = Decision.model_validate(row.record)
    return tuple(found.values())


def indicators_now(
    connection: Connection, now: datetime, *, everything: bool = False, limit: int = 1_000
) -> tuple[Indicator, ...]:
    """Return indicators, newest first; only those that are or will be matched, unless everything is asked for."""
    query = select(indicators.c.record)
    if not everything:
        query = query.where(indicators.c.closed_at.is_(None), indicators.c.valid_until > now)
    rows = connection.execute(query.order_by(indicators.c.change.desc()).limit(limit)).scalars()
    return tuple(Indicator.model_validate(record) for record in rows)


def appeals_now(
    connection: Connection, *, everything: bool = False, limit: int = 1_000
) -> tuple[Appeal, ...]:
    """Return appeals, oldest first; only open ones, unless everything is asked for."""
    query = select(appeals.c.record)
    if not everything:
        query = query.where(appeals.c.outcome == AppealOutcome.OPEN.value)
    rows = connection.execute(query.order_by(appeals.c.opened_at).limit(limit)).scalars()
    return tuple(Appeal.model_validate(record) for record in rows)


def reinstated_since(connection: Connection, accounts: Iterable[str], since: datetime) -> frozenset[str]:
    """Return the accounts that a person reinstated after a time."""
    wanted = sorted(set(accounts))
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        found.update(
            connection.execute(
                select(appeals.c.account_id).where(
                    appeals.c.account_id.in_(wanted[start : start + _CHUNK]),
                    appeals.c.outcome == AppealOutcome.REINSTATED.value,
                    appeals.c.answered_at > since,
                )
            ).scalars()
        )
    return frozenset(found)
