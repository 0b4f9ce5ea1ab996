"""The record as permissions: as detection and `stillwatch scan` take them."""

import json
from datetime import timedelta

from sqlalchemy import Connection

from stillwatch.domain.authorizations import Authorization
from stillwatch.respond.access.authorizations.reading import everything
from stillwatch.respond.access.authorizations.record import RecordedAuthorization


def permissions_on_record(connection: Connection) -> tuple[Authorization, ...]:
    """Return every permission on record, past ones too, by id.

    A revoked permission ends on the day before it was revoked: what was done until then was permitted. The day itself
    is not, because permissions know days only and what is not known is not permitted.

    Args:
        connection: An open transaction.
    """
    found = (_until_revoked(each) for each in everything(connection))
    return tuple(each for each in found if each is not None)


def as_file(connection: Connection) -> str:
    """Return the same as the JSON that `--authorizations` reads."""
    entries = [each.model_dump(mode="json", exclude_none=True) for each in permissions_on_record(connection)]
    return json.dumps({"authorizations": entries}, indent=2) + "\n"


def _until_revoked(each: RecordedAuthorization) -> Authorization | None:
    """Return one permission; None when it was revoked before its first day was over."""
    authorization = each.authorization
    if each.revoked_at is None:
        return authorization
    last = min(authorization.ends_on, each.revoked_at.date() - timedelta(days=1))
    return authorization.model_copy(update={"ends_on": last}) if last >= authorization.starts_on else None
