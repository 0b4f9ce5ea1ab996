"""Keep what the guards counted, and say what decisions did or would have done."""

from collections.abc import Iterable
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from stillwatch.domain.record import Count, Record
from stillwatch.respond.decisions.effects import Effect
from stillwatch.respond.store import Store
from stillwatch.respond.store.columns import from_microseconds
from stillwatch.respond.store.decision_tables import effects

_SUMS = ("matched", "refused", "would_refuse", "withheld")


class EffectReport(Record):
    """What one decision or indicator did, over all guards and hours.

    Attributes:
        entry_id: which.
        accounts: accounts whose calls it met.
        matched: calls it met.
        refused: calls refused.
        would_refuse: calls that would have been refused had it been live.
        withheld: calls answered without something.
    """

    entry_id: str
    accounts: Count = 0
    matched: Count = 0
    refused: Count = 0
    would_refuse: Count = Field(default=0)
    withheld: Count = 0


def keep_effects(store: Store, counted: Iterable[Effect]) -> None:
    """Add counts to those that are there, in one transaction; delivered twice they count twice."""
    rows = [_row(effect) for effect in counted]
    if not rows:
        return
    insert: Any = insert_sqlite if store.kind == "sqlite" else insert_postgresql
    statement = insert(effects)
    statement = statement.on_conflict_do_update(
        index_elements=list(effects.primary_key),
        set_={name: effects.c[name] + statement.excluded[name] for name in _SUMS},
    )
    with store.writing() as connection:
        connection.execute(statement, rows)


def effects_of(connection: Connection, entry_ids: Iterable[str] | None = None) -> tuple[EffectReport, ...]:
    """Return what decisions and indicators did, most calls first.

    Args:
        connection: An open transaction.
        entry_ids: Which ones; None means all that met a call.
    """
    sums = [func.sum(effects.c[name]).label(name) for name in _SUMS]
    accounts = func.count(effects.c.account_id.distinct()).label("accounts")
    query = select(effects.c.entry_id, accounts, *sums).group_by(effects.c.entry_id)
    if entry_ids is not None:
        query = query.where(effects.c.entry_id.in_(sorted(set(entry_ids))))
    rows = connection.execute(query)
    found = [
        EffectReport(**{name: row[name] for name in ("entry_id", "accounts", *_SUMS)})
        for row in rows.mappings()
    ]
    return tuple(sorted(found, key=lambda one: (-one.matched, one.entry_id)))


def _row(effect: Effect) -> dict[str, Any]:
    return {
        "entry_id": effect.entry_id,
        "account_id": effect.account_id,
        "hour": from_microseconds(effect.hour_us),
        "matched": effect.matched,
        "refused": effect.refused,
        "would_refuse": effect.would_refuse,
        "withheld": effect.withheld,
    }
