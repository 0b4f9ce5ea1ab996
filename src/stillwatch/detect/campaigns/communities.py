"""Communities in the graph of accounts, split until each of them holds together.

Modularity alone cannot see a small tight group beside a huge one (its resolution limit: Fortunato and Barthelemy 2007,
"Resolution limit in community detection"), and bare connected components join two operators over one shared café.
So communities are found by Leiden, and then each is searched again inside itself: parts are kept apart where accounts
of different parts have far less in common than accounts of one part. Who does not belong is let go.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform
from sknetwork.clustering import Leiden

from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.links.membership import alone_nats

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART = 0.35  # parts whose common evidence is below this share of their own are two communities
BELONGS = 0.2  # a member whose evidence is below this share of the usual member's is let go
SAMPLED_PAIRS = 200  # pairs weighed to compare two parts
MIN_SAMPLED_PAIRS = 20
SAMPLED_TOTAL = 20_000  # pairs weighed at a time, shared among many parts
SAMPLED_MEMBERS = 30  # other members that one member is weighed against
MIN_SPLIT = 3
LINKED_MEMBERS = 128  # communities up to this size are also cut by average linkage of all their pairs
LINKED_PARTS = 6
MIN_OPERATOR = 5  # accounts
OPERATOR_SHARE = 0.15  # of the community, what one operator's group is at least
OPERATORS_HOLD = 0.4  # of the community, what such groups are together at least
OPERATOR_ACCESS = 0.9  # of what one link alone may be worth, what a tie by access is worth at least
LEFT_OVER = 0.2
SAME_DEMAND = (
    0.85  # of the agreement within groups, the agreement between them from which their demand is one
)
CORE_FACTORS = (1.5, 2.0, 3.0)  # of the usual tie, what a core's ties are worth at least


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

    def run(self) -> list[NDArray[np.int64]]:
        """Return the communities of two or more accounts, each a sorted array of positions, largest first."""
        degree = np.diff(self._graph.indptr)
        found: list[NDArray[np.int64]] = []
        todo = self._components(np.flatnonzero(degree > 0))
        while todo:
            members = todo.pop()
            if len(members) >= MIN_SPLIT:
                todo.extend(self._split(_Community(members, self._evidence, self._graph, self._rng), found))
        return sorted(found, key=lambda members: (-len(members), int(members[0])))

    def _components(self, members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return the connected components: what modularity makes of them is checked like every other cut."""
        if len(members) == 0:
            return []
        _, label = connected_components(self._graph[members][:, members], directed=False)
        order = np.argsort(label, kind="stable")
        return np.split(members[order], np.flatnonzero(np.diff(label[order])) + 1)

    def _split(self, community: _Community, found: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Cut a community where it has little in common; accept it if it holds together."""
        for label in community.proposals():
            parts = community.apart(label)
            if parts is not None:
                return parts
        operators = community.operators()
        if operators is not None:
            return operators
        mean = community.belonging()
        belongs = mean >= BELONGS * np.median(mean)
        members = community.members
        if np.median(mean) >= self._floor(len(members)) and belongs.mean() >= 0.5:
            if belongs.sum() >= MIN_SPLIT:
                found.append(np.sort(members[belongs]))
            return []
        return community.tighter()

    def _floor(self, size: int) -> float:
        """Return the nats by which a community must hold together: two accounts by the whole prior odds, many by less.

        In a larger community each tie is supported by third accounts.
        """
        return alone_nats(self._evidence.size) * (0.6 + 1.9 / (size - 1))


class _Community:
    """A candidate community, and what its accounts have in common.

    Of a small one all pairs are weighed once; of a large one random pairs are, whenever they are asked for.

    Args:
        members: Positions of its accounts.
        evidence: The links.
        graph: Ties between all accounts.
        rng: Chance, for sampling pairs.
    """

    def __init__(
        self,
        members: NDArray[np.int64],
        evidence: LinkEvidence,
        graph: sp.csr_matrix,
        rng: np.random.Generator,
    ) -> None:
        """Weigh all pairs of a small community."""
        self.members = members
        self._evidence = evidence
        self._rng = rng
        self._ties = graph[members][:, members].tocsr()
        self._all: NDArray[np.float64] | None = None
        if len(members) <= LINKED_MEMBERS:
            a, b = np.triu_indices(len(members), 1)
            nats = evidence.total(members[a], members[b])
            self._all = np.zeros((len(members), len(members)))
            self._all[a, b] = self._all[b, a] = nats

    def proposals(self) -> Iterator[NDArray[np.int64]]:
        """Propose ways to cut it, each as the part of every account."""
        if self._all is None:
            yield self._modular()
        yield from self._cores()
        if self._all is not None:
            tree = linkage(squareform(self._all.max() - self._all, checks=False), method="average")
            for count in range(2, min(len(self.members), LINKED_PARTS) + 1):
                yield fcluster(tree, count, criterion="maxclust").astype(np.int64) - 1

    def _modular(self) -> NDArray[np.int64]:
        ctypes.CDLL(None).srand(1)  # Leiden's refinement draws from C's rand() and leaves random_state aside
        return np.asarray(Leiden(resolution=1.0, random_state=0).fit_predict(self._ties)).astype(np.int64)

    def _cores(self) -> Iterator[NDArray[np.int64]]:
        """Propose what is tied far more tightly than the rest: a few accounts of one operator among many of a VPN."""
        alone = alone_nats(self._evidence.size)
        usual = alone + float(np.median(self._ties.data)) if self._ties.nnz else 0.0
        for factor in CORE_FACTORS:
            strong = self._ties.copy()
            strong.data[strong.data + alone < factor * usual] = 0
            strong.eliminate_zeros()
            count, label = connected_components(strong, directed=False)
            size = np.bincount(label, minlength=count)
            core = size >= MIN_SPLIT
            if core.any() and not core.all():
                number = np.where(core, np.cumsum(core) - 1, core.sum())
                yield number[label].astype(np.int64)

    def apart(self, label: NDArray[np.int64]) -> list[NDArray[np.int64]] | None:
        """Join the parts that belong together; None if all of them do."""
        count = int(label.max()) + 1
        if count == 1:
            return None
        mean = (
            self._sampled_means(label, count) if self._all is None else _block_means(self._all, label, count)
        )
        within = np.maximum(np.diag(mean), 0.1)
        joined = mean >= APART * np.maximum(within[:, None], within[None, :])
        np.fill_diagonal(joined, val=False)
        kept, of = connected_components(sp.csr_matrix(joined), directed=False)
        return None if kept == 1 else [self.members[of[label] == one] for one in range(kept)]

    def operators(self) -> list[NDArray[np.int64]] | None:
        """Tell apart operators who use the same tools and templates; None if there is one.

        Their accounts fall into a few large groups that share no access at all, and whose demand agrees less between
        the groups than within them. One operator's groups share no access either, but their demand is the same.
        """
        size = len(self.members)
        ties = sp.triu(self._ties).tocoo()
        if size < 2 * MIN_OPERATOR or ties.nnz == 0:
            return None
        by_kind = self._evidence.by_kind(self.members[ties.row], self.members[ties.col])
        held = self._evidence.access(by_kind) >= alone_nats(self._evidence.size) * OPERATOR_ACCESS
        graph = sp.csr_matrix(
            (np.ones(int(held.sum())), (ties.row[held], ties.col[held])), shape=(size, size)
        )
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
        parts = [np.flatnonzero(part == one) for one in np.unique(part)]
        if len(parts) == 1 or not self._differ(parts):
            return None
        return [self.members[one] for one in parts]

    def _differ(self, parts: list[NDArray[np.int64]]) -> bool:
        """Tell whether the demand of parts agrees less between them than within them."""
        within = [self._agreement(part, part) for part in parts]
        return all(
            self._agreement(parts[i], parts[j]) < SAME_DEMAND * 0.5 * (within[i] + within[j])
            for i in range(len(parts))
            for j in range(i)
        )

    def _agreement(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
        left, right = self._rng.choice(a, SAMPLED_PAIRS), self._rng.choice(b, SAMPLED_PAIRS)
        other = left != right
        return float(self._evidence.agreement(self.members[left[other]], self.members[right[other]]).mean())

    def _sampled_means(self, label: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Return the same from random pairs."""
        parts = [self.members[label == one] for one in range(count)]
        first, second = np.triu_indices(count)
        samples = max(MIN_SAMPLED_PAIRS, min(SAMPLED_PAIRS, SAMPLED_TOTAL // len(first)))
        size = np.array([len(part) for part in parts])
        start = np.concatenate([[0], np.cumsum(size)[:-1]])
        members = np.concatenate(parts)
        of, other = np.repeat(first, samples), np.repeat(second, samples)
        left = self._rng.integers(0, size[of])
        # Within one part an account is never compared with itself.
        shift = self._rng.integers(np.where(of == other, np.minimum(1, size[other] - 1), 0), size[other])
        right = np.where(of == other, (left + shift) % size[other], shift)
        nats = self._evidence.total(members[start[of] + left], members[start[other] + right])
        nats[(of == other) & (size[of] == 1)] = 0.0
        out = np.zeros((count, count))
        out[first, second] = nats.reshape(-1, samples).mean(axis=1)
        return np.maximum(out, out.T)

    def belonging(self) -> NDArray[np.float64]:
        """Return each member's mean nats with the others."""
        size = len(self.members)
        if self._all is not None:
            return np.asarray(self._all.sum(axis=1) / max(size - 1, 1))
        left = np.repeat(np.arange(size), SAMPLED_MEMBERS)
        right = (left + self._rng.integers(1, size, len(left))) % size
        nats = self._evidence.total(self.members[left], self.members[right])
        return np.asarray(nats.reshape(size, SAMPLED_MEMBERS).mean(axis=1))

    def tighter(self) -> list[NDArray[np.int64]]:
        """Drop the weaker half of the ties until the community falls apart."""
        ties = self._ties.copy()
        while ties.nnz:
            ties.data[ties.data <= np.median(ties.data)] = 0
            ties.eliminate_zeros()
            count, label = connected_components(ties, directed=False)
            if count > 1:
                return (
                    [] if count == len(self.members) else [self.members[label == one] for one in range(count)]
                )
        return []


def _block_means(nats: NDArray[np.float64], label: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the mean nats between the accounts of each two parts; 0 within a single one."""
    one_hot = np.eye(count)[label]
    size = one_hot.sum(axis=0)
    pairs = np.outer(size, size) - np.diag(size)
    return np.asarray(one_hot.T @ nats @ one_hot / np.maximum(pairs, 1.0))
