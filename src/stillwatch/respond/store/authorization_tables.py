"""Tables of recorded authorizations."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table

from stillwatch.respond.store.columns import JsonText, OutsideText, UtcMicroseconds
from stillwatch.respond.store.metadata import metadata

authorizations: Final = Table(
    "authorizations",
    metadata,
    Column("authorization_id", OutsideText, primary_key=True),
    Column("change", BigInteger, nullable=False, unique=True),
    Column("purpose", String(32), nullable=False),
    Column("organization", OutsideText, index=True),
    Column("email_domain", OutsideText, index=True),
    Column("starts_on", String(10), nullable=False),
    Column("ends_on", String(10), nullable=False),
    Column("closed_at", UtcMicroseconds),
    Column("record", JsonText, nullable=False),
    Index(None, "closed_at", "ends_on"),
)
"""One row per authorization. `record` is `access.authorizations.record.RecordedAuthorization`; days are ISO 8601, so that
they compare as text; `change` is the audit sequence of its last change; `closed_at` is when it was revoked or its end was
recorded."""

authorization_accounts: Final = Table(
    "authorization_accounts",
    metadata,
    Column("authorization_id", OutsideText, ForeignKey("authorizations.authorization_id"), primary_key=True),
    Column("account_id", OutsideText, primary_key=True),
    Index(None, "account_id"),
)
"""Which accounts an authorization names."""
