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
from sknetwork.clustering import Leiden

from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.links.membership import alone_nats

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART = 0.35  # parts whose common evidence is below this share of their own are two communities
BELONGS = 0.2  # a member whose evidence is below this share of the usual member's is let go
SAMPLED_PAIRS = 300  # pairs weighed to compare two parts
MIN_SAMPLED_PAIRS = 30
SAMPLED_TOTAL = 100_000  # pairs weighed at a time, shared among many parts
SAMPLED_MEMBERS = 60  # other members that one member is weighed against
MIN_SPLIT = 3
LINKED_MEMBERS = 128  # communities up to this size are also cut by average linkage of all their pairs
LINKED_PARTS = 6
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
        tied = np.flatnonzero(degree > 0)
        found: list[NDArray[np.int64]] = []
        todo = self._components(tied)
        while todo:
            members = todo.pop()
            if len(members) < 2:
                continue
            split = self._split(members) if len(members) >= MIN_SPLIT else None
            if split is None:
                split = self._settle(members, found)
            todo.extend(split)
        return sorted(found, key=lambda members: (-len(members), int(members[0])))

    def _components(self, members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return the connected components: what modularity makes of them is checked like every other cut."""
        if len(members) == 0:
            return []
        _, label = connected_components(self._ties(members), directed=False)
        order = np.argsort(label, kind="stable")
        return np.split(members[order], np.flatnonzero(np.diff(label[order])) + 1)

    def _parts(self, members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        ties = self._graph[members][:, members]
        if ties.nnz == 0:
            return [members[index : index + 1] for index in range(len(members))]
        ctypes.CDLL(None).srand(1)  # Leiden's refinement draws from C's rand() and leaves random_state aside
        labels = Leiden(resolution=1.0, random_state=0).fit_predict(ties)
        return [members[labels == label] for label in range(int(labels.max()) + 1)]

    def _split(self, members: NDArray[np.int64]) -> list[NDArray[np.int64]] | None:
        """Split a community into parts that have little in common; None if it holds together."""
        for parts in self._proposals(members):
            split = self._apart(parts)
            if split is not None:
                return split
        return None

    def _proposals(self, members: NDArray[np.int64]) -> Iterator[list[NDArray[np.int64]]]:
        """Propose ways to cut a community: by its ties, and for a small one by all of its pairs."""
        yield self._parts(members)
        yield from self._cores(members)
        if len(members) <= LINKED_MEMBERS:
            a, b = np.triu_indices(len(members), 1)
            nats = self._evidence.total(members[a], members[b])
            tree = linkage(nats.max() - nats, method="average")
            for count in range(2, min(len(members), LINKED_PARTS) + 1):
                label = fcluster(tree, count, criterion="maxclust")
                yield [members[label == one] for one in np.unique(label)]

    def _cores(self, members: NDArray[np.int64]) -> Iterator[list[NDArray[np.int64]]]:
        """Propose what is tied far more tightly than the rest: a few accounts of one operator among many of a VPN."""
        usual = (
            alone_nats(self._evidence.size) + float(np.median(ties.data))
            if (ties := self._ties(members)).nnz
            else 0.0
        )
        for factor in CORE_FACTORS:
            strong = ties.copy()
            strong.data[strong.data + alone_nats(self._evidence.size) < factor * usual] = 0
            strong.eliminate_zeros()
            count, label = connected_components(strong, directed=False)
            size = np.bincount(label, minlength=count)
            if (size >= MIN_SPLIT).any() and (size < MIN_SPLIT).any():
                cores = [members[label == one] for one in np.flatnonzero(size >= MIN_SPLIT)]
                yield [*cores, members[size[label] < MIN_SPLIT]]

    def _ties(self, members: NDArray[np.int64]) -> sp.csr_matrix:
        return self._graph[members][:, members].tocsr()

    def _apart(self, parts: list[NDArray[np.int64]]) -> list[NDArray[np.int64]] | None:
        """Join the parts that belong together; None if all of them do."""
        if len(parts) == 1:
            return None
        mean = self._means(parts)
        within = np.maximum(np.diag(mean), 0.1)
        joined = mean >= APART * np.maximum(within[:, None], within[None, :])
        np.fill_diagonal(joined, False)
        count, label = connected_components(sp.csr_matrix(joined), directed=False)
        if count == 1:
            return None
        return [
            np.concatenate([part for part, own in zip(parts, label, strict=True) if own == one])
            for one in range(count)
        ]

    def _means(self, parts: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return the mean nats between random accounts of each two parts, `(n_parts, n_parts)`; 0 within a single one."""
        count = len(parts)
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

    def _floor(self, size: int) -> float:
        """Return the nats by which a community must hold together: two accounts by the whole prior odds, many by less.

        In a larger community each tie is supported by third accounts.
        """
        return alone_nats(self._evidence.size) * (0.6 + 1.9 / (size - 1))

    def _belonging(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return each member's mean nats with the others."""
        size = len(members)
        if size <= SAMPLED_MEMBERS:
            a, b = np.triu_indices(size, 1)
            nats = self._evidence.total(members[a], members[b])
            return (np.bincount(a, nats, size) + np.bincount(b, nats, size)) / (size - 1)
        left = np.repeat(np.arange(size), SAMPLED_MEMBERS)
        right = (left + self._rng.integers(1, size, len(left))) % size
        nats = self._evidence.total(members[left], members[right])
        return np.asarray(nats.reshape(size, SAMPLED_MEMBERS).mean(axis=1))

    def _settle(self, members: NDArray[np.int64], found: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Accept a community without those that do not belong, or break it up further."""
        mean = self._belonging(members)
        belongs = mean >= BELONGS * np.median(mean)
        if np.median(mean) >= self._floor(len(members)) and belongs.mean() >= 0.5:
            if belongs.sum() >= 2:
                found.append(np.sort(members[belongs]))
            return []
        return self._tighter(members)

    def _tighter(self, members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Drop the weaker half of the ties until the community falls apart."""
        ties = self._graph[members][:, members].copy()
        while ties.nnz:
            ties.data[ties.data <= np.median(ties.data)] = 0
            ties.eliminate_zeros()
            count, label = connected_components(ties, directed=False)
            if count > 1:
                return [] if count == len(members) else [members[label == one] for one in range(count)]
        return []
