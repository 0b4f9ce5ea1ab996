"""A candidate community: what its accounts have in common, and where it may be cut."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
import scipy.sparse as sp
from scipy.cluster.hierarchy import linkage
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform
from sknetwork.clustering import Leiden

from stillwatch.detect.campaigns.parts import cut, means_between, parts_of
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.links.membership import alone_nats

if TYPE_CHECKING:
    from numpy.typing import NDArray

LINKED_PARTS = 6
SAMPLED_PAIRS = 1_000  # pairs weighed to compare two parts
MIN_SAMPLED_PAIRS = 50
SAMPLED_TOTAL = 80_000  # pairs weighed at a time, shared among many parts
SAMPLED_MEMBERS = 30  # other members that one member is weighed against
MIN_CORE = 3
CORE_FACTORS = (1.5, 2.0, 3.0)  # of the usual tie, what a core's ties are worth at least


class Candidate(Protocol):
    """A group of accounts that may be a community; parts are given as the part of every account."""

    members: NDArray[np.int64]

    def proposals(self) -> Iterator[NDArray[np.int64]]:
        """Propose ways to cut it."""
        ...

    def means(self, part: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Return what the accounts of each two parts share on average, `(3, count, count)`.

        The three sides are those of `LinkEvidence.sides`; what a single account shares with itself is 0.
        """
        ...

    def belonging(self) -> NDArray[np.float64]:
        """Return each member's mean nats with the others, `(n,)`."""
        ...

    def ties(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of both ends of each tie."""
        ...

    def tighter(self) -> NDArray[np.int64] | None:
        """Drop the weaker half of the ties until it falls apart; None where nothing is left of it."""
        ...


class SmallCandidate:
    """A group whose pairs are all weighed.

    Args:
        members: `(n,)` accounts.
        sides: `(3, n, n)` what all of them share, see `LinkEvidence.sides`.
        graph: `(n, n)` ties, 0 where there is none.
        alone: Nats that one link alone may be worth.
    """

    def __init__(
        self,
        members: NDArray[np.int64],
        sides: NDArray[np.float64],
        graph: NDArray[np.float64],
        alone: float,
    ) -> None:
        """Keep what was weighed."""
        self.members = members
        self.sides = sides
        self.graph = graph
        self._alone = alone

    @classmethod
    def weighed(
        cls, members: NDArray[np.int64], graph: NDArray[np.float64], evidence: LinkEvidence
    ) -> SmallCandidate:
        """Weigh all pairs of a group."""
        a, b = np.triu_indices(len(members), 1)
        sides = np.zeros((3, len(members), len(members)))
        sides[:, a, b] = sides[:, b, a] = evidence.sides(members[a], members[b]).T
        return cls(members, sides, graph, alone_nats(evidence.size))

    def part(self, places: NDArray[np.int64]) -> SmallCandidate:
        """Return some of it as a candidate."""
        sides = self.sides[:, places[:, None], places[None, :]]
        return SmallCandidate(self.members[places], sides, self.graph[np.ix_(places, places)], self._alone)

    def proposals(self) -> Iterator[NDArray[np.int64]]:
        """Propose its tight cores, and cuts of the tree of average linkage."""
        yield from self._cores()
        nats = self.sides[0]
        tree = linkage(squareform(nats.max() - nats, checks=False), method="average")
        for count in range(2, min(len(self.members), LINKED_PARTS) + 1):
            yield cut(tree, count)

    def _cores(self) -> Iterator[NDArray[np.int64]]:
        """Propose what is tied far more tightly than the rest: a few accounts of one operator among many of a VPN."""
        tied = self.graph[self.graph > 0]
        usual = self._alone + float(np.median(tied)) if len(tied) else 0.0
        for factor in CORE_FACTORS:
            strong = (self.graph > 0) & (self.graph + self._alone >= factor * usual)
            if strong.any():
                yield from _cores_first(*parts_of(strong))

    def means(self, part: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Return what the accounts of each two parts share on average, `(3, count, count)`."""
        return np.stack([means_between(side, part, count) for side in self.sides])

    def belonging(self) -> NDArray[np.float64]:
        """Return each member's mean nats with the others, `(n,)`."""
        return np.asarray(self.sides[0].sum(axis=1) / max(len(self.members) - 1, 1))

    def ties(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of both ends of each tie."""
        left, right = np.nonzero(np.triu(self.graph))
        return left.astype(np.int64), right.astype(np.int64)

    def tighter(self) -> NDArray[np.int64] | None:
        """Drop the weaker half of the ties until it falls apart; None where nothing is left of it."""
        left = self.graph.copy()
        while (left > 0).any():
            left[left <= np.median(left[left > 0])] = 0.0
            part, count = parts_of(left > 0)
            if count > 1:
                return None if count == len(self.members) else np.asarray(part)
        return None


class LargeCandidate:
    """A group of which random pairs are weighed, whenever they are asked for.

    Args:
        members: `(n,)` accounts.
        graph: `(n, n)` ties between them.
        evidence: The links.
        rng: Chance, for sampling pairs.
    """

    def __init__(
        self,
        members: NDArray[np.int64],
        graph: sp.csr_matrix,
        evidence: LinkEvidence,
        rng: np.random.Generator,
    ) -> None:
        """Keep what is weighed later."""
        self.members = members
        self.graph = graph
        self._evidence = evidence
        self._rng = rng

    def proposals(self) -> Iterator[NDArray[np.int64]]:
        """Propose parts by modularity, and its tight cores."""
        ctypes.CDLL(None).srand(1)  # Leiden's refinement draws from C's rand() and leaves random_state aside
        yield np.asarray(Leiden(resolution=1.0, random_state=0).fit_predict(self.graph)).astype(np.int64)
        alone = alone_nats(self._evidence.size)
        usual = alone + float(np.median(self.graph.data)) if self.graph.nnz else 0.0
        for factor in CORE_FACTORS:
            strong = _only(self.graph, self.graph.data + alone >= factor * usual)
            if strong.nnz:
                count, part = connected_components(strong, directed=False)
                yield from _cores_first(part.astype(np.int64), count)

    def means(self, part: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Return what random accounts of each two parts share on average, `(3, count, count)`."""
        first, second = np.triu_indices(count)
        samples = max(MIN_SAMPLED_PAIRS, min(SAMPLED_PAIRS, SAMPLED_TOTAL // len(first)))
        size = np.bincount(part, minlength=count)
        start = np.concatenate([[0], np.cumsum(size)[:-1]])
        members = self.members[np.argsort(part, kind="stable")]
        of, other = np.repeat(first, samples), np.repeat(second, samples)
        left = self._rng.integers(0, size[of])
        # Within one part an account is never compared with itself.
        shift = self._rng.integers(np.where(of == other, np.minimum(1, size[other] - 1), 0), size[other])
        right = np.where(of == other, (left + shift) % size[other], shift)
        sides = self._evidence.sides(members[start[of] + left], members[start[other] + right])
        sides[(of == other) & (size[of] == 1)] = 0.0
        out = np.zeros((3, count, count))
        mean = sides.reshape(-1, samples, 3).mean(axis=1).T
        out[:, first, second] = out[:, second, first] = mean
        return out

    def belonging(self) -> NDArray[np.float64]:
        """Return each member's mean nats with some of the others, `(n,)`."""
        size = len(self.members)
        left = np.repeat(np.arange(size), SAMPLED_MEMBERS)
        right = (left + self._rng.integers(1, size, len(left))) % size
        nats = self._evidence.total(self.members[left], self.members[right])
        return np.asarray(nats.reshape(size, SAMPLED_MEMBERS).mean(axis=1))

    def ties(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of both ends of each tie."""
        upper = sp.triu(self.graph).tocoo()
        return upper.row.astype(np.int64), upper.col.astype(np.int64)

    def tighter(self) -> NDArray[np.int64] | None:
        """Drop the weaker half of the ties until it falls apart; None where nothing is left of it."""
        left = self.graph
        while left.nnz:
            left = _only(left, left.data > np.median(left.data))
            count, part = connected_components(left, directed=False)
            if count > 1:
                return None if count == len(self.members) else part.astype(np.int64)
        return None


def _only(graph: sp.csr_matrix, kept: NDArray[np.bool_]) -> sp.csr_matrix:
    """Keep some of a graph's ties."""
    out = graph.copy()
    out.data[~kept] = 0
    out.eliminate_zeros()
    return out


def _cores_first(part: NDArray[np.int64], count: int) -> Iterator[NDArray[np.int64]]:
    """Propose the parts large enough to be cores, and the rest as one part, where there are both."""
    core = np.bincount(part, minlength=count) >= MIN_CORE
    if core.any() and not core.all():
        number = np.where(core, np.cumsum(core) - 1, core.sum())
        yield number[part].astype(np.int64)
