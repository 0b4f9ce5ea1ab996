"""Record, revoke and close authorizations, each with its entry in the audit trail."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update

from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.decisions import is_person
from stillwatch.domain.sensitive import CREDENTIAL
from stillwatch.errors import CaseError, GrantError
from stillwatch.respond.access.authorizations.reading import recorded
from stillwatch.respond.access.authorizations.record import RecordedAuthorization
from stillwatch.respond.audit import Write
from stillwatch.respond.cases.wording import MAX_REASON, digest_of, digest_of_names, linted
from stillwatch.respond.store.authorization_tables import authorization_accounts, authorizations
from stillwatch.respond.store.columns import canonical_json

KIND: Final = "authorization"
"""The kind of object under which the trail keeps authorizations."""

GRANTED: Final = "authorization.granted"
REVOKED: Final = "authorization.revoked"
ENDED: Final = "authorization.ended"

_MAX_ID: Final = 200


def grant(write: Write, authorization: Authorization) -> RecordedAuthorization:
    """Record a permission.

    Args:
        write: The open transaction; its actor is the person who records it.
        authorization: The permission, with who approved it and on which day.

    Returns:
        The record.

    Raises:
        GrantError: nobody stands behind it, the day of the approval is missing or to come, it is over, or its id
            was used before.
    """
    _check(write, authorization)
    found = RecordedAuthorization(authorization=authorization, granted_at=write.now, granted_by=write.actor)
    entry = write.record(GRANTED, KIND, authorization.authorization_id, _facts(authorization))
    row = {
        "authorization_id": authorization.authorization_id,
        "change": entry.sequence,
        "purpose": authorization.purpose.value,
        "organization": authorization.organization,
        "email_domain": authorization.email_domain,
        "starts_on": authorization.starts_on.isoformat(),
        "ends_on": authorization.ends_on.isoformat(),
        "closed_at": None,
        "record": found.model_dump(mode="json"),
    }
    write.connection.execute(insert(authorizations).values(row))
    named = [
        {"authorization_id": authorization.authorization_id, "account_id": each}
        for each in sorted(set(authorization.account_ids))
    ]
    if named:
        write.connection.execute(insert(authorization_accounts), named)
    return found


def revoke(write: Write, authorization_id: str, why: str) -> RecordedAuthorization:
    """Take a permission back, from now on.

    Args:
        write: The open transaction; its actor is the person.
        authorization_id: Which permission.
        why: The reason, in a sentence.

    Raises:
        GrantError: there is no such permission, it is over already, nobody asks or no reason is given.
    """
    if not is_person(write.actor):
        raise GrantError("only a person revokes an authorization", hint="say who you are: person:NAME")
    known = recorded(write.connection, authorization_id)
    if known.revoked_at is not None or known.authorization.ends_on < write.now.date():
        raise GrantError(f"{authorization_id} is over already", hint="there is nothing left to revoke")
    try:
        text = linted(why, "the reason", MAX_REASON)
    except CaseError as error:
        raise GrantError(error.message, hint=error.hint) from error
    changed = {"revoked_at": write.now, "revoked_by": write.actor, "revoked_why": text}
    found = RecordedAuthorization.model_validate({**known.model_dump(), **changed})
    entry = write.record(REVOKED, KIND, authorization_id, {"why": text})
    _close(write, authorization_id, entry.sequence, write.now, found.model_dump(mode="json"))
    return found


def close_ended(write: Write, limit: int = 1_000) -> tuple[str, ...]:
    """Record the end of permissions whose last day is over; return their ids."""
    today = write.now.date().isoformat()
    query = select(authorizations.c.authorization_id, authorizations.c.ends_on)
    ended = query.where(authorizations.c.closed_at.is_(None), authorizations.c.ends_on < today)
    rows = write.connection.execute(ended.order_by(authorizations.c.ends_on).limit(limit)).fetchall()
    for row in rows:
        entry = write.record(ENDED, KIND, row.authorization_id, {"last_day": row.ends_on})
        _close(write, row.authorization_id, entry.sequence, write.now)
    return tuple(row.authorization_id for row in rows)


def _close(
    write: Write, authorization_id: str, sequence: int, when: datetime, record: dict[str, Any] | None = None
) -> None:
    """Mark a permission as done with."""
    values: dict[str, Any] = {"change": sequence, "closed_at": when}
    if record is not None:
        values["record"] = record
    write.connection.execute(
        update(authorizations).where(authorizations.c.authorization_id == authorization_id).values(values)
    )


def _check(write: Write, authorization: Authorization) -> None:
    """Refuse what nobody could account for."""
    name, today = authorization.authorization_id, write.now.date()
    if not is_person(write.actor):
        raise GrantError("only a person records an authorization", hint="say who you are: person:NAME")
    if authorization.approved_on is None:
        raise GrantError(f"{name} does not say when it was approved", hint="add approved_on: YYYY-MM-DD")
    if authorization.approved_on > today:
        raise GrantError(f"{name} is approved in the future, on {authorization.approved_on}")
    if authorization.ends_on < today:
        raise GrantError(
            f"{name} ended on {authorization.ends_on}", hint="record what is or will be in force"
        )
    if len(name) > _MAX_ID:
        raise GrantError(f"the id has {len(name)} characters, at most {_MAX_ID}")
    texts = (
        name,
        authorization.approved_by,
        authorization.organization or "",
        authorization.email_domain or "",
    )
    if any(CREDENTIAL.search(text) for text in (*texts, *authorization.models, *authorization.capabilities)):
        raise GrantError(f"{name} looks as if it held a credential", hint="leave the credential out")
    taken = select(authorizations.c.authorization_id).where(authorizations.c.authorization_id == name)
    if write.connection.execute(taken).first() is not None:
        raise GrantError(f"{name} is on record already", hint="an id is used once: give the new one its own")


def _facts(authorization: Authorization) -> dict[str, Any]:
    """Say for the trail what was permitted. Accounts are counted, and known again by digest."""
    content = authorization.model_dump(mode="json", exclude={"authorization_id", "account_ids"})
    return {
        **{name: value for name, value in content.items() if value not in (None, [])},
        "accounts": len(set(authorization.account_ids)),
        "accounts_digest": digest_of_names(authorization.account_ids),
        "digest": digest_of_authorization(authorization),
    }


def digest_of_authorization(authorization: Authorization) -> str:
    """Return the SHA-256 of everything that is permitted, hexadecimal."""
    return digest_of(canonical_json(authorization.model_dump(mode="json")))
