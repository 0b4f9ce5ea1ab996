"""Communities in the graph of accounts, split until each of them holds together.

Modularity alone cannot see a small tight group beside a huge one (its resolution limit: Fortunato and Barthelemy 2007,
"Resolution limit in community detection"), and bare connected components join two operators over one shared café.
So communities are found by Leiden, and then each is searched again inside itself: parts are kept apart where accounts
of different parts have far less in common than accounts of one part. Who does not belong is let go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from stillwatch.detect.campaigns.access_groups import groups_by_access
from stillwatch.detect.campaigns.candidates import Candidate, LargeCandidate, SmallCandidate
from stillwatch.detect.campaigns.parts import parts_of, ties_within
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.links.membership import alone_nats

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART = 0.35  # parts whose common evidence is below this share of their own are two communities
BELONGS = 0.2  # a member whose evidence is below this share of the usual member's is let go
SAME_DEMAND = (
    0.85  # of the agreement within groups, the agreement between them from which their demand is one
)
SAMPLED_STRANGERS = 20_000  # random pairs from which it is known what anybody shares with anybody
HELD = 0.25  # of what one link alone may be worth, the access from which a part is held together by it
MIN_SPLIT = 3
ALL_WEIGHED = 128  # communities up to this size are cut by what all their pairs share


class CommunitySearch:
    """Splits a graph of accounts into communities.

    Args:
        evidence: The links, to weigh pairs that the graph has no edge for.
        graph: The ties.
        rng: Chance, for sampling pairs.
    """

    def __init__(self, evidence: LinkEvidence, graph: sp.csr_matrix, rng: np.random.Generator) -> None:
        """Keep what is searched."""
        self._evidence = evidence
        self._graph = graph
        self._rng = rng
        self._usual_access = _usual_access(evidence, rng)
        self._scratch = np.full(evidence.size, -1, dtype=np.int64)

    def run(self) -> list[NDArray[np.int64]]:
        """Return the communities of two or more accounts, each a sorted array of positions, largest first."""
        degree = np.diff(self._graph.indptr)
        found: list[NDArray[np.int64]] = []
        todo = [self._candidate(members) for members in self._components(np.flatnonzero(degree > 0))]
        while todo:
            parts = self._split(todo.pop(), found)
            todo.extend(part for part in parts if len(part.members) >= MIN_SPLIT)
        return sorted(found, key=lambda members: (-len(members), int(members[0])))

    def _components(self, members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return the connected components: what modularity makes of them is checked like every other cut."""
        if len(members) == 0:
            return []
        _, label = connected_components(self._graph[members][:, members], directed=False)
        order = np.argsort(label, kind="stable")
        parts = np.split(members[order], np.flatnonzero(np.diff(label[order])) + 1)
        return [part for part in parts if len(part) >= MIN_SPLIT]

    def _candidate(self, members: NDArray[np.int64]) -> Candidate:
        graph = self._graph
        if len(members) <= ALL_WEIGHED:
            ties = ties_within(graph.indptr, graph.indices, graph.data, members, self._scratch)
            return SmallCandidate.weighed(members, ties, self._evidence)
        return LargeCandidate(members, graph[members][:, members].tocsr(), self._evidence, self._rng)

    def _parts(self, whole: Candidate, part: NDArray[np.int64]) -> list[Candidate]:
        places = [np.flatnonzero(part == one) for one in range(int(part.max()) + 1)]
        if isinstance(whole, SmallCandidate):
            return [whole.part(one) for one in places]
        return [self._candidate(whole.members[one]) for one in places]

    def _split(self, whole: Candidate, found: list[NDArray[np.int64]]) -> list[Candidate]:
        """Cut a community where it has little in common; accept it if it holds together."""
        for proposed in self._proposals(whole):
            kept = _apart(whole, proposed, self._usual_access, alone_nats(self._evidence.size))
            if kept is not None:
                return self._parts(whole, kept)
        mean = whole.belonging()
        belongs = mean >= BELONGS * np.median(mean)
        if np.median(mean) >= self._floor(len(mean)) and belongs.mean() >= 0.5:
            if belongs.sum() >= MIN_SPLIT:
                found.append(np.sort(whole.members[belongs]))
            return []
        fallen = whole.tighter()
        return [] if fallen is None else self._parts(whole, fallen)

    def _proposals(self, whole: Candidate) -> Iterator[NDArray[np.int64]]:
        yield from whole.proposals()
        by_access = groups_by_access(whole.members, whole.ties(), self._evidence, self._rng)
        if by_access is not None:
            yield by_access

    def _floor(self, size: int) -> float:
        """Return the nats by which a community must hold together: two accounts by the whole prior odds, many by less.

        In a larger community each tie is supported by third accounts.
        """
        return alone_nats(self._evidence.size) * (0.6 + 1.9 / (size - 1))


def _usual_access(evidence: LinkEvidence, rng: np.random.Generator) -> float:
    """Return the mean nats of access that two accounts drawn at random share."""
    if evidence.size < 2:
        return 0.0
    left = rng.integers(0, evidence.size, SAMPLED_STRANGERS)
    right = (left + rng.integers(1, evidence.size, SAMPLED_STRANGERS)) % evidence.size
    return float(evidence.sides(left, right)[:, 1].mean())


def _apart(
    whole: Candidate, proposed: NDArray[np.int64], usual_access: float, alone: float
) -> NDArray[np.int64] | None:
    """Join the proposed parts that belong together; None if all of them do.

    Parts are apart where their accounts have far less in common than those of one part. They are also where two
    operators took the same recipe from a book: the access of one is not that of the other, and their demand agrees
    less between them than within them. One operator's pools share no access either, but their demand is the same; and
    where neither part is held together by access, that they share none says nothing.
    """
    count = int(proposed.max()) + 1
    if count == 1:
        return None
    nats, access, agreement = whole.means(proposed, count)
    within = np.maximum(np.diag(nats), 0.1)
    joined = nats >= APART * np.maximum(within[:, None], within[None, :])
    access = np.maximum(access - usual_access, 0.0)
    own = np.diag(access)
    tighter = np.maximum(own[:, None], own[None, :])
    strangers = (tighter >= HELD * alone) & (access < APART * tighter)
    own = np.diag(agreement)
    other = agreement < SAME_DEMAND * 0.5 * (own[:, None] + own[None, :])
    part, kept = parts_of(joined & ~(strangers & other))
    return None if kept == 1 else np.asarray(part[proposed])
