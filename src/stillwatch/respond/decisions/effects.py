"""What decisions and indicators did, or in shadow would have done: counted inline, kept by account and hour."""

from typing import Final

import msgspec

from stillwatch.domain.calls import Verdict

_HOUR_US: Final = 3_600_000_000
MOST_KEYS: Final = 100_000
"""Accounts and hours one guard counts between two deliveries, about 30 MiB."""


class Effect(msgspec.Struct, omit_defaults=True, gc=False):
    """What one decision or indicator met on one account in one hour.

    Attributes:
        entry_id: which decision or indicator.
        account_id: whose calls.
        hour_us: start of the UTC hour, microseconds.
        matched: calls met.
        refused: of them, refused.
        would_refuse: of them, refused if the entry had been live.
        withheld: of them, answered without something.
    """

    entry_id: str
    account_id: str
    hour_us: int
    matched: int = 0
    refused: int = 0
    would_refuse: int = 0
    withheld: int = 0


class EffectCounts:
    """Counts since the last delivery. Bounded: what finds no room is counted as dropped. Not safe across threads."""

    def __init__(self, most: int = MOST_KEYS) -> None:
        self.dropped = 0
        self._most = most
        self._counts: dict[tuple[str, str, int], Effect] = {}

    def note(self, account_id: str, verdict: Verdict, now_us: int) -> None:
        """Count one call."""
        hour_us = now_us - now_us % _HOUR_US
        if verdict.decision_id is not None and (live := self._of(verdict.decision_id, account_id, hour_us)):
            live.matched += 1
            live.refused += verdict.refused
            live.withheld += bool(verdict.withheld)
        if verdict.would_id is not None and (shadow := self._of(verdict.would_id, account_id, hour_us)):
            shadow.matched += 1
            shadow.would_refuse += verdict.would_refuse

    def drain(self) -> list[Effect]:
        """Return what was counted and begin again."""
        counted = list(self._counts.values())
        self._counts = {}
        return counted

    def give_back(self, effects: list[Effect]) -> None:
        """Keep what could not be delivered for the next time."""
        for effect in effects:
            kept = self._of(effect.entry_id, effect.account_id, effect.hour_us)
            if kept is not None:
                kept.matched += effect.matched
                kept.refused += effect.refused
                kept.would_refuse += effect.would_refuse
                kept.withheld += effect.withheld

    def _of(self, entry_id: str, account_id: str, hour_us: int) -> Effect | None:
        key = (entry_id, account_id, hour_us)
        found = self._counts.get(key)
        if found is None:
            if len(self._counts) >= self._most:
                self.dropped += 1
                return None
            found = self._counts[key] = Effect(entry_id, account_id, hour_us)
        return found
