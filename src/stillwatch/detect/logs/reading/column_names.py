"""Own names of canonical columns, as a user writes them on the command line."""

from collections.abc import Iterable

from stillwatch.domain.requests import REQUESTS
from stillwatch.errors import UsageError


def columns_map_of(pairs: Iterable[str]) -> dict[str, str]:
    """Read `account_id=org_id,time=created_at`.

    Args:
        pairs: Texts of one or more pairs; the canonical name stands first, and commas separate pairs.

    Returns:
        Own name by canonical name. In JSON formats an own name may be a dotted path.

    Raises:
        UsageError: A pair has no two names, or its first name is no canonical column, or stands twice.
    """
    found: dict[str, str] = {}
    for pair in (part for text in pairs for part in text.split(",") if part.strip()):
        name, sign, own = (part.strip() for part in pair.partition("="))
        if not (name and sign and own):
            raise UsageError(f"--columns: {pair.strip()!r} is no pair", hint="write canonical_name=own_name")
        if name not in REQUESTS.names:
            raise UsageError(
                f"--columns: {name!r} is no canonical column",
                hint=f"canonical columns: {', '.join(REQUESTS.names)}",
            )
        if name in found:
            raise UsageError(f"--columns: {name} is named twice", hint="name each column once")
        found[name] = own
    return found
