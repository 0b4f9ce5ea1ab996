"""The audit trail's table. Only `respond.audit` writes it; the database itself refuses changes and gaps."""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Table, Text

from stillwatch.respond.store.columns import OutsideText
from stillwatch.respond.store.metadata import metadata

audit_entries: Final = Table(
    "audit_entries",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("time_us", BigInteger, nullable=False),
    Column("actor", OutsideText, nullable=False),
    Column("action", String(64), nullable=False),
    Column("object_kind", String(64), nullable=False),
    Column("object_id", OutsideText, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("entry_hash", String(64), nullable=False),
    CheckConstraint("sequence > 0", name="counts_from_one"),
    Index(None, "object_kind", "object_id", "sequence"),
)
"""One row per recorded act, in order and without gaps. `payload` is canonical JSON text, hashed as it stands."""
