"""`stillwatch case`: what a lab's people do with findings."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from stillwatch.cli.database import DEFAULT_HAND, DEFAULT_PLACE, Hand, Place, now_utc, opened, person
from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.domain.cases import Case
    from stillwatch.respond.audit import Write

case = App(name="case", help_format="plaintext", default_parameter=Parameter(negative=()))

Status = Literal["open", "investigating", "awaiting_information"]
Label = Literal["true_campaign", "resale", "benign", "authorized"]
Severity = Literal["low", "medium", "high", "critical"]


@case.command(name="list")
def list_(
    *,
    status: Literal["open", "investigating", "awaiting_information", "closed"] | None = None,
    assignee: str | None = None,
    all: bool = False,  # noqa: A002 - the flag is --all
    place: Place = DEFAULT_PLACE,
) -> int:
    """List the cases that ask for somebody's time, worst first.

    Args:
        status: Only cases at this point of the work.
        assignee: Only cases of this person.
        all: Closed and snoozed ones too.
        place: Which database, and how to answer.
    """
    from stillwatch.domain.cases import CaseStatus  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases.listing import chosen  # noqa: PLC0415
    from stillwatch.respond.cases.terminal import write_list  # noqa: PLC0415

    now = now_utc()
    wanted = CaseStatus(status) if status else None
    who = person(assignee) if assignee else None
    with opened(place) as store, store.reading() as connection:
        shown, hidden = chosen(connection, now, status=wanted, assignee=who, everything=all)
    if place.format == "json":
        _print_json([each.model_dump(mode="json") for each in shown])
    else:
        write_list(shown, hidden, now, sys.stdout)
    return 0


@case.command
def show(name: str, *, snapshot: str | None = None, place: Place = DEFAULT_PLACE) -> int:
    """Show a case: evidence, labels, notes, decisions and everything that was done.

    Args:
        name: The case, as case-7, or its campaign.
        snapshot: Print the finding that was kept under this digest instead, as JSON.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.cases.terminal import write_case  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases.whole import kept_finding, whole_case  # noqa: PLC0415

    with opened(place) as store, store.reading() as connection:
        if snapshot is not None:
            print(kept_finding(connection, name, snapshot))
            return 0
        seen = whole_case(connection, name)
    if place.format == "json":
        _print_json(seen.as_json())
    else:
        write_case(seen, now_utc(), sys.stdout)
    return 0


@case.command(name="open")
def open_(
    findings: Path,
    *,
    campaign: str | None = None,
    severity: Severity = "medium",
    author: str | None = None,
    place: Place = DEFAULT_PLACE,
) -> int:
    """Open cases for the findings of a scan, or bring them up to date.

    Args:
        findings: A scan's output folder, or its findings.json.
        campaign: Only the finding of this campaign, whatever its severity.
        severity: Open new cases from this severity on; known ones are brought up to date in any case.
        author: Who acts; the user of this machine unless given.
        place: Which database, and how to answer.
    """
    from stillwatch.detect.findings.report.json_report import read_report  # noqa: PLC0415 - loads on demand
    from stillwatch.domain.severity import Severity as Level  # noqa: PLC0415
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415
    from stillwatch.respond.cases.evidence import record_findings  # noqa: PLC0415
    from stillwatch.respond.cases.terminal import write_recorded  # noqa: PLC0415

    report = read_report(findings / "findings.json" if findings.is_dir() else findings)
    with opened(place, make=True) as store, AuditTrail(store, now_utc).writing(person(author)) as write:
        recorded = record_findings(write, report.findings, campaign=campaign, at_least=Level(severity))
    if place.format == "json":
        _print_json([{"change": each.change, **each.case.model_dump(mode="json")} for each in recorded])
    else:
        write_recorded(recorded, sys.stdout)
    return 0


