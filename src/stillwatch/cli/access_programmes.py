"""`stillwatch access programmes`: on-ramps, and who qualifies for them."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from stillwatch.cli import terminal
from stillwatch.cli.access import REFUSED_CODE, UNKNOWN_CODE

programmes = App(name="programmes", help_format="plaintext", default_parameter=Parameter(negative=()))

Format = Literal["pretty", "json"]


@programmes.command(name="validate")
def validate_programmes(file: Path, *, playbook: Path | None = None) -> int:
    """Check a file of programmes and the playbooks that it names.

    Args:
        file: Programmes (YAML).
        playbook: Everybody's playbook; tells where a programme's own is milder.

    Returns:
        0, or 1 when a programme's own playbook is milder somewhere.
    """
    from stillwatch.respond.access.programmes.reading import read_programmes  # noqa: PLC0415 - loads on demand
    from stillwatch.respond.access.programmes.strictness import milder_steps  # noqa: PLC0415
    from stillwatch.respond.decisions.playbook_files import load  # noqa: PLC0415

    found = read_programmes(file)
    milder = 0
    if playbook is not None:
        standard = load(playbook)
        for name, own in found.playbooks.items():
            for sentence in milder_steps(own, standard, name):
                print(f"milder[{name}]: {sentence}")
                milder += 1
    print(f"{len(found.by_name)} programme(s) are valid" + (f"; {milder} milder step(s)" if milder else ""))
    return 1 if milder else 0


@programmes.command
def evaluate(
    file: Path,
    *,
    accounts: str,
    entities: Path | None = None,
    ownership: Path | None = None,
    requests: Path | None = None,
    as_of: datetime | None = None,
    format: Format = "pretty",  # noqa: A002 - the flag is --format everywhere
    exit_codes: Annotated[bool, Parameter(negative="--no-exit-codes")] = True,
) -> int:
    """Say which accounts keep their place on a programme, and why others do not.

    What is not known asks for verification. Nothing is changed: what follows is a person's decision.

    Args:
        file: Programmes (YAML).
        accounts: Accounts table (Parquet, JSON lines or CSV).
        entities: CSV with account_id,entity_id: whose organization is which.
        ownership: What `stillwatch access check --format json` printed about these organizations.
        requests: CSV with account_id,requests: how many requests each account made in its term.
        as_of: Time (YYYY-MM-DD) at which places are judged. Without it, now.
        format: pretty for people, json for programs.
        exit_codes: Exit with 16 when a place is refused or has lapsed, else with 15 when one needs verification.

    Returns:
        0 when all are eligible.
    """
    from stillwatch.detect.logs import read_accounts  # noqa: PLC0415 - loads on demand
    from stillwatch.respond.access.programmes.eligibility import Status  # noqa: PLC0415
    from stillwatch.respond.access.programmes.evaluating import evaluate_all  # noqa: PLC0415
    from stillwatch.respond.access.programmes.evidence import read_evidence  # noqa: PLC0415
    from stillwatch.respond.access.programmes.printing import as_json, as_text  # noqa: PLC0415
    from stillwatch.respond.access.programmes.reading import read_programmes  # noqa: PLC0415

    evidence = read_evidence(entities=entities, ownership=ownership, requests=requests)
    now = (
        datetime.now(UTC)
        if as_of is None
        else as_of.astimezone(UTC)
        if as_of.tzinfo
        else as_of.replace(tzinfo=UTC)
    )
    found, undescribed = evaluate_all(read_accounts(accounts), read_programmes(file), evidence, now)
    for name, count in undescribed.items():
        terminal.say(f"{count:,} account(s) are on {name}, which the file does not describe")
    sys.stdout.write(as_json(found) if format == "json" else as_text(found))
    statuses = {each.status for each in found}
    if not exit_codes:
        return 0
    if statuses & {Status.REFUSED, Status.LAPSED}:
        return REFUSED_CODE
    return UNKNOWN_CODE if Status.NEEDS_VERIFICATION in statuses else 0
