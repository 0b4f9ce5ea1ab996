"""Whether the pooled demand knows no night."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from stillwatch.detect.signals.groups import Examples, Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RoundTheClock:
    """Evenness of the pooled demand over the hours of the day.

    High: as much at four in the morning as at noon. Innocent: batch jobs, customers all over the world. Range: 0 to
    log(24) nats.
    """

    name: ClassVar[str] = "round_the_clock"
    title: ClassVar[str] = "round-the-clock cadence"
    speaks_for: ClassVar[str] = "resale"
    needs: ClassVar[tuple[str, ...]] = ("clock",)
    min_accounts: ClassVar[int] = 1

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        return Examples(
            little={"clock": [[0] * 8 + [10] * 8 + [0] * 8]},
            much={"clock": [[5] * 24]},
        )

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return the entropy of requests over the 24 hours of the day."""
        clock = groups.pooled("clock")
        share = clock / np.maximum(clock.sum(axis=1), 1.0)[:, None]
        return np.asarray(-(share * np.log(np.maximum(share, 1e-12))).sum(axis=1))

    def say(self, groups: Groups, index: int) -> str:
        """Say what was seen in one group."""
        clock = groups.pooled("clock")[index]
        quiet = np.sort(clock)[:8].sum() / max(clock.sum(), 1.0)
        return f"the eight quietest hours of the day carry {quiet:.0%} of the requests (33% would be even)"


SIGNAL = RoundTheClock()
