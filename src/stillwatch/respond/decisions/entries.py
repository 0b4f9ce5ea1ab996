"""From a decision or an indicator to what guards load."""

import re
from typing import Final

from stillwatch.domain.actions import Action, IndicatorKind, Mode
from stillwatch.domain.decisions import Decision, Indicator
from stillwatch.errors import DecisionError
from stillwatch.respond.decisions.changes import Entry, Policy
from stillwatch.respond.decisions.networks import network_key, written
from stillwatch.respond.store.columns import to_microseconds

_TEMPLATE: Final = re.compile(r"^[0-9a-fA-F]{1,16}$")
_SHORTEST_PREFIX: Final = {32: 8, 128: 16}
"""Width of the address to the shortest prefix: anything shorter is no network of anybody."""


def entry_of_decision(decision: Decision) -> Entry | None:
    """Return what guards load of a decision, or None when nothing of it is left to act."""
    bound = decision.bound
    if decision.undone_at is not None or not bound:
        return None
    return Entry(
        entry_id=decision.decision_id,
        kind=IndicatorKind.ACCOUNT,
        values=bound,
        start_us=to_microseconds(decision.starts_at),
        end_us=to_microseconds(decision.ends_at),
        policy=_policy(decision, decision.enforced_share),
    )


def entry_of_indicator(indicator: Indicator) -> Entry | None:
    """Return what guards load of an indicator, or None when it was withdrawn."""
    if indicator.undone_at is not None:
        return None
    return Entry(
        entry_id=indicator.indicator_id,
        kind=indicator.kind,
        values=(indicator.value,),
        start_us=to_microseconds(indicator.valid_from),
        end_us=to_microseconds(indicator.valid_until),
        policy=_policy(indicator, 1.0),
    )


def normal_value(kind: IndicatorKind, value: str) -> str:
    """Return the one way in which a value is written.

    Raises:
        DecisionError: it is no value of this kind, or so wide that it would match everybody.
    """
    text = value.strip()
    if not text:
        raise DecisionError(f"an indicator of kind {kind} needs a value")
    if kind is IndicatorKind.NETWORK:
        return _network(text)
    if kind is IndicatorKind.TEMPLATE:
        return _template(text)
    if kind is IndicatorKind.CLIENT and not all(text.partition(" ")[::2]):
        raise DecisionError(
            "a client is a TLS fingerprint and a user agent",
            hint='write "JA4 USER-AGENT" with a space between them',
        )
    return text


def _network(text: str) -> str:
    key = network_key(text)
    width, length, _ = key
    if length < _SHORTEST_PREFIX[width]:
        raise DecisionError(
            f"{text} is far too wide", hint=f"write a prefix of at least /{_SHORTEST_PREFIX[width]}"
        )
    return written(key)


def _template(text: str) -> str:
    if _TEMPLATE.match(text) is None:
        raise DecisionError(
            f"{text!r} is no template id", hint="write up to 16 hexadecimal digits, as findings do"
        )
    return f"{int(text, 16):016x}"


def _policy(source: Decision | Indicator, share: float) -> Policy:
    throttle = source.throttle
    return Policy(
        action=Action(source.action),
        live=source.mode is Mode.LIVE,
        reason=source.reason,
        withheld=source.withheld,
        tags=source.tags,
        requests_per_min=throttle.requests_per_min if throttle else 0.0,
        burst=throttle.burst if throttle else 0,
        pooled=throttle.pooled if throttle else False,
        share=share,
    )
