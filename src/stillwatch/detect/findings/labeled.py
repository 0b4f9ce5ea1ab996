"""What people said of accounts, as clusters of a window see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.domain.labels import LabeledAccounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stillwatch.detect.findings.detection import Look

KNOWN_SHARE = 0.5  # of its accounts must carry a label for a cluster to carry it


@dataclass(frozen=True)
class KnownClusters:
    """Clusters of which people said what they are, `(n_clusters,)` bool each.

    Args:
        ordinary: They belong to what is ordinary, however coordinated they are and whatever they ask for.
        hostile: They belong to nothing that others are compared with.
    """

    ordinary: NDArray[np.bool_]
    hostile: NDArray[np.bool_]


def known_clusters(seen: Look, labeled: LabeledAccounts) -> KnownClusters:
    """Carry labels from accounts over to the clusters of which they are at least half.

    Args:
        seen: The window.
        labeled: What people said.
    """
    return KnownClusters(_known(seen, labeled.ordinary), _known(seen, labeled.hostile))


def _known(seen: Look, names: frozenset[str]) -> NDArray[np.bool_]:
    if not names:
        return np.zeros(len(seen.groups.size), dtype=bool)
    among = np.isin(seen.population.account_ids.astype(str), list(names)).astype(np.float64)
    return np.asarray(seen.groups.matrix() @ among >= KNOWN_SHARE * seen.groups.size)
