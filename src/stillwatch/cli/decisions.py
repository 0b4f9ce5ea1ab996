"""`stillwatch decisions`: what this provider does about campaigns, on the record and reversibly."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

from cyclopts import App, Parameter

from stillwatch.cli.database import DEFAULT_PLACE, Place, now_utc, opened, person
from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.domain.decisions import Decision, Throttle
    from stillwatch.domain.record import Record
    from stillwatch.respond.audit import Write

decisions = App(name="decisions", help_format="plaintext", default_parameter=Parameter(negative=()))
decisions.command(
    "stillwatch.cli.decision_playbooks:playbook", name="playbook", help="Show or check playbooks."
)
decisions.command(
    "stillwatch.cli.decision_playbooks:backtest",
    name="backtest",
    help="Show whom a playbook would have hit, before it goes live.",
)
decisions.command(
    "stillwatch.cli.decision_playbooks:live", name="live", help="Let a playbook act from now on."
)
decisions.command(
    "stillwatch.cli.decision_playbooks:shadow",
    name="shadow",
    help="Put a playbook, and everything it does, back into shadow.",
)
decisions.command("stillwatch.cli.decision_appeals:appeals", name="appeals", help="Open and answer appeals.")
decisions.command(
    "stillwatch.cli.decision_indicators:indicators", name="indicators", help="What calls are recognized by."
)

ActionName = Literal["observe", "tag", "verify", "throttle", "withhold", "block"]
WithheldName = Literal["reasoning", "logprobs", "choices"]
LabelName = Literal["distillation", "resale"]


@Parameter(name="*")
@dataclass(frozen=True)
class Actor(Place):
    """Who acts, in which database."""

    author: str | None = None
    """Who acts; the user of this machine unless given."""


@Parameter(name="*")
@dataclass(frozen=True)
class Bucket:
    """The token bucket of a throttle."""

    rate: float | None = None
    """Requests a minute, for throttle."""

    burst: int | None = None
    """Requests at once, for throttle."""

    pooled: bool = False
    """One bucket for all accounts together, for throttle."""


R = TypeVar("R")
DEFAULT_ACTOR: Final = Actor()
DEFAULT_BUCKET: Final = Bucket()


@decisions.command(name="list")
def list_(
    *,
    case: str | None = None,
    account: str | None = None,
    all: bool = False,  # noqa: A002 - the flag is --all
    place: Place = DEFAULT_PLACE,
) -> int:
    """List what is in force or will be, newest first.

    Args:
        case: Only decisions of this case.
        account: Only decisions about this account: what support looks at when a customer asks.
        all: Also what ended or was undone.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.decisions.reading import decisions_now  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.decisions.rendering import decision_table  # noqa: PLC0415

    now = now_utc()
    with opened(place) as store, store.reading() as connection:
        found = decisions_now(connection, now, case_id=case, account_id=account, everything=all)
    show_records(place, found, lambda: decision_table(found, now))
    return 0


