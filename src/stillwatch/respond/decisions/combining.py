"""From everything that matches one call to one verdict."""

from collections.abc import Sequence
from typing import Final

from stillwatch.domain.actions import Action, Mode, Withheld
from stillwatch.domain.calls import Verdict
from stillwatch.respond.decisions.buckets import BucketKey, TokenBuckets
from stillwatch.respond.decisions.slots import Slot

NOTHING: Final = Verdict()
"""What is answered for nearly every call."""


def verdict_of(
    live: Sequence[Slot], shadow: Sequence[Slot], account_id: str, now_us: int, buckets: TokenBuckets
) -> Verdict:
    """Combine what matches.

    A refusal by any entry refuses the call; what several entries withhold is withheld together; a token is taken from
    every bucket or from none.

    Args:
        live: What acts on this call.
        shadow: What only records.
        account_id: Whose call it is.
        now_us: UTC microseconds.
        buckets: The token buckets; tokens are taken here.
    """
    if not live and not shadow:
        return NOTHING
    strongest = _strongest(live)
    blocked = strongest is not None and strongest.policy.action is Action.BLOCK
    wait_s = 0.0 if blocked else _take_all(live, account_id, now_us, buckets)
    refused = blocked or wait_s > 0.0
    would = _strongest(shadow)
    shown = strongest or would
    return Verdict(
        action=strongest.policy.action if strongest is not None else Action.OBSERVE,
        mode=Mode.LIVE if live else Mode.SHADOW,
        would=would.policy.action if would is not None else Action.OBSERVE,
        would_refuse=_would_refuse(shadow, account_id, now_us, buckets, counts=not refused),
        decision_id=strongest.entry_id if strongest is not None else None,
        would_id=would.entry_id if would is not None else None,
        reason=shown.policy.reason if shown is not None else "",
        withheld=_withheld(live),
        retry_after_s=wait_s,
        tags=_tags(live),
        verify=any(slot.policy.action is Action.VERIFY for slot in live),
        refused=refused,
    )


def _strongest(slots: Sequence[Slot]) -> Slot | None:
    return max(slots, key=lambda slot: slot.policy.action.rank, default=None)


def _withheld(live: Sequence[Slot]) -> tuple[Withheld, ...]:
    """Return what any of them withholds, in one fixed order."""
    named = {part for slot in live for part in slot.policy.withheld}
    return tuple(part for part in Withheld if part in named) if named else ()


def _tags(live: Sequence[Slot]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for slot in live for tag in slot.policy.tags))


def _key(slot: Slot, account_id: str) -> BucketKey:
    return slot.entry_id if slot.policy.pooled else (slot.entry_id, account_id)


def _wait_s(slot: Slot, account_id: str, now_us: int, buckets: TokenBuckets) -> float:
    policy = slot.policy
    return buckets.wait_s(_key(slot, account_id), policy.requests_per_min, policy.burst, now_us)


def _take(slot: Slot, account_id: str, now_us: int, buckets: TokenBuckets) -> None:
    policy = slot.policy
    buckets.take(_key(slot, account_id), policy.requests_per_min, policy.burst, now_us)


def _take_all(live: Sequence[Slot], account_id: str, now_us: int, buckets: TokenBuckets) -> float:
    """Take a token from every bucket if each has one; return the seconds to wait, 0 when all had."""
    throttles = [slot for slot in live if slot.policy.action is Action.THROTTLE]
    wait_s = max((_wait_s(slot, account_id, now_us, buckets) for slot in throttles), default=0.0)
    if wait_s == 0.0:
        for slot in throttles:
            _take(slot, account_id, now_us, buckets)
    return wait_s


def _would_refuse(
    shadow: Sequence[Slot], account_id: str, now_us: int, buckets: TokenBuckets, *, counts: bool
) -> bool:
    """Play the shadow buckets as if they were live; a call that was refused anyway takes no token."""
    refuse = False
    for slot in shadow:
        if slot.policy.action is Action.BLOCK:
            refuse = True
        elif slot.policy.action is Action.THROTTLE:
            empty = _wait_s(slot, account_id, now_us, buckets) > 0.0
            refuse = refuse or empty
            if counts and not empty:
                _take(slot, account_id, now_us, buckets)
    return refuse
