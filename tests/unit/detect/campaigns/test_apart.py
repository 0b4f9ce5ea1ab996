"""Which parts of a community are two: by how much they share, or as operators with one recipe."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from stillwatch.detect.campaigns.communities import _apart

ALONE = 4.0
PARTS = np.array([0, 0, 0, 1, 1, 1])


@dataclass
class Pooled:
    """A candidate of which it is known what two parts share, within and between."""

    nats: tuple[float, float]
    access: tuple[float, float]
    agreement: tuple[float, float]
    members: np.ndarray

    def proposals(self) -> Iterator[np.ndarray]:
        """Propose nothing."""
        return iter(())

    def means(self, part: np.ndarray, count: int) -> np.ndarray:
        """Return what is known."""
        assert (count, len(part)) == (2, len(self.members))
        return np.array(
            [
                [[within, between], [between, within]]
                for within, between in (self.nats, self.access, self.agreement)
            ]
        )

    def belonging(self) -> np.ndarray:
        """Return the same for everybody."""
        return np.ones(len(self.members))

    def ties(self) -> tuple[np.ndarray, np.ndarray]:
        """Return no ties."""
        return np.empty(0, np.int64), np.empty(0, np.int64)

    def tighter(self) -> np.ndarray | None:
        """Return nothing."""
        return None


@pytest.mark.parametrize(
    ("nats", "access", "agreement", "two"),
    [
        pytest.param((16, 12), (3, 0.2), (0.7, 0.2), True, id="one recipe, two operators"),
        pytest.param((16, 12), (3, 0.2), (0.7, 0.68), False, id="two pools of one operator"),
        pytest.param((16, 12), (3, 2.5), (0.7, 0.2), False, id="two tasks over one access"),
        pytest.param((16, 12), (0.4, 0.2), (0.7, 0.2), False, id="no access that could tell"),
        pytest.param((16, 3), (3, 2.5), (0.7, 0.68), True, id="little in common"),
    ],
)
def test_parts_are_two_by_little_in_common_or_by_other_access_and_other_demand(
    nats: tuple[float, float], access: tuple[float, float], agreement: tuple[float, float], *, two: bool
) -> None:
    whole = Pooled(nats, access, agreement, np.arange(len(PARTS)))
    kept = _apart(whole, PARTS, 0.2, ALONE)
    assert (kept is not None) is two
