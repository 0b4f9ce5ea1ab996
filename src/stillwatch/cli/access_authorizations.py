"""`stillwatch access authorizations`: what is permitted to whom, on file and on record."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from stillwatch.cli.database import DEFAULT_PLACE, Place, now_utc, opened, person
from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.domain.authorizations import Authorization
    from stillwatch.respond.access.authorizations.record import RecordedAuthorization, State

    Found = list[tuple[Authorization, State, RecordedAuthorization | None]]

authorizations = App(name="authorizations", help_format="plaintext", default_parameter=Parameter(negative=()))


@authorizations.command
def validate(
    file: Path,
    *,
    accounts: str | None = None,
    as_of: date | None = None,
    format: Literal["pretty", "json"] = "pretty",  # noqa: A002 - the flag is --format everywhere
) -> int:
    """Check a file of authorizations, and say what a person should look at in it.

    Args:
        file: Authorizations (YAML, JSON, JSON lines or CSV).
        accounts: Accounts table; tells which named accounts do not exist.
        as_of: Day (YYYY-MM-DD) on which they are judged. Without it, today in UTC.
        format: pretty for people, json for programs.

    Returns:
        0, also with concerns: they make nothing invalid. A malformed file is an error, 1.
    """
    from stillwatch.detect.logs import read_accounts  # noqa: PLC0415 - loads on demand
    from stillwatch.detect.logs.authorizations import read_authorizations  # noqa: PLC0415
    from stillwatch.respond.access.authorizations.concerns import concerns_about  # noqa: PLC0415
    from stillwatch.respond.access.authorizations.printing import concerns_text  # noqa: PLC0415

    day = as_of or now_utc().date()
    found = read_authorizations(file)
    known = frozenset(read_accounts(accounts).column("account_id").to_pylist()) if accounts else None
    concerns = concerns_about(found, day, known)
    if format == "json":
        print(json.dumps([each._asdict() for each in concerns], indent=2))
    else:
        sys.stdout.write(concerns_text(concerns, found, day))
    return 0


@authorizations.command
def show(
    account: str,
    *,
    file: Path | None = None,
    accounts: str | None = None,
    as_of: date | None = None,
    place: Place = DEFAULT_PLACE,
) -> int:
    """Show every authorization that speaks of an account.

    Args:
        account: The account.
        file: Look into this file of authorizations instead of the node's record.
        accounts: Accounts table; finds what names the account's organization or e-mail domain.
        as_of: Day (YYYY-MM-DD) on which they are judged. Without it, today in UTC.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.access.authorizations.lookup import in_file, in_store, on_row  # noqa: PLC0415 - loads on demand

    row = on_row(account, accounts)
    day = as_of or now_utc().date()
    if file is not None:
        _write(in_file(row, file, day), place.format, f"{file} permits nothing to {account}.")
        return 0
    with opened(place) as store, store.reading() as connection:
        found = in_store(connection, row, day)
    _write(found, place.format, f"Nothing on record permits anything to {account}.")
    return 0


@authorizations.command(name="list")
def list_(*, all: bool = False, place: Place = DEFAULT_PLACE) -> int:  # noqa: A002 - the flag is --all
    """List the authorizations on record.

    Args:
        all: Ended and revoked ones too.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.access.authorizations.reading import everything  # noqa: PLC0415 - loads on demand
    from stillwatch.respond.access.authorizations.record import State  # noqa: PLC0415

    now = now_utc()
    with opened(place) as store, store.reading() as connection:
        found: Found = [(each.authorization, each.state_at(now), each) for each in everything(connection)]
    shown = found if all else [each for each in found if each[1] in {State.PENDING, State.IN_FORCE}]
    _write(shown, place.format, "No authorization is in force or to come.")
    return 0


@authorizations.command
def grant(
    file: Path,
    *,
    only: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    author: str | None = None,
    place: Place = DEFAULT_PLACE,
) -> int:
    """Put authorizations on record, all of them or none.

    Args:
        file: Authorizations (YAML, JSON, JSON lines or CSV), each with approved_by and approved_on.
        only: Only those with these ids.
        author: Who records them; the user of this machine unless given.
        place: Which database, and how to answer.
    """
    from stillwatch.detect.logs.authorizations import read_authorizations  # noqa: PLC0415 - loads on demand
    from stillwatch.respond.access.authorizations.recording import grant as run  # noqa: PLC0415
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415

    every = read_authorizations(file)
    if missing := set(only) - {each.authorization_id for each in every}:
        raise UsageError(f"{file} does not hold {', '.join(sorted(missing))}")
    wanted = [each for each in every if not only or each.authorization_id in only]
    with opened(place, make=True) as store, AuditTrail(store, now_utc).writing(person(author)) as write:
        now = write.now
        found: Found = [
            (each.authorization, each.state_at(now), each) for each in (run(write, one) for one in wanted)
        ]
    _write(found, place.format, f"{file} holds no authorization.")
    return 0


@authorizations.command
def revoke(
    authorization: str, reason: str, *, author: str | None = None, place: Place = DEFAULT_PLACE
) -> int:
    """Take an authorization back, from now on.

    Args:
        authorization: Its id.
        reason: Why, in a sentence that can be read in a year.
        author: Who acts; the user of this machine unless given.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.access.authorizations.recording import revoke as run  # noqa: PLC0415 - loads on demand
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415

    with opened(place) as store, AuditTrail(store, now_utc).writing(person(author)) as write:
        found = run(write, authorization, reason)
        now = write.now
    _write([(found.authorization, found.state_at(now), found)], place.format, "")
    return 0


@authorizations.command
def expire(*, place: Place = DEFAULT_PLACE) -> int:
    """Record the end of authorizations whose last day is over. They permit nothing since then in any case.

    Args:
        place: Which database, and how to answer.
    """
    from stillwatch.respond.access.authorizations.recording import close_ended  # noqa: PLC0415 - loads on demand
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415

    with opened(place) as store, AuditTrail(store, now_utc).writing("system:access") as write:
        closed = close_ended(write)
    if place.format == "json":
        print(json.dumps(closed, indent=2))
    else:
        print("\n".join(f"ended: {each}" for each in closed) or "Nothing has ended since the last time.")
    return 0


@authorizations.command
def export(*, place: Place = DEFAULT_PLACE) -> int:
    """Print the record as a file that `stillwatch scan --authorizations` and the node read.

    Args:
        place: Which database; the output is JSON in any case.
    """
    from stillwatch.respond.access.authorizations.publishing import as_file  # noqa: PLC0415 - loads on demand

    with opened(place) as store, store.reading() as connection:
        sys.stdout.write(as_file(connection))
    return 0


def _write(found: "Found", format: str, nothing: str) -> None:  # noqa: A002 - as the flag
    """Print authorizations."""
    from stillwatch.respond.access.authorizations.printing import written  # noqa: PLC0415 - loads on demand

    sys.stdout.write(written(found, as_json=format == "json", nothing=nothing))