@case.command
def assign(name: str, assignee: str, *, hand: Hand = DEFAULT_HAND) -> int:
    """Give a case to a person.

    Args:
        name: The case, as case-7, or its campaign.
        assignee: Who works on it; nobody takes the assignment back.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.respond.cases import assign as run  # noqa: PLC0415 - --help does not pay for it

    who = None if assignee == "nobody" else person(assignee)
    return _change(hand, lambda write: run(write, name, who, version=hand.version))


@case.command
def status(name: str, status: Status, *, hand: Hand = DEFAULT_HAND) -> int:
    """Say where the work on a case stands.

    Args:
        name: The case, as case-7, or its campaign.
        status: The new status.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.domain.cases import CaseStatus  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases import move  # noqa: PLC0415

    return _change(hand, lambda write: move(write, name, CaseStatus(status), version=hand.version))


@case.command
def note(
    name: str, text: str = "", *, erase: int | None = None, reason: str = "", hand: Hand = DEFAULT_HAND
) -> int:
    """Write a note on a case, or erase the text of one.

    Args:
        name: The case, as case-7, or its campaign.
        text: The note.
        erase: Number of a note whose text is to be removed, for instance because it names a person.
        reason: Why it is erased.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.respond.cases import add_note, erase_note  # noqa: PLC0415 - --help does not pay for it

    if erase is not None:
        return _change(hand, lambda write: erase_note(write, name, erase, reason))
    return _change(hand, lambda write: add_note(write, name, text, version=hand.version))


@case.command
def label(
    name: str,
    label: Label,
    *,
    reason: str,
    accounts: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    hand: Hand = DEFAULT_HAND,
) -> int:
    """Say what a case, or some of its accounts, really is.

    Args:
        name: The case, as case-7, or its campaign.
        label: What it is.
        reason: Why.
        accounts: Only these accounts of the case. Without any, all that belong to it now; not those that join later.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.domain.cases import CaseLabel  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases import add_label  # noqa: PLC0415

    chosen = CaseLabel(label)
    return _change(
        hand, lambda write: add_label(write, name, chosen, reason, accounts=accounts, version=hand.version)
    )


@case.command
def unlabel(name: str, label: str, *, reason: str, hand: Hand = DEFAULT_HAND) -> int:
    """Take a label back. That it was given stays in the history.

    Args:
        name: The case, as case-7, or its campaign; none for a label that an appeal left without a case.
        label: The label of the whole case, or the number of any label on it.
        reason: Why.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.domain.cases import CaseLabel  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases import withdraw_label  # noqa: PLC0415

    if not label.isdigit() and label not in set(CaseLabel):
        raise UsageError(f"{label!r} is no label", hint=f"the labels are {', '.join(CaseLabel)}")
    chosen = int(label) if label.isdigit() else CaseLabel(label)
    if name == "none":
        return _withdraw(hand, chosen, reason)
    return _change(hand, lambda write: withdraw_label(write, name, chosen, reason, version=hand.version))


@case.command
def triage(
    name: str,
    verdict: Literal["true_positive", "false_positive", "not_triaged"],
    *,
    because: str | None = None,
    hand: Hand = DEFAULT_HAND,
) -> int:
    """Say whether the finding was right.

    Args:
        name: The case, as case-7, or its campaign.
        verdict: not_triaged takes an earlier answer back.
        because: What a false positive turned out to be: agent_fleet, evaluation, batch_pipeline, shared_tool,
            shared_network, classroom, relay_users, unrecorded_permission, data_error or other.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.domain.cases import FalsePositiveReason, Triage  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases import triage as run  # noqa: PLC0415

    if because is not None and because not in set(FalsePositiveReason):
        raise UsageError(
            f"{because!r} is no reason", hint=f"the reasons are {', '.join(FalsePositiveReason)}"
        )
    reason = FalsePositiveReason(because) if because else None
    return _change(hand, lambda write: run(write, name, Triage(verdict), reason, version=hand.version))


