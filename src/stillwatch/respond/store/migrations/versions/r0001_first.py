"""The audit trail and the tables of cases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the triggers that protect the audit trail."""
    _make_audit_trail()
    _make_cases()
    _make_parts_of_cases()
    _make_labels()
    statements = _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        op.execute(statement)


def _make_audit_trail() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("sequence", sa.BigInteger, autoincrement=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("object_kind", sa.String(64), nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("entry_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_entries"),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_audit_entries_counts_from_one")),
    )
    op.create_index(
        "ix_audit_entries_object_kind_object_id_sequence",
        "audit_entries",
        ["object_kind", "object_id", "sequence"],
    )


def _make_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(32)),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("campaign_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_cases"),
        sa.UniqueConstraint("number", name="uq_cases_number"),
        sa.UniqueConstraint("campaign_id", name="uq_cases_campaign_id"),
        sa.CheckConstraint("version > 0", name=op.f("ck_cases_version_counts_from_one")),
    )
    op.create_index("ix_cases_status", "cases", ["status"])


def _make_parts_of_cases() -> None:
    op.create_table(
        "case_accounts",
        sa.Column("case_id", sa.String(32)),
        sa.Column("account_id", sa.Text),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.Column("left_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("case_id", "account_id", name="pk_case_accounts"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_accounts_case_id"),
    )
    op.create_index("ix_case_accounts_account_id", "case_accounts", ["account_id"])
    op.create_table(
        "case_notes",
        sa.Column("case_id", sa.String(32)),
        sa.Column("number", sa.Integer),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("written_at", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number", name="pk_case_notes"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_notes_case_id"),
    )
    op.create_table(
        "case_snapshots",
        sa.Column("case_id", sa.String(32)),
        sa.Column("digest", sa.String(64)),
        sa.Column("taken_at", sa.BigInteger, nullable=False),
        sa.Column("finding", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "digest", name="pk_case_snapshots"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_snapshots_case_id"),
    )


def _make_labels() -> None:
    op.create_table(
        "case_labels",
        sa.Column("label_id", sa.Integer, autoincrement=False),
        sa.Column("label", sa.String(32), nullable=False),
        sa.Column("whole", sa.Boolean, nullable=False),
        sa.Column("case_id", sa.String(32)),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.PrimaryKeyConstraint("label_id", name="pk_case_labels"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_labels_case_id"),
    )
    op.create_index("ix_case_labels_case_id", "case_labels", ["case_id"])
    op.create_table(
        "case_label_accounts",
        sa.Column("label_id", sa.Integer),
        sa.Column("account_id", sa.Text),
        sa.PrimaryKeyConstraint("label_id", "account_id", name="pk_case_label_accounts"),
        sa.ForeignKeyConstraint(
            ["label_id"], ["case_labels.label_id"], name="fk_case_label_accounts_label_id"
        ),
    )
    op.create_index("ix_case_label_accounts_account_id", "case_label_accounts", ["account_id"])


_SQLITE = (
    """
    CREATE TRIGGER audit_entries_change BEFORE UPDATE ON audit_entries BEGIN
        SELECT RAISE(ABORT, 'the audit trail is append-only');
    END
    """,
    """
    CREATE TRIGGER audit_entries_remove BEFORE DELETE ON audit_entries BEGIN
        SELECT RAISE(ABORT, 'the audit trail is append-only');
    END
    """,
    """
    CREATE TRIGGER audit_entries_append BEFORE INSERT ON audit_entries
    WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit_entries)
        OR NEW.previous_hash <> coalesce(
            (SELECT entry_hash FROM audit_entries WHERE sequence = NEW.sequence - 1), NEW.previous_hash)
    BEGIN
        SELECT RAISE(ABORT, 'an audit entry must continue the trail');
    END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE FUNCTION audit_entries_continue() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        IF NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit_entries)
            OR NEW.previous_hash <> coalesce(
                (SELECT entry_hash FROM audit_entries WHERE sequence = NEW.sequence - 1), NEW.previous_hash)
        THEN
            RAISE EXCEPTION 'an audit entry must continue the trail' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER audit_entries_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse()
    """,
    """
    CREATE TRIGGER audit_entries_continue BEFORE INSERT ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_entries_continue()
    """,
    "ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_refuse",
    "ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_continue",
)
