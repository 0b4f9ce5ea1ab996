"""`stillwatch decisions playbook | backtest | live | shadow`: rules, tried out before a person lets them act."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App, Parameter

from stillwatch.cli import terminal
from stillwatch.cli.database import now_utc, opened
from stillwatch.cli.decisions import DEFAULT_ACTOR, Actor, duration, written
from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.domain.decisions import Decision
    from stillwatch.domain.findings import ScanReport
    from stillwatch.respond.decisions.backtest import TrueKind
    from stillwatch.respond.decisions.playbook import Playbook

playbook = App(name="playbook", help_format="plaintext", default_parameter=Parameter(negative=()))


@playbook.command
def show(file: Path | None = None, *, format: Literal["yaml", "json"] = "yaml") -> int:  # noqa: A002 - the flag is --format
    """Print a playbook; the commented example that ships with stillwatch unless a file is named.

    Args:
        file: A playbook.
        format: yaml as it is written, json as it is understood.
    """
    from stillwatch.respond.decisions.playbook_files import example_text  # noqa: PLC0415 - loads on demand

    loaded = _loaded(file)
    if format == "json":
        print(loaded.model_dump_json(indent=2, by_alias=True))
    else:
        sys.stdout.write(example_text() if file is None else file.read_text(encoding="utf-8"))
    return 0


@playbook.command
def validate(*files: Path) -> int:
    """Check playbooks; the first that is wrong ends with the line it is wrong on.

    Args:
        files: Playbooks in YAML or TOML.
    """
    if not files:
        raise UsageError("no playbook was named", hint="stillwatch decisions playbook validate FILE...")
    for file in files:
        loaded = _loaded(file)
        steps = sum(len(rule.steps) for rule in loaded.rules)
        print(f"{file}: {loaded.author}, {len(loaded.rules)} rules, {steps} steps")
    return 0


def backtest(
    file: Path,
    *logs: str,
    findings: Path | None = None,
    truth: Path | None = None,
    accounts: str | None = None,
    authorizations: str | None = None,
    replay: str | None = None,
    database: str | None = None,
    seed: int = 0,
    format: Literal["pretty", "json"] = "pretty",  # noqa: A002 - the flag is --format everywhere
) -> int:
    """Show whom a playbook would have hit, before it goes live. Nothing is decided.

    Args:
        file: The playbook.
        logs: Requests to play against it, as for `scan`. They are scanned unless findings are given.
        findings: Output folder of a scan, or its findings.json.
        truth: What accounts really are, for the table by archetype: truth.parquet of a labeled set, or its folder.
        accounts: Accounts table; tells who is on which on-ramp.
        authorizations: Recorded permissions; covered use is never a finding.
        replay: Judge the logs step by step, as 1d, so that decisions begin when each campaign was found.
        database: URL of the node's database, for the overlap with what is in force.
        seed: Draws delays and shares.
        format: pretty for people, json for programs.
    """
    from random import Random  # noqa: PLC0415 - --help does not pay for it

    from stillwatch.respond.decisions.backtest import backtest as run  # noqa: PLC0415
    from stillwatch.respond.decisions.rendering import backtest_text  # noqa: PLC0415

    loaded = _loaded(file)
    if not logs and findings is None:
        raise UsageError(
            "neither logs nor findings were named", hint="stillwatch decisions backtest PLAYBOOK LOGS..."
        )
    report = _read(findings) if findings is not None else _scanned(logs, accounts, authorizations, replay)
    result = run(
        loaded,
        report,
        _batches(logs),
        rng=Random(seed),  # noqa: S311 - a rehearsal needs no cryptographic chance
        programmes=_programmes(accounts),
        truth=_truth(truth),
        in_force=_in_force(database),
    )
    sys.stdout.write(result.model_dump_json(indent=2) + "\n" if format == "json" else backtest_text(result))
    return 0


def live(file: Path | None = None, *, rationale: str, actor: Actor = DEFAULT_ACTOR) -> int:
    """Let a playbook act from now on: exactly this content. What it decided in shadow stays in shadow.

    Args:
        file: The playbook; the one that ships with stillwatch unless named.
        rationale: This provider's own independent reason.
        actor: Who acts, in which database.
    """
    from stillwatch.respond.decisions.switching import turn_playbook_on  # noqa: PLC0415 - --help does not pay for it

    loaded = _loaded(file)
    written(actor, lambda write: turn_playbook_on(write, loaded, rationale))
    terminal.say(
        f"{loaded.author} acts from now on; `stillwatch decisions shadow {loaded.name} --why ...` stops it"
    )
    return 0


def shadow(name: str, *, why: str, actor: Actor = DEFAULT_ACTOR) -> int:
    """Put a playbook, and everything it does, back into shadow at once.

    Args:
        name: The playbook's name.
        why: The reason.
        actor: Who acts, in which database.
    """
    from stillwatch.respond.decisions.switching import turn_playbook_off  # noqa: PLC0415 - --help does not pay for it

    stopped = written(actor, lambda write: turn_playbook_off(write, name, why))
    terminal.say(f"{name} is in shadow; {len(stopped)} decisions no longer act")
    return 0


def _loaded(file: Path | None) -> "Playbook":
    from stillwatch.respond.decisions.playbook_files import example, load  # noqa: PLC0415 - loads on demand

    return example() if file is None else load(file)


def _read(findings: Path) -> "ScanReport":
    from stillwatch.detect.findings.report.json_report import read_report  # noqa: PLC0415 - loads on demand

    return read_report(findings / "findings.json" if findings.is_dir() else findings)


def _scanned(
    logs: tuple[str, ...], accounts: str | None, authorizations: str | None, replay: str | None
) -> "ScanReport":
    from stillwatch.cli.progress import Progress  # noqa: PLC0415 - --help does not pay for the engine
    from stillwatch.detect.logs import RejectedLog  # noqa: PLC0415
    from stillwatch.detect.pipeline import ScanOptions, scan  # noqa: PLC0415

    days = None if replay is None else duration(replay).days
    if days == 0:
        raise UsageError(f"--replay {replay} is less than a day", hint="write --replay 1d")
    options = ScanOptions(logs=logs, accounts=accounts, authorizations=authorizations, replay_days=days)
    with Progress() as progress:
        return scan(options, RejectedLog(), say=progress.say).report


def _batches(logs: tuple[str, ...]) -> Iterator[Any]:
    from stillwatch.detect.logs import RejectedLog, read_requests  # noqa: PLC0415 - --help does not pay for it

    if logs:
        columns = ("request_id", "time", "account_id")
        yield from read_requests(logs, rejected=RejectedLog(), now=now_utc(), columns=columns)


def _programmes(accounts: str | None) -> dict[str, str]:
    from stillwatch.detect.logs import RejectedLog, load_accounts  # noqa: PLC0415 - --help does not pay for it

    if accounts is None:
        return {}
    table = load_accounts(accounts, rejected=RejectedLog()).table
    pairs = zip(table["account_id"].to_pylist(), table["programme"].to_pylist(), strict=True)
    return {account: programme for account, programme in pairs if programme}


def _truth(truth: Path | None) -> "dict[str, TrueKind] | None":
    from stillwatch.respond.decisions.backtest import TrueKind  # noqa: PLC0415 - --help does not pay for it

    if truth is None:
        return None
    from stillwatch.lab.evaluation.truth import load_truth  # noqa: PLC0415

    known = load_truth(truth).accounts
    return {name: TrueKind(account.label, account.archetype) for name, account in known.items()}


def _in_force(database: str | None) -> "tuple[Decision, ...]":
    from stillwatch.cli.database import Place  # noqa: PLC0415
    from stillwatch.respond.decisions.reading import decisions_now  # noqa: PLC0415 - --help does not pay for it

    if database is None:
        return ()
    with opened(Place(database=database)) as store, store.reading() as connection:
        return decisions_now(connection, now_utc(), limit=100_000)
