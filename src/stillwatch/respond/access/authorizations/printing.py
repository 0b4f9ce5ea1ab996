"""Authorizations as text for people and as JSON for programs."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from stillwatch.domain.authorizations import Authorization
from stillwatch.respond.access.authorizations.concerns import Concern
from stillwatch.respond.access.authorizations.record import RecordedAuthorization, State, state_on


def authorization_lines(
    authorization: Authorization, state: State, record: RecordedAuthorization | None = None
) -> Iterator[str]:
    """Yield the lines about one permission.

    Args:
        authorization: The permission.
        state: What it is now.
        record: Who recorded and revoked it, where a node keeps it.
    """
    purpose = authorization.purpose.value.replace("_", " ")
    yield f"{state.value}[{purpose}]: {authorization.authorization_id}"
    when = (
        f" on {authorization.approved_on}" if authorization.approved_on else ", on a day that is not stated"
    )
    yield f"  approved by {authorization.approved_by}{when}"
    yield f"  holds {authorization.starts_on} to {authorization.ends_on}, for {_whom(authorization)}"
    volume = (
        "any number of" if authorization.max_requests is None else f"at most {authorization.max_requests:,}"
    )
    models = ", ".join(authorization.models) or "every model"
    capabilities = ", ".join(authorization.capabilities) or "every capability"
    yield f"  covers {models}; {capabilities}; {volume} requests"
    if record is not None:
        yield f"  recorded by {record.granted_by} at {record.granted_at:%Y-%m-%d %H:%M} UTC"
    if record is not None and record.revoked_at is not None:
        yield f"  revoked by {record.revoked_by} at {record.revoked_at:%Y-%m-%d %H:%M} UTC: {record.revoked_why}"


def authorization_json(
    authorization: Authorization, state: State, record: RecordedAuthorization | None = None
) -> dict[str, Any]:
    """Return the same as JSON values."""
    whole = (
        record.model_dump(mode="json") if record else {"authorization": authorization.model_dump(mode="json")}
    )
    return {"state": state.value, **whole}


def written(
    found: Sequence[tuple[Authorization, State, RecordedAuthorization | None]], *, as_json: bool, nothing: str
) -> str:
    """Return permissions as one text.

    Args:
        found: What to write.
        as_json: A JSON array instead of lines.
        nothing: What to say to people when there is none.
    """
    if as_json:
        return json.dumps([authorization_json(*each) for each in found], indent=2) + "\n"
    blocks = ["\n".join(authorization_lines(*each)) for each in found]
    return "\n\n".join(blocks or [nothing]) + "\n"


def concerns_text(found: Sequence[Concern], authorizations: Sequence[Authorization], today: date) -> str:
    """Return concerns as lines, and one summary line."""
    lines = [f"concern[{each.authorization_id}]: {each.sentence}" for each in found]
    holding = sum(state_on(each, today) is State.IN_FORCE for each in authorizations)
    summary = (
        f"{len(authorizations)} authorization(s) are valid, {holding} in force; {len(found)} concern(s)."
    )
    return "\n".join([*lines, summary]) + "\n"


def _whom(authorization: Authorization) -> str:
    """Say for whom."""
    parts = []
    if authorization.account_ids:
        shown = ", ".join(authorization.account_ids[:5])
        more = len(authorization.account_ids) - 5
        parts.append(f"{shown}{f' and {more} more' if more > 0 else ''}")
    if authorization.organization:
        parts.append(f"organization {authorization.organization}")
    if authorization.email_domain:
        parts.append(f"addresses at {authorization.email_domain}")
    return "; ".join(parts)
