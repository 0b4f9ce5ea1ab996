"""Tables of decisions, indicators, appeals, and of what they did."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from stillwatch.respond.store.columns import JsonText, OutsideText, UtcMicroseconds
from stillwatch.respond.store.metadata import metadata

decisions: Final = Table(
    "decisions",
    metadata,
    Column("decision_id", String(64), primary_key=True),
    Column("change", BigInteger, nullable=False, unique=True),
    Column("action", String(16), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("author", OutsideText, nullable=False),
    Column("case_id", OutsideText, index=True),
    Column("starts_at", UtcMicroseconds, nullable=False),
    Column("ends_at", UtcMicroseconds, nullable=False),
    Column("closed_at", UtcMicroseconds),
    Column("record", JsonText, nullable=False),
    Column("entry", Text),
    Index(None, "closed_at", "ends_at"),
)
"""One row per decision. `record` is `domain.decisions.Decision`; `entry` is what guards load, null when nothing is left
to act; `change` is the audit sequence of its last change; `closed_at` is when it was undone or its end was recorded."""

decision_accounts: Final = Table(
    "decision_accounts",
    metadata,
    Column("decision_id", String(64), ForeignKey("decisions.decision_id"), primary_key=True),
    Column("account_id", OutsideText, primary_key=True),
    Index(None, "account_id"),
)
"""Which accounts a decision was taken about."""

indicators: Final = Table(
    "indicators",
    metadata,
    Column("indicator_id", String(64), primary_key=True),
    Column("change", BigInteger, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("value", OutsideText, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("valid_until", UtcMicroseconds, nullable=False),
    Column("closed_at", UtcMicroseconds),
    Column("record", JsonText, nullable=False),
    Column("entry", Text),
    Index(None, "kind", "value"),
    Index(None, "closed_at", "valid_until"),
)
"""One row per indicator; columns as in `decisions`."""

appeals: Final = Table(
    "appeals",
    metadata,
    Column("appeal_id", String(64), primary_key=True),
    Column("decision_id", String(64), ForeignKey("decisions.decision_id"), nullable=False, index=True),
    Column("account_id", OutsideText, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("opened_at", UtcMicroseconds, nullable=False),
    Column("answered_at", UtcMicroseconds),
    Column("record", JsonText, nullable=False),
    Index(None, "outcome", "opened_at"),
    Index(None, "account_id"),
)
"""One row per appeal. `record` is `domain.decisions.Appeal`."""

playbook_switches: Final = Table(
    "playbook_switches",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("signature", String(200), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("author", OutsideText, nullable=False),
    Column("rationale", OutsideText, nullable=False),
    Column("switched_at", UtcMicroseconds, nullable=False),
)
"""Which playbook a person turned on, and exactly which content: `signature` is how its decisions are signed."""

effects: Final = Table(
    "decision_effects",
    metadata,
    Column("entry_id", String(64), primary_key=True),
    Column("account_id", OutsideText, primary_key=True),
    Column("hour", UtcMicroseconds, primary_key=True),
    Column("matched", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("would_refuse", BigInteger, nullable=False),
    Column("withheld", BigInteger, nullable=False),
)
"""Calls that decisions and indicators met, by account and hour, as the guards counted them. Bookkeeping, no fact."""
