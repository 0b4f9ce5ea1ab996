"""Everything in force, in memory: one lookup for each thing a call shows of itself."""

import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from stillwatch.domain.actions import IndicatorKind
from stillwatch.domain.calls import Call, Verdict, client_value
from stillwatch.respond.decisions.buckets import TokenBuckets
from stillwatch.respond.decisions.changes import Change, Entry
from stillwatch.respond.decisions.combining import NOTHING, verdict_of
from stillwatch.respond.decisions.networks import NetworkTable, network_key
from stillwatch.respond.decisions.slots import NONE, Slot, SlotTable

_TEXT_KINDS: Final = (
    IndicatorKind.ACCOUNT,
    IndicatorKind.CLIENT,
    IndicatorKind.PAYMENT,
    IndicatorKind.EMAIL,
)
_MASK_64: Final = 0xFFFF_FFFF_FFFF_FFFF
_STRETCH: Final = 1_000
"""Slots swept under one hold of the lock, about 50 microseconds."""
_MANY_BUCKETS: Final = 10_000
"""Fewer buckets than this are not worth a look."""


def now_us() -> int:
    """Return UTC microseconds."""
    return time.time_ns() // 1_000


class DecisionIndex:
    """Decisions and indicators in force, for lookup from any thread.

    A lookup costs a few microseconds and does not grow with what is loaded. Memory is about 350 bytes an entry.

    Args:
        clock: Returns UTC microseconds, for calls that carry no time and for expiry.
        rng: Draws which calls are spared where an entry acts on a share of them only.
    """

    def __init__(self, *, clock: Callable[[], int] = now_us, rng: random.Random | None = None) -> None:
        self.sequence = 0
        self._clock = clock
        self._rng = rng or random.SystemRandom()
        self._lock = threading.Lock()
        self._slots = SlotTable()
        self._texts: dict[IndicatorKind, dict[str, int]] = {kind: {} for kind in _TEXT_KINDS}
        self._accounts = self._texts[IndicatorKind.ACCOUNT]
        self._clients = self._texts[IndicatorKind.CLIENT]
        self._payments = self._texts[IndicatorKind.PAYMENT]
        self._emails = self._texts[IndicatorKind.EMAIL]
        self._templates: dict[int, int] = {}
        self._networks = NetworkTable()
        self._values: dict[IndicatorKind, dict[str, tuple[str, ...] | str]] = {
            kind: {} for kind in IndicatorKind
        }
        self._buckets = TokenBuckets()
        self._many_buckets = _MANY_BUCKETS
        self._swept = 0

    def __len__(self) -> int:
        """Return how many decisions and indicators are loaded, including those that start later."""
        return sum(len(values) for values in self._values.values())

    def apply(self, changes: Iterable[Change]) -> None:
        """Bring the index up to date. Every change is visible as soon as it is applied; order is by sequence.

        Args:
            changes: Newest states. An entry that has ended already is not loaded.
        """
        now = self._clock()
        for change in changes:
            with self._lock:
                self._remove(change.entry_id)
                if change.entry is not None and change.entry.end_us > now:
                    self._add(change.entry)
                self.sequence = max(self.sequence, change.sequence)

    def decide(self, call: Call) -> Verdict:
        """Say what happens to one call.

        Args:
            call: What is known of it.

        Returns:
            The verdict; a token is taken where a bucket applies.
        """
        with self._lock:
            heads = self._heads(call)
            if not heads:
                return NOTHING
            now = self._clock() if call.time_us is None else call.time_us
            live: list[Slot] = []
            shadow: list[Slot] = []
            for head in heads:
                for slot in self._slots.in_force(head, now):
                    (live if slot.policy.live and self._drawn(slot.policy.share) else shadow).append(slot)
            return verdict_of(live, shadow, call.account_id, now, self._buckets)

    def sweep(self, slots: int = 10_000) -> int:
        """Look through a part of the table and free what has ended; correctness never waits for it.

        Args:
            slots: How many places to look at. The lock is let go between short stretches.

        Returns:
            How many entries were dropped.
        """
        dropped = 0
        for _ in range(0, slots, _STRETCH):
            with self._lock:
                ended = self._slots.ended(self._clock(), self._swept, _STRETCH)
                for entry_id in ended:
                    self._remove(entry_id)
                dropped += len(ended)
                self._swept = self._swept + _STRETCH if self._swept + _STRETCH < self._slots.size else 0
        with self._lock:
            if len(self._buckets) > self._many_buckets:
                self._buckets.forget_full(self._clock())
                self._many_buckets = max(_MANY_BUCKETS, 2 * len(self._buckets))
        return dropped

    def forked(self) -> None:
        """Take a new lock in a child process; the parent may have held the old one."""
        self._lock = threading.Lock()

    def _drawn(self, share: float) -> bool:
        return share >= 1.0 or self._rng.random() < share

    def _heads(self, call: Call) -> list[int]:
        """Return the chains of everything that the call shows of itself."""
        heads = []
        head = self._accounts.get(call.account_id)
        if head is not None:
            heads.append(head)
        if call.tls_ja4 is not None and call.user_agent is not None and self._clients:
            head = self._clients.get(client_value(call.tls_ja4, call.user_agent))
            if head is not None:
                heads.append(head)
        if call.payment is not None and (head := self._payments.get(call.payment)) is not None:
            heads.append(head)
        if call.email is not None and (head := self._emails.get(call.email)) is not None:
            heads.append(head)
        if call.template is not None and (head := self._templates.get(call.template & _MASK_64)) is not None:
            heads.append(head)
        if call.client_address is not None:
            heads.extend(self._networks.heads(call.client_address))
        return heads

    def _add(self, entry: Entry) -> None:
        values = tuple(dict.fromkeys(entry.values))
        self._values[entry.kind][entry.entry_id] = values[0] if len(values) == 1 else values
        for value in values:
            table, key = self._place(entry.kind, value)
            table[key] = self._slots.add(
                entry.entry_id, entry.start_us, entry.end_us, entry.policy, table.get(key, NONE)
            )

    def _remove(self, entry_id: str) -> None:
        for kind, by_entry in self._values.items():
            values = by_entry.pop(entry_id, None)
            if values is None:
                continue
            for value in (values,) if isinstance(values, str) else values:
                table, key = self._place(kind, value)
                head = self._slots.remove(table.get(key, NONE), entry_id)
                if head == NONE:
                    table.pop(key, None)
                else:
                    table[key] = head

    def _place(self, kind: IndicatorKind, value: str) -> tuple[Any, Any]:
        """Return the table that holds a value's chain, and its key there."""
        if kind is IndicatorKind.NETWORK:
            return self._networks, network_key(value)
        if kind is IndicatorKind.TEMPLATE:
            return self._templates, int(value, 16) & _MASK_64
        return self._texts[kind], value
