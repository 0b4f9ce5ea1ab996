"""Whether the recorded authorizations are what the audit trail says."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from stillwatch.respond.access.authorizations.reading import everything
from stillwatch.respond.access.authorizations.record import RecordedAuthorization
from stillwatch.respond.access.authorizations.recording import (
    ENDED,
    GRANTED,
    KIND,
    REVOKED,
    digest_of_authorization,
)
from stillwatch.respond.audit import AuditEntry
from stillwatch.respond.audit.trail import history_of
from stillwatch.respond.cases.wording import digest_of_names
from stillwatch.respond.store import Store
from stillwatch.respond.store.audit_tables import audit_entries
from stillwatch.respond.store.authorization_tables import authorization_accounts
from stillwatch.respond.store.columns import to_microseconds


def differences(store: Store) -> tuple[str, ...]:
    """Return what differs between the authorizations and their history, in sentences; nothing when all is well.

    The trail itself must hold (`audit.verify`): this compares with it.
    """
    with store.reading() as connection:
        known = {each.authorization.authorization_id: each for each in everything(connection)}
        told = select(audit_entries.c.object_id).where(audit_entries.c.object_kind == KIND).distinct()
        ids = sorted(row.object_id for row in connection.execute(told))
        found = [
            f"{name} is in the trail and not among the authorizations" for name in ids if name not in known
        ]
        for name, each in known.items():
            found.extend(_of_one(connection, name, each, history_of(connection, KIND, name)))
    return tuple(found)


def _of_one(
    connection: Connection, name: str, each: RecordedAuthorization, history: Sequence[AuditEntry]
) -> Iterator[str]:
    """Compare one with what was recorded of it."""
    by_action = {entry.action: entry for entry in history}
    granted, revoked = by_action.get(GRANTED), by_action.get(REVOKED)
    if granted is None:
        yield f"{name} is not in the trail"
        return
    if granted.facts["digest"] != digest_of_authorization(each.authorization):
        yield f"{name} permits something else than what was recorded"
    if (granted.actor, granted.time_us) != (each.granted_by, to_microseconds(each.granted_at)):
        yield f"{name} was not recorded by whom or when it says"
    undone = (
        None if revoked is None else (revoked.actor, revoked.time_us, revoked.facts["why"]),
        None
        if each.revoked_at is None
        else (each.revoked_by, to_microseconds(each.revoked_at), each.revoked_why),
    )
    if undone[0] != undone[1]:
        yield f"{name} was not revoked as it says"
    accounts = select(authorization_accounts.c.account_id).where(
        authorization_accounts.c.authorization_id == name
    )
    names = [row.account_id for row in connection.execute(accounts)]
    if granted.facts["accounts_digest"] != digest_of_names(names):
        yield f"the accounts of {name} are not those that were recorded"
    if unknown := sorted(set(by_action) - {GRANTED, REVOKED, ENDED}):
        yield f"{name} has entries of an unknown kind: {', '.join(unknown)}"
