"""Token buckets: how many calls may pass, remembered in this process only."""

from typing import Final

_US_PER_MIN: Final = 60_000_000.0

BucketKey = str | tuple[str, str]
"""An entry's id where the bucket is pooled, else the entry's id and the account."""


class TokenBuckets:
    """All buckets of one index.

    A bucket starts full. Within any `w` minutes at most `burst + w * requests_per_min` calls pass. A clock that goes
    back gives no tokens and takes none. Not safe across threads by itself: the index holds a lock.
    """

    def __init__(self) -> None:
        self._state: dict[BucketKey, tuple[float, int, int]] = {}

    def __len__(self) -> int:
        """Return how many buckets may not be full."""
        return len(self._state)

    def wait_s(self, key: BucketKey, requests_per_min: float, burst: int, now_us: int) -> float:
        """Return the seconds until a token is there; 0 when one is. Takes nothing."""
        level, _ = self._level(key, requests_per_min, burst, now_us)
        return 0.0 if level >= 1.0 else (1.0 - level) * 60.0 / requests_per_min

    def take(self, key: BucketKey, requests_per_min: float, burst: int, now_us: int) -> None:
        """Take one token that `wait_s` found."""
        level, at_us = self._level(key, requests_per_min, burst, now_us)
        full_us = at_us + int((burst - level + 1.0) * _US_PER_MIN / requests_per_min) + 1
        self._state[key] = (level - 1.0, at_us, full_us)

    def forget_full(self, now_us: int) -> int:
        """Drop buckets that are full again, which is what an absent bucket is; return how many."""
        full = [key for key, (_, _, full_us) in self._state.items() if full_us <= now_us]
        for key in full:
            del self._state[key]
        return len(full)

    def _level(self, key: BucketKey, requests_per_min: float, burst: int, now_us: int) -> tuple[float, int]:
        """Return the tokens there are, and the instant that is true for."""
        state = self._state.get(key)
        if state is None:
            return float(burst), now_us
        level, last_us, _ = state
        if now_us <= last_us:
            return min(float(burst), level), last_us
        return min(float(burst), level + (now_us - last_us) * requests_per_min / _US_PER_MIN), now_us
