"""Every table of the store, and the newest revision of the schema.

A new owner of tables adds `from stillwatch.respond.store import their_tables` here and a migration.
"""

from typing import Final

from stillwatch.respond.store import audit_tables, authorization_tables, case_tables, decision_tables
from stillwatch.respond.store.metadata import metadata

__all__ = ["HEAD", "audit_tables", "authorization_tables", "case_tables", "decision_tables", "metadata"]

HEAD: Final = "0003"
"""The newest migration in `migrations/versions`; a test compares them. Known here so that opening a store that is up
to date does not load Alembic."""
