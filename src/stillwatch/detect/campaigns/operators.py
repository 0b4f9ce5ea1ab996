"""Operators who use the same tools and templates, told apart."""

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
LEFT_OVER = 0.2
SAME_DEMAND = (
    0.85  # of the agreement within groups, the agreement between them from which their demand is one
)
SAMPLED_PAIRS = 200


def operators_of(
    members: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    evidence: LinkEvidence,
    rng: np.random.Generator,
) -> list[NDArray[np.int64]] | None:
    """Tell apart operators who use the same tools and templates; None if there is one.

    Their accounts fall into a few large groups that share no access at all, and whose demand agrees less between
    the groups than within them. One operator's groups share no access either, but their demand is the same.

    Args:
        members: `(n,)` accounts of one community.
        left: `(m,)` places in `members`, one end of each tie.
        right: `(m,)` the other end.
        evidence: The links.
        rng: Chance, for sampling pairs.
    """
    size = len(members)
    if size < 2 * MIN_OPERATOR or len(left) == 0:
        return None
    held = evidence.access(evidence.by_kind(members[left], members[right]))
    tied = held >= alone_nats(evidence.size) * OPERATOR_ACCESS
    graph = sp.csr_matrix((np.ones(int(tied.sum())), (left[tied], right[tied])), shape=(size, size))
    count, label = connected_components(graph, directed=False)
    sizes = np.bincount(label, minlength=count)
    large = np.flatnonzero(sizes >= max(MIN_OPERATOR, OPERATOR_SHARE * size))
    if len(large) == 0 or sizes[large].sum() < OPERATORS_HOLD * size:
        return None
    number = np.full(count, len(large))
    number[large] = np.arange(len(large))
    part = number[label]
    if (part == len(large)).mean() < LEFT_OVER:  # a few without a tie stay with the largest group
        part[part == len(large)] = int(np.argmax(sizes[large]))
    parts = [members[part == one] for one in np.unique(part)]
    return parts if len(parts) > 1 and _differ(parts, evidence, rng) else None


def _differ(parts: list[NDArray[np.int64]], evidence: LinkEvidence, rng: np.random.Generator) -> bool:
    """Tell whether the demand of parts agrees less between them than within them."""
    within = [_agreement(part, part, evidence, rng) for part in parts]
    return all(
        _agreement(parts[i], parts[j], evidence, rng) < SAME_DEMAND * 0.5 * (within[i] + within[j])
        for i in range(len(parts))
        for j in range(i)
    )


def _agreement(
    a: NDArray[np.int64], b: NDArray[np.int64], evidence: LinkEvidence, rng: np.random.Generator
) -> float:
    left, right = rng.choice(a, SAMPLED_PAIRS), rng.choice(b, SAMPLED_PAIRS)
    other = left != right
    return float(evidence.agreement(left[other], right[other]).mean())
