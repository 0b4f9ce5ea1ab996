"""Tables of cases."""

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from stillwatch.respond.store.columns import JsonText, OutsideText, UtcMicroseconds
from stillwatch.respond.store.metadata import metadata

cases: Final = Table(
    "cases",
    metadata,
    Column("case_id", String(32), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("campaign_id", OutsideText, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("status", String(32), nullable=False, index=True),
    Column("record", JsonText, nullable=False),
    Column("updated_at", UtcMicroseconds, nullable=False),
    CheckConstraint("version > 0", name="version_counts_from_one"),
)
"""One row per case. `record` is `domain.cases.Case`; the other columns are copies of its fields, for searching."""

case_accounts: Final = Table(
    "case_accounts",
    metadata,
    Column("case_id", String(32), ForeignKey("cases.case_id"), primary_key=True),
    Column("account_id", OutsideText, primary_key=True),
    Column("joined_at", UtcMicroseconds, nullable=False),
    Column("left_at", UtcMicroseconds),
    Index(None, "account_id"),
)
"""Which accounts belong to a case, and since when; one that left keeps its row."""

case_notes: Final = Table(
    "case_notes",
    metadata,
    Column("case_id", String(32), ForeignKey("cases.case_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("author", OutsideText, nullable=False),
    Column("written_at", UtcMicroseconds, nullable=False),
    Column("text", OutsideText),
    Column("digest", String(64), nullable=False),
)
"""What people wrote. The audit trail holds the digest only, so that a text can be erased
when the law asks for it; an erased one is null."""

case_snapshots: Final = Table(
    "case_snapshots",
    metadata,
    Column("case_id", String(32), ForeignKey("cases.case_id"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("taken_at", UtcMicroseconds, nullable=False),
    Column("finding", LargeBinary, nullable=False),
)
"""Findings as they were: zlib of their canonical JSON, by its SHA-256."""

case_labels: Final = Table(
    "case_labels",
    metadata,
    Column("label_id", Integer, primary_key=True, autoincrement=False),
    Column("label", String(32), nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("case_id", String(32), ForeignKey("cases.case_id"), index=True),
    Column("author", OutsideText, nullable=False),
    Column("reason", OutsideText, nullable=False),
    Column("since", UtcMicroseconds, nullable=False),
    Column("until", UtcMicroseconds),
)
"""Labels that were given; a withdrawn one has an end. Without a case: what the outcome of an appeal left."""

case_label_accounts: Final = Table(
    "case_label_accounts",
    metadata,
    Column("label_id", Integer, ForeignKey("case_labels.label_id"), primary_key=True),
    Column("account_id", OutsideText, primary_key=True),
    Index(None, "account_id"),
)
"""The accounts that a label names, word for word: who joins a case later is not labeled with it."""
