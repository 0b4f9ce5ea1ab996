"""Decisions, indicators, appeals, and what they did."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_decisions()
    _make_indicators()
    _make_appeals()
    _make_switches()
    _make_effects()


def _make_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(64)),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("entry", sa.Text),
        sa.PrimaryKeyConstraint("decision_id", name="pk_decisions"),
        sa.UniqueConstraint("change", name="uq_decisions_change"),
    )
    op.create_index("ix_decisions_case_id", "decisions", ["case_id"])
    op.create_index("ix_decisions_closed_at_ends_at", "decisions", ["closed_at", "ends_at"])
    op.create_table(
        "decision_accounts",
        sa.Column("decision_id", sa.String(64)),
        sa.Column("account_id", sa.Text),
        sa.PrimaryKeyConstraint("decision_id", "account_id", name="pk_decision_accounts"),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.decision_id"], name="fk_decision_accounts_decision_id"
        ),
    )
    op.create_index("ix_decision_accounts_account_id", "decision_accounts", ["account_id"])


def _make_indicators() -> None:
    op.create_table(
        "indicators",
        sa.Column("indicator_id", sa.String(64)),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("entry", sa.Text),
        sa.PrimaryKeyConstraint("indicator_id", name="pk_indicators"),
        sa.UniqueConstraint("change", name="uq_indicators_change"),
    )
    op.create_index("ix_indicators_kind_value", "indicators", ["kind", "value"])
    op.create_index("ix_indicators_closed_at_valid_until", "indicators", ["closed_at", "valid_until"])


def _make_appeals() -> None:
    op.create_table(
        "appeals",
        sa.Column("appeal_id", sa.String(64)),
        sa.Column("decision_id", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("record", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("appeal_id", name="pk_appeals"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.decision_id"], name="fk_appeals_decision_id"),
    )
    op.create_index("ix_appeals_decision_id", "appeals", ["decision_id"])
    op.create_index("ix_appeals_outcome_opened_at", "appeals", ["outcome", "opened_at"])
    op.create_index("ix_appeals_account_id", "appeals", ["account_id"])


def _make_switches() -> None:
    op.create_table(
        "playbook_switches",
        sa.Column("name", sa.String(80)),
        sa.Column("signature", sa.String(200), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("rationale", sa.Text, nullable=False),
        sa.Column("switched_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_playbook_switches"),
    )


def _make_effects() -> None:
    op.create_table(
        "decision_effects",
        sa.Column("entry_id", sa.String(64)),
        sa.Column("account_id", sa.Text),
        sa.Column("hour", sa.BigInteger),
        sa.Column("matched", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.Column("would_refuse", sa.BigInteger, nullable=False),
        sa.Column("withheld", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "account_id", "hour", name="pk_decision_effects"),
    )