@decisions.command
def show(decision_id: str, *, place: Place = DEFAULT_PLACE) -> int:
    """Show a decision.

    Args:
        decision_id: Which one.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.decisions.reading import decision_of  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.decisions.rendering import decision_text  # noqa: PLC0415

    with opened(place) as store, store.reading() as connection:
        found = decision_of(connection, decision_id)
    show_record(place, found, lambda: decision_text(found, now_utc()))
    return 0


@decisions.command
def report(*, place: Place = DEFAULT_PLACE) -> int:
    """Say what decisions and indicators did, or in shadow would have done.

    Args:
        place: Which database, and how to answer.
    """
    from stillwatch.respond.decisions.rendering import effect_table  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.decisions.reporting import effects_of  # noqa: PLC0415

    with opened(place) as store, store.reading() as connection:
        found = effects_of(connection)
    show_records(place, found, lambda: effect_table(found))
    return 0


@decisions.command
def take(
    action: ActionName,
    *accounts: str,
    reason: str,
    lasts: Annotated[str, Parameter(name="--for")],
    evidence: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    case: str | None = None,
    label: LabelName | None = None,
    live: bool = False,
    rationale: str = "",
    withhold: Annotated[tuple[WithheldName, ...], Parameter(negative=())] = (),
    tag: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    bucket: Bucket = DEFAULT_BUCKET,
    actor: Actor = DEFAULT_ACTOR,
) -> int:
    """Take a decision about accounts; in shadow unless it is said to be live.

    Args:
        action: What happens to their calls.
        accounts: The accounts. Without any, those of the case.
        reason: Why, in a sentence that a person can be shown.
        lasts: How long: 30m, 12h, 7d.
        evidence: Ids of what it rests on.
        case: The case it belongs to.
        label: What the demand is called. Resale alone is never blocked.
        live: Let it act at once; needs --rationale for throttle, withhold and block.
        rationale: This provider's own independent reason.
        withhold: What answers are given without, for withhold.
        tag: What calls are marked with, for tag.
        bucket: The token bucket, for throttle.
        actor: Who acts, in which database.
    """
    fields: dict[str, object] = {
        "action": action,
        "reason": reason,
        "evidence": evidence or ((case,) if case else ()),
        "case_id": case,
        "label": label,
        "mode": "live" if live else "shadow",
        "rationale": rationale,
        "throttle": bucket_from(bucket),
        "withheld": withhold,
        "tags": tag,
    }
    length = duration(lasts)
    return change(actor, lambda write: _take(write, fields, accounts, length))


@decisions.command
def undo(decision_id: str, *, why: str, actor: Actor = DEFAULT_ACTOR) -> int:
    """Undo a decision: everybody goes free at once.

    Args:
        decision_id: Which one.
        why: The reason.
        actor: Who acts, in which database.
    """
    from stillwatch.respond.decisions import taking  # noqa: PLC0415 - --help does not pay for it

    return change(actor, lambda write: taking.undo(write, decision_id, why))


@decisions.command
def extend(
    decision_id: str,
    *,
    lasts: Annotated[str, Parameter(name="--for")],
    why: str,
    actor: Actor = DEFAULT_ACTOR,
) -> int:
    """Move the end of a decision.

    Args:
        decision_id: Which one.
        lasts: How long from now: 30m, 12h, 7d.
        why: The reason.
        actor: Who acts, in which database.
    """
    from stillwatch.respond.decisions import taking  # noqa: PLC0415 - --help does not pay for it

    length = duration(lasts)
    return change(actor, lambda write: taking.extend(write, decision_id, write.now + length, why))


@decisions.command
def release(decision_id: str, account: str, *, why: str, actor: Actor = DEFAULT_ACTOR) -> int:
    """Let one account go; the decision stays for the others.

    Args:
        decision_id: Which decision.
        account: Which account.
        why: The reason.
        actor: Who acts, in which database.
    """
    from stillwatch.respond.decisions import taking  # noqa: PLC0415 - --help does not pay for it

    return change(actor, lambda write: taking.release(write, decision_id, account, why))


@decisions.command
def on(decision_id: str, *, rationale: str, actor: Actor = DEFAULT_ACTOR) -> int:
    """Make a decision in shadow act.

    Args:
        decision_id: Which one.
        rationale: This provider's own independent reason.
        actor: Who acts, in which database.
    """
    from stillwatch.respond.decisions import taking  # noqa: PLC0415 - --help does not pay for it

    return change(actor, lambda write: taking.turn_on(write, decision_id, rationale))


@decisions.command
def off(decision_id: str, *, why: str, actor: Actor = DEFAULT_ACTOR) -> int:
    """Put a live decision back into shadow.

    Args:
        decision_id: Which one.
        why: The reason.
        actor: Who acts, in which database.
    """
    from stillwatch.respond.decisions import taking  # noqa: PLC0415 - --help does not pay for it

    return change(actor, lambda write: taking.turn_off(write, decision_id, why))


def change(actor: Actor, run: "Callable[[Write], Decision]") -> int:
    """Change a decision and show it as it is then."""
    from stillwatch.respond.decisions.rendering import decision_text  # noqa: PLC0415 - --help does not pay for it

    found = written(actor, run)
    show_record(actor, found, lambda: decision_text(found, now_utc()))
    return 0


def written(actor: Actor, run: "Callable[[Write], R]") -> R:
    """Run one change in a transaction of its own."""
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415 - --help does not pay for it

    with opened(actor, make=True) as store, AuditTrail(store, now_utc).writing(person(actor.author)) as write:
        return run(write)


def duration(text: str) -> timedelta:
    """Read 30m, 12h or 7d."""
    from stillwatch.respond.decisions.playbook import read_duration  # noqa: PLC0415 - --help does not pay for it

    try:
        found = read_duration(text)
    except ValueError as error:
        raise UsageError(str(error), hint="write --for 7d") from error
    return found if isinstance(found, timedelta) else timedelta(0)


def bucket_from(bucket: Bucket) -> "Throttle | None":
    """Return the token bucket that the flags describe."""
    from pydantic import ValidationError  # noqa: PLC0415 - --help does not pay for it

    from stillwatch.domain.decisions import Throttle  # noqa: PLC0415

    if bucket.rate is None and bucket.burst is None:
        return None
    if bucket.rate is None or bucket.burst is None:
        raise UsageError("a throttle needs both --rate and --burst", hint="write --rate 60 --burst 120")
    try:
        return Throttle(requests_per_min=bucket.rate, burst=bucket.burst, pooled=bucket.pooled)
    except ValidationError as error:
        raise UsageError("--rate and --burst are above 0", hint="write --rate 60 --burst 120") from error


def show_record(place: Place, record: "Record", text: Callable[[], str]) -> None:
    """Print one record as the user asked."""
    sys.stdout.write(record.model_dump_json(indent=2) + "\n" if place.format == "json" else text())


def show_records(place: Place, records: "tuple[Record, ...]", text: Callable[[], str]) -> None:
    """Print records as the user asked."""
    import json  # noqa: PLC0415 - --help does not pay for it

    if place.format == "json":
        print(json.dumps([record.model_dump(mode="json") for record in records], indent=2))
    else:
        sys.stdout.write(text())


def _take(
    write: "Write", fields: dict[str, object], accounts: tuple[str, ...], length: timedelta
) -> "Decision":
    from random import SystemRandom  # noqa: PLC0415 - --help does not pay for it

    from pydantic import ValidationError  # noqa: PLC0415

    from stillwatch.domain.decisions import Decision  # noqa: PLC0415
    from stillwatch.respond.cases import accounts_of, find  # noqa: PLC0415
    from stillwatch.respond.decisions import taking  # noqa: PLC0415
    from stillwatch.respond.decisions.planning import new_id  # noqa: PLC0415

    name, now = str(fields["case_id"] or ""), write.now
    case = find(write.connection, name) if name else None
    if case is not None:
        fields = {**fields, "case_id": case.case_id}
        accounts = accounts or accounts_of(write.connection, case.case_id)
    if not accounts:
        raise UsageError("no accounts were named", hint="name accounts, or a case with --case")
    times: dict[str, datetime] = {"decided_at": now, "starts_at": now, "ends_at": now + length}
    identity = {
        "decision_id": new_id("decision", SystemRandom()),
        "author": write.actor,
        "accounts": accounts,
    }
    try:
        return taking.take(write, Decision.model_validate({**fields, **times, **identity}))
    except ValidationError as error:
        raise UsageError(taking.sentence(error), hint="run `stillwatch decisions take --help`") from error
