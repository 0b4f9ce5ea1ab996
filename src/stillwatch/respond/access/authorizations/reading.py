"""Read recorded authorizations."""

from datetime import date

from sqlalchemy import ColumnElement, Connection, or_, select

from stillwatch.domain.authorizations import Authorization
from stillwatch.errors import GrantError
from stillwatch.respond.access.authorizations.record import RecordedAuthorization
from stillwatch.respond.store.authorization_tables import authorization_accounts, authorizations


def recorded(connection: Connection, authorization_id: str) -> RecordedAuthorization:
    """Return one permission.

    Raises:
        GrantError: there is none of this id.
    """
    query = select(authorizations.c.record).where(authorizations.c.authorization_id == authorization_id)
    row = connection.execute(query).first()
    if row is None:
        raise GrantError(
            f"no authorization is called {authorization_id}", hint="stillwatch access authorizations list"
        )
    return RecordedAuthorization.model_validate(row.record)


def everything(connection: Connection) -> tuple[RecordedAuthorization, ...]:
    """Return every permission that was ever recorded, by id."""
    rows = connection.execute(select(authorizations.c.record).order_by(authorizations.c.authorization_id))
    return tuple(RecordedAuthorization.model_validate(row.record) for row in rows)


def in_force(connection: Connection, day: date) -> tuple[Authorization, ...]:
    """Return the permissions that hold on a day, by id, as detection takes them.

    Args:
        connection: An open transaction.
        day: The day (UTC). What has been revoked since does not hold on an earlier day either.
    """
    today = day.isoformat()
    rows = connection.execute(
        select(authorizations.c.record)
        .where(authorizations.c.starts_on <= today, authorizations.c.ends_on >= today)
        .order_by(authorizations.c.authorization_id)
    )
    found = (RecordedAuthorization.model_validate(row.record) for row in rows)
    return tuple(each.authorization for each in found if each.revoked_at is None)


def about_account(
    connection: Connection,
    account_id: str,
    *,
    recorded_as: str | None = None,
    email_domain: str | None = None,
) -> tuple[RecordedAuthorization, ...]:
    """Return every permission that speaks of an account, in force or not, by id.

    Args:
        connection: An open transaction.
        account_id: The account.
        recorded_as: The account table's `authorization`.
        email_domain: The account's e-mail domain.
    """
    by_account = select(authorization_accounts.c.authorization_id).where(
        authorization_accounts.c.account_id == account_id
    )
    organizations = [each for each in ((recorded_as or "").partition(":")[2], email_domain) if each]
    spoken_of: list[ColumnElement[bool]] = [authorizations.c.authorization_id.in_(by_account)]
    if organizations:
        spoken_of.append(authorizations.c.organization.in_(organizations))
    if email_domain:
        spoken_of.append(authorizations.c.email_domain == email_domain)
    if recorded_as:
        spoken_of.append(authorizations.c.authorization_id == recorded_as)
    query = select(authorizations.c.record).where(or_(*spoken_of))
    rows = connection.execute(query.order_by(authorizations.c.authorization_id))
    return tuple(RecordedAuthorization.model_validate(row.record) for row in rows)
