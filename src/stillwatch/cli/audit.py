"""`stillwatch audit`: show and verify the trail of everything that was done."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from stillwatch.cli import terminal
from stillwatch.cli.database import DEFAULT_PLACE, Place, now_utc, opened

if TYPE_CHECKING:
    from stillwatch.respond.audit import AuditEntry, Verification
    from stillwatch.respond.store import Store

audit = App(name="audit", help_format="plaintext", default_parameter=Parameter(negative=()))

_BATCH = 5_000


@audit.command
def verify(
    *,
    expect: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    facts: Annotated[bool, Parameter(negative="--no-facts")] = True,
    place: Place = DEFAULT_PLACE,
) -> int:
    """Check that the trail was not tampered with, and that cases and authorizations are what it says.

    Without --expect, entries that were cut off at the end cannot be noticed: write heads down elsewhere.

    Args:
        expect: Heads that `stillwatch audit head` printed earlier, as 120:4be0...; the option may be repeated.
        facts: Also replay the history of every case and authorization and compare it with what is stored.
        place: Which database, and how to answer.

    Returns:
        0 when everything holds, else 1.
    """
    from stillwatch.respond.audit import Head, verify as run  # noqa: PLC0415 - --help does not pay for it

    heads = [Head.parse(text) for text in expect]
    with opened(place) as store:
        verified = run(store, heads)
        wrong = _differences(store) if facts and not verified.tampered else ()
    if place.format == "json":
        print(json.dumps(_as_json(verified, wrong), indent=2))
    else:
        _say(verified, wrong)
    return 0 if verified.holds and not wrong else 1


@audit.command
def head(*, place: Place = DEFAULT_PLACE) -> int:
    """Print the last entry's number and hash, to be kept where nobody with access to the database can change it.

    Args:
        place: Which database, and how to answer.
    """
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415

    with opened(place) as store:
        last = AuditTrail(store, now_utc).head()
    if place.format == "json":
        print(json.dumps({"sequence": last.sequence, "entry_hash": last.entry_hash}))
    else:
        print(last)
    return 0


@audit.command
def show(*, since: int = 0, kind: str = "", limit: int = 0, place: Place = DEFAULT_PLACE) -> int:
    """Print entries of the trail, in order; --format json prints one per line.

    Args:
        since: Only entries after this number.
        kind: Only entries about this kind of thing, as case or decision.
        limit: At most so many; 0 for all.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.audit.trail import entries_of  # noqa: PLC0415 - --help does not pay for it

    kinds, left = (kind,) if kind else (), limit or sys.maxsize
    with opened(place) as store, store.reading() as connection:
        while batch := entries_of(connection, after=since, kinds=kinds, limit=min(left, _BATCH)):
            for entry in batch:
                print(_line(entry) if place.format == "pretty" else json.dumps(entry.as_json()))
            since, left = batch[-1].sequence, left - len(batch)
            if left <= 0:
                break
    return 0


def _differences(store: "Store") -> tuple[str, ...]:
    """Compare everything of which the trail tells with what it tells."""
    from stillwatch.respond.access.authorizations.verifying import (  # noqa: PLC0415 - --help does not pay for it
        differences as of_authorizations,
    )
    from stillwatch.respond.cases.verifying import differences as of_cases  # noqa: PLC0415

    return (*of_cases(store), *of_authorizations(store))


def _say(verified: "Verification", wrong: tuple[str, ...]) -> None:
    """Print what does not hold, each on a line, and one line that sums up."""
    for found in verified.breaks:
        print(f"error[{found.kind}]: {found.sentence}")
    for sentence in wrong:
        print(f"error[fact]: {sentence}")
    count = len(verified.breaks) + len(wrong)
    result = "everything holds" if count == 0 else f"{count:,} things do not hold"
    print(f"stillwatch: {verified.entries:,} entries read, {result}; head {verified.head}")
    if count:
        terminal.say("help: keep the database as it is; docs/cases.md says what each break means")


def _as_json(verified: "Verification", wrong: tuple[str, ...]) -> dict[str, object]:
    return {
        "holds": verified.holds and not wrong,
        "entries": verified.entries,
        "head": str(verified.head),
        "breaks": [
            {"kind": found.kind, "sequence": found.sequence, "sentence": found.sentence}
            for found in verified.breaks
        ],
        "facts": list(wrong),
    }


def _line(entry: "AuditEntry") -> str:
    """Return one entry on one line, safe to look at."""
    from stillwatch.detect.findings.report.inert import inert  # noqa: PLC0415 - --help does not pay for it

    what = f"{entry.action} {entry.object_id} {entry.payload}"
    return f"{entry.sequence:>6}  {entry.time:%Y-%m-%d %H:%M:%S} UTC  {inert(entry.actor)}  {inert(what)}"
