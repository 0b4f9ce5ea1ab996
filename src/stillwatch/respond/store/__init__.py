"""Where a node keeps its facts: SQLite by default, PostgreSQL by URL.

    store = open_store("sqlite:///stillwatch.db")
    with store.reading() as connection: ...     # one consistent snapshot
    with store.writing() as connection: ...     # one writer at a time, committed durably or not at all

Facts are written through `respond.audit.AuditTrail.writing`, which puts the audit entry into the same transaction;
`Store.writing` alone is for bookkeeping that is no fact (cursors, caches).

Tables: one `*_tables.py` per owner in this folder, on the `metadata` of `metadata.py`, imported by `schema.py`, and a
migration in `migrations/versions/` with the next number. `schema.HEAD` names the newest. A test compares what the
migrations make with what the tables say.
"""

from stillwatch.respond.store.opening import open_store
from stillwatch.respond.store.session import Store

__all__ = ["Store", "open_store"]
