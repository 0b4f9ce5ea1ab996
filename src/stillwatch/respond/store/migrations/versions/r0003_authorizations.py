"""Recorded authorizations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "authorizations",
        sa.Column("authorization_id", sa.Text),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("organization", sa.Text),
        sa.Column("email_domain", sa.Text),
        sa.Column("starts_on", sa.String(10), nullable=False),
        sa.Column("ends_on", sa.String(10), nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("record", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("authorization_id", name="pk_authorizations"),
        sa.UniqueConstraint("change", name="uq_authorizations_change"),
    )
    op.create_index("ix_authorizations_organization", "authorizations", ["organization"])
    op.create_index("ix_authorizations_email_domain", "authorizations", ["email_domain"])
    op.create_index("ix_authorizations_closed_at_ends_on", "authorizations", ["closed_at", "ends_on"])
    op.create_table(
        "authorization_accounts",
        sa.Column("authorization_id", sa.Text),
        sa.Column("account_id", sa.Text),
        sa.PrimaryKeyConstraint("authorization_id", "account_id", name="pk_authorization_accounts"),
        sa.ForeignKeyConstraint(
            ["authorization_id"],
            ["authorizations.authorization_id"],
            name="fk_authorization_accounts_authorization_id",
        ),
    )
    op.create_index("ix_authorization_accounts_account_id", "authorization_accounts", ["account_id"])
