"""Groups within a community that are reached through access of their own: perhaps operators with the same tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.links.membership import alone_nats

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_OPERATOR = 5  # accounts
OPERATOR_SHARE = 0.15  # of the community, what one operator's group is at least
OPERATORS_HOLD = 0.4  # of the community, what such groups are together at least
OPERATOR_ACCESS = 0.9  # of what one link alone may be worth, what a tie by access is worth at least
SAMPLED_MEMBERS = 30  # of each group that a leftover account is compared with


def groups_by_access(
    members: NDArray[np.int64],
    ties: tuple[NDArray[np.int64], NDArray[np.int64]],
    evidence: LinkEvidence,
    rng: np.random.Generator,
) -> NDArray[np.int64] | None:
    """Propose to cut a community into the large groups that are each tied together by access.

    Accounts without a tie of access go with the group that they have most in common with.

    Args:
        members: `(n,)` accounts of one community.
        ties: Places in `members` of both ends of each tie.
        evidence: The links.
        rng: Chance, for sampling pairs.

    Returns:
        `(n,)` group of each account; None if there are not several.
    """
    size = len(members)
    left, right = ties
    if size < 2 * MIN_OPERATOR or len(left) == 0:
        return None
    held = evidence.access(evidence.by_kind(members[left], members[right]))
    tied = held >= alone_nats(evidence.size) * OPERATOR_ACCESS
    graph = sp.csr_matrix((np.ones(int(tied.sum())), (left[tied], right[tied])), shape=(size, size))
    count, label = connected_components(graph, directed=False)
    sizes = np.bincount(label, minlength=count)
    large = np.flatnonzero(sizes >= max(MIN_OPERATOR, OPERATOR_SHARE * size))
    if len(large) < 2 or sizes[large].sum() < OPERATORS_HOLD * size:
        return None
    number = np.full(count, -1)
    number[large] = np.arange(len(large))
    group = number[label]
    rest = np.flatnonzero(group < 0)
    if len(rest):
        nearest = [_common(members[rest], members[group == one], evidence, rng) for one in range(len(large))]
        group[rest] = np.argmax(np.stack(nearest), axis=0)
    return np.asarray(group, dtype=np.int64)


def _common(
    accounts: NDArray[np.int64],
    group: NDArray[np.int64],
    evidence: LinkEvidence,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the mean nats of each account with some of a group, `(n,)`."""
    left = np.repeat(accounts, SAMPLED_MEMBERS)
    nats = evidence.total(left, rng.choice(group, len(left)))
    return np.asarray(nats.reshape(-1, SAMPLED_MEMBERS).mean(axis=1))
