"""The record as a file of authorizations, as detection and `stillwatch scan` take it."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from stillwatch.respond.access.authorizations.reading import everything
from stillwatch.respond.access.authorizations.record import RecordedAuthorization


def as_file(connection: Connection) -> str:
    """Return every permission on record, past ones too, as the JSON that `--authorizations` reads.

    A revoked permission ends on the day before it was revoked: what was done until then was permitted. The day itself
    is not, because a file of permissions knows days only and what is not known is not permitted.

    Args:
        connection: An open transaction.
    """
    entries = [entry for each in everything(connection) if (entry := _entry(each)) is not None]
    return json.dumps({"authorizations": entries}, indent=2) + "\n"


def _entry(each: RecordedAuthorization) -> dict[str, Any] | None:
    """Return one permission; None when it was revoked before its first day was over."""
    authorization = each.authorization
    if each.revoked_at is not None:
        last = min(authorization.ends_on, each.revoked_at.date() - timedelta(days=1))
        if last < authorization.starts_on:
            return None
        authorization = authorization.model_copy(update={"ends_on": last})
    return authorization.model_dump(mode="json", exclude_none=True)
