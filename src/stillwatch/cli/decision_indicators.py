"""`stillwatch decisions indicators`: what calls are recognized by, own and received."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from stillwatch.cli.database import DEFAULT_PLACE, Place, now_utc, opened
from stillwatch.cli.decisions import (
    DEFAULT_ACTOR,
    DEFAULT_BUCKET,
    ActionName,
    Actor,
    Bucket,
    LabelName,
    WithheldName,
    bucket_from,
    duration,
    show_record,
    show_records,
    written,
)
from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.domain.decisions import Indicator
    from stillwatch.respond.audit import Write

indicators = App(name="indicators", help_format="plaintext", default_parameter=Parameter(negative=()))

KindName = Literal["account", "client", "network", "payment", "email", "template"]


@indicators.command(name="list")
def list_(*, all: bool = False, place: Place = DEFAULT_PLACE) -> int:  # noqa: A002 - the flag is --all
    """List indicators that are or will be matched, newest first.

    Args:
        all: Also what ended or was withdrawn.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.decisions.reading import indicators_now  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.decisions.rendering import indicator_table  # noqa: PLC0415

    now = now_utc()
    with opened(place) as store, store.reading() as connection:
        found = indicators_now(connection, now, everything=all)
    show_records(place, found, lambda: indicator_table(found, now))
    return 0


@indicators.command
def add(
    kind: KindName,
    value: str,
    *,
    reason: str,
    lasts: Annotated[str, Parameter(name="--for")],
    received: bool = False,
    label: LabelName | None = None,
    evidence: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    actor: Actor = DEFAULT_ACTOR,
) -> int:
    """Record an indicator. It observes until a person turns it on.

    Args:
        kind: What the value is.
        value: An account, "JA4 USER-AGENT", a network, a pseudonym, or a template id.
        reason: Why, in a sentence.
        lasts: How long it is valid: 12h, 30d.
        received: Another lab sent it.
        label: What the demand is called.
        evidence: Ids of what it rests on.
        actor: Who acts, in which database.
    """
    fields: dict[str, object] = {
        "kind": kind,
        "value": value,
        "reason": reason,
        "origin": "received" if received else "own",
        "label": label,
        "evidence": evidence,
    }
    length = duration(lasts)
    return _change(actor, lambda write: _record(write, fields, length.total_seconds()))


@indicators.command
def on(
    indicator_id: str,
    action: ActionName,
    *,
    rationale: str,
    live: bool = False,
    withhold: Annotated[tuple[WithheldName, ...], Parameter(negative=())] = (),
    tag: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    bucket: Bucket = DEFAULT_BUCKET,
    actor: Actor = DEFAULT_ACTOR,
) -> int:
    """Say what happens to calls that match; in shadow unless it is said to be live.

    Args:
        indicator_id: Which one.
        action: What happens to calls.
        rationale: This provider's own independent reason: that others recorded it is none.
        live: Let it act at once.
        withhold: What answers are given without, for withhold.
        tag: What calls are marked with, for tag.
        bucket: The token bucket, for throttle.
        actor: Who acts, in which database.
    """
    from stillwatch.domain.actions import Action, Mode, Withheld  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.decisions.indicating import turn_indicator_on  # noqa: PLC0415

    throttle = bucket_from(bucket)
    return _change(
        actor,
        lambda write: turn_indicator_on(
            write,
            indicator_id,
            Action(action),
            rationale,
            mode=Mode.LIVE if live else Mode.SHADOW,
            throttle=throttle,
            withheld=tuple(Withheld(part) for part in withhold),
            tags=tag,
        ),
    )


@indicators.command
def withdraw(indicator_id: str, *, why: str, actor: Actor = DEFAULT_ACTOR) -> int:
    """Stop matching an indicator.

    Args:
        indicator_id: Which one.
        why: The reason.
        actor: Who acts, in which database.
    """
    from stillwatch.respond.decisions.indicating import withdraw_indicator  # noqa: PLC0415 - loads on demand

    return _change(actor, lambda write: withdraw_indicator(write, indicator_id, why))


def _record(write: "Write", fields: dict[str, object], lasts_s: float) -> "Indicator":
    from datetime import timedelta  # noqa: PLC0415 - --help does not pay for it
    from random import SystemRandom  # noqa: PLC0415

    from pydantic import ValidationError  # noqa: PLC0415

    from stillwatch.domain.decisions import Indicator  # noqa: PLC0415
    from stillwatch.respond.decisions.indicating import record_indicator  # noqa: PLC0415
    from stillwatch.respond.decisions.planning import new_id  # noqa: PLC0415
    from stillwatch.respond.decisions.taking import sentence  # noqa: PLC0415

    own = {
        "indicator_id": new_id("indicator", SystemRandom()),
        "author": write.actor,
        "valid_from": write.now,
        "valid_until": write.now + timedelta(seconds=lasts_s),
    }
    try:
        return record_indicator(write, Indicator.model_validate({**fields, **own}))
    except ValidationError as error:
        raise UsageError(sentence(error), hint="run `stillwatch decisions indicators add --help`") from error


def _change(actor: Actor, run: "Callable[[Write], Indicator]") -> int:
    from stillwatch.respond.decisions.rendering import indicator_table  # noqa: PLC0415 - --help does not pay for it

    found = written(actor, run)
    show_record(actor, found, lambda: indicator_table((found,), now_utc()))
    return 0