@case.command
def close(name: str, *, reason: str, hand: Hand = DEFAULT_HAND) -> int:
    """Close a case. New evidence opens it again.

    Args:
        name: The case, as case-7, or its campaign.
        reason: Why.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.respond.cases import close as run  # noqa: PLC0415 - --help does not pay for it

    return _change(hand, lambda write: run(write, name, reason, version=hand.version))


@case.command
def reopen(name: str, *, reason: str, hand: Hand = DEFAULT_HAND) -> int:
    """Open a closed case again.

    Args:
        name: The case, as case-7, or its campaign.
        reason: Why.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.respond.cases import reopen as run  # noqa: PLC0415 - --help does not pay for it

    return _change(hand, lambda write: run(write, name, reason, version=hand.version))


@case.command
def snooze(
    name: str,
    *,
    reason: str,
    until: str = "",
    hand: Hand = DEFAULT_HAND,
) -> int:
    """Leave a case alone until a day; who does that answers for it.

    Args:
        name: The case, as case-7, or its campaign.
        reason: Why.
        until: When it ends by itself: a number of days, as 14d, or a day, as 2026-12-31; now ends it at once.
        hand: Who acts, on which version, in which database.
    """
    from stillwatch.respond.cases import snooze as run, wake  # noqa: PLC0415 - --help does not pay for it

    if until == "now":
        return _change(hand, lambda write: wake(write, name, reason, version=hand.version))
    when = _end(until)
    return _change(hand, lambda write: run(write, name, when, reason, version=hand.version))


@case.command
def export(*, labels: Path, place: Place = DEFAULT_PLACE) -> int:
    """Write every label as a table, for training.

    Args:
        labels: Parquet file to write: one row for each account of each label; docs/cases.md has the columns.
        place: Which database, and how to answer.
    """
    from stillwatch.cli import terminal  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases.training import write_labels  # noqa: PLC0415

    with opened(place) as store:
        rows = write_labels(store, labels)
    terminal.say(f"{rows:,} rows in {labels}")
    return 0


@case.command
def stats(*, place: Place = DEFAULT_PLACE) -> int:
    """Show how often each signal and link was wrong, over the findings that people reviewed.

    Args:
        place: Which database, and how to answer.
    """
    from stillwatch.respond.cases.statistics import statistics_of  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases.terminal import write_statistics  # noqa: PLC0415

    with opened(place) as store, store.reading() as connection:
        found = statistics_of(connection)
    if place.format == "json":
        _print_json(found.as_json())
    else:
        write_statistics(found, sys.stdout)
    return 0


def _withdraw(hand: Hand, label: int | str, reason: str) -> int:
    """Take back a label that belongs to no case."""
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases import withdraw_account_label  # noqa: PLC0415

    if not isinstance(label, int):
        raise UsageError(
            "a label without a case is named by its number", hint="`case export` lists the numbers"
        )
    with opened(hand) as store, AuditTrail(store, now_utc).writing(person(hand.author)) as write:
        known = withdraw_account_label(write, label, reason)
    if hand.format == "json":
        _print_json(known.model_dump(mode="json"))
    else:
        print(f"stillwatch: label {label} is withdrawn, of {len(known.accounts):,} accounts")
    return 0


def _change(hand: Hand, act: "Callable[[Write], Case]") -> int:
    """Do one thing to one case and say where it stands."""
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.cases.terminal import write_changed  # noqa: PLC0415

    with opened(hand) as store, AuditTrail(store, now_utc).writing(person(hand.author)) as write:
        changed = act(write)
        entries = tuple(write.entries)
    if hand.format == "json":
        _print_json(changed.model_dump(mode="json"))
    else:
        write_changed(changed, entries, sys.stdout)
    return 0


def _end(text: str) -> datetime:
    """Read when a snooze ends."""
    try:
        if text.endswith("d"):
            return now_utc() + timedelta(days=int(text.removesuffix("d")))
        when = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"--until {text!r} is no time", hint="write --until 14d or --until 2026-12-31"
        ) from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))
