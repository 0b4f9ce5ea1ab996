"""Groups of accounts whose demand is pooled: clusters, and the ordinary ones they are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stillwatch.detect.signals.measures import AccountMeasures


@dataclass(frozen=True)
class Examples:
    """Two groups that a signal must tell apart: what the contract tests run every signal over.

    Args:
        little: Measures of the accounts of a group that shows little of what the signal is named for.
        much: Measures of the accounts of a group that shows much of it.
    """

    little: Mapping[str, Sequence[object]]
    much: Mapping[str, Sequence[object]]


@dataclass(frozen=True)
class Groups:
    """Groups of accounts and what is known of each account.

    Args:
        members: Positions of each group's accounts.
        measures: Per-account sums.
    """

    members: Sequence[NDArray[np.int64]]
    measures: AccountMeasures

    def __len__(self) -> int:
        """Count the groups."""
        return len(self.members)

    @property
    def size(self) -> NDArray[np.int64]:
        """Return the accounts of each group, `(n_groups,)`."""
        return np.array([len(group) for group in self.members], dtype=np.int64)

    def matrix(self) -> sp.csr_matrix:
        """Return membership as `(n_groups, n_accounts)` sparse ones."""
        size = self.size
        rows = np.repeat(np.arange(len(size)), size)
        columns = np.concatenate(self.members) if len(self.members) else np.empty(0, np.int64)
        shape = (len(size), len(self.measures))
        return sp.csr_matrix((np.ones(len(columns)), (rows, columns)), shape=shape)

    def pooled(self, name: str) -> NDArray[np.float64]:
        """Sum one measure over each group, `(n_groups,)` or `(n_groups, k)` float64."""
        return np.asarray(self.matrix() @ self.measures[name])

    def share(self, name: str, of: str = "requests") -> NDArray[np.float64]:
        """Return the pooled ratio of two measures, 0 where there is nothing to divide by."""
        part, whole = self.pooled(name), self.pooled(of)
        whole = np.maximum(whole, 1e-12)
        return part / (whole[:, None] if part.ndim > 1 else whole)


def wilson_low(
    successes: NDArray[np.float64], trials: NDArray[np.float64], z: float = 1.28
) -> NDArray[np.float64]:
    """Return the lower end of Wilson's interval for a share, so that few requests do not look like many.

    Args:
        successes: `(n,)` or `(n, k)` counts.
        trials: Counts of the same shape.
        z: Normal quantile; 1.28 is a one-sided 90 %.

    References:
        E. B. Wilson, 1927, "Probable inference", J. Am. Stat. Assoc. 22.
    """
    trials = np.maximum(trials, 1.0)
    share = np.clip(successes / trials, 0.0, 1.0)
    center = share + z * z / (2 * trials)
    spread = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return np.maximum(0.0, (center - spread) / (1 + z * z / trials))
