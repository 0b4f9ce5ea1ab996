"""`stillwatch access`: who owns an organization, who qualifies for a programme, what is authorized."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import App, Parameter

from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.respond.access.ownership.tables import Register

UNKNOWN_CODE: Final = 15
REFUSED_CODE: Final = 16

access = App(
    name="access", help="Check who owns an organization, who qualifies for a programme, what is authorized."
)

access.command(
    "stillwatch.cli.access_programmes:programmes",
    name="programmes",
    help="Check on-ramp programmes, and who qualifies for them.",
)
access.command(
    "stillwatch.cli.access_authorizations:authorizations",
    name="authorizations",
    help="Check, record, revoke and look up authorizations.",
)

Format = Literal["pretty", "json"]


@access.command
def check(
    *organizations: str,
    regions: Path,
    entities: Path | None = None,
    gleif: Path | None = None,
    relationships: Path | None = None,
    exceptions: Path | None = None,
    bods: Annotated[tuple[Path, ...], Parameter(negative=())] = (),
    as_of: date | None = None,
    format: Format = "pretty",  # noqa: A002 - the flag is --format everywhere
    exit_codes: Annotated[bool, Parameter(negative="--no-exit-codes")] = True,
) -> int:
    """Apply the ownership rule to organizations.

    An organization of which unsupported regions hold more than the policy's threshold, directly or through others,
    is refused. What is not known is not clear. Nothing is blocked: what follows is a person's decision.

    Args:
        organizations: LEIs, BODS record ids, or scheme:id of an official register, such as GB-COH:01234567.
        regions: The lab's policy file (YAML): unsupported regions, threshold, and how shares are counted.
        entities: File with more of them: CSV with a column entity_id, or one on each line.
        gleif: GLEIF level 1 golden copy (LEI-CDF): who is who and where.
        relationships: GLEIF level 2 golden copy (RR-CDF): who consolidates whom.
        exceptions: GLEIF level 2 reporting exceptions: why a parent is not named.
        bods: Files of the Beneficial Ownership Data Standard, JSON or JSON lines.
        as_of: Day (YYYY-MM-DD) for which holdings count. Without it, today in UTC.
        format: pretty for people, json for programs.
        exit_codes: Exit with 16 when one is refused, else with 15 when one is unknown.

    Returns:
        0 when all are clear.
    """
    from stillwatch.respond.access.ownership.assessment import Outcome  # noqa: PLC0415 - loads on demand
    from stillwatch.respond.access.ownership.identifiers import read_identifiers  # noqa: PLC0415
    from stillwatch.respond.access.ownership.policy import read_policy  # noqa: PLC0415
    from stillwatch.respond.access.ownership.printing import as_json, as_text  # noqa: PLC0415
    from stillwatch.respond.access.ownership.rule import OwnershipRule  # noqa: PLC0415

    wanted = [*organizations, *(read_identifiers(entities) if entities else ())]
    if not wanted:
        raise UsageError("no organization was named", hint="give one or more LEIs or record ids")
    day = as_of or datetime.now(UTC).date()
    registers = _registers(gleif, relationships, exceptions, bods, day)
    assessments = OwnershipRule(registers, read_policy(regions)).assess(wanted)
    sys.stdout.write(as_json(assessments) if format == "json" else as_text(assessments))
    outcomes = {each.outcome for each in assessments}
    if not exit_codes:
        return 0
    if Outcome.REFUSED in outcomes:
        return REFUSED_CODE
    return UNKNOWN_CODE if Outcome.UNKNOWN in outcomes else 0


def _registers(
    gleif: Path | None,
    relationships: Path | None,
    exceptions: Path | None,
    bods: tuple[Path, ...],
    day: date,
) -> "list[Register]":
    """Open what was given; GLEIF first, because it knows headquarters."""
    from stillwatch.respond.access.ownership.sources.bods import BodsRegister  # noqa: PLC0415 - loads on demand
    from stillwatch.respond.access.ownership.sources.gleif import GleifRegister  # noqa: PLC0415

    registers: list[Register] = []
    if gleif or relationships or exceptions:
        registers.append(
            GleifRegister(level_1=gleif, relationships=relationships, exceptions=exceptions, as_of=day)
        )
    registers += [BodsRegister(path, as_of=day) for path in bods]
    if not registers:
        raise UsageError("no register was given", hint="give --gleif with --relationships, or --bods")
    return registers
