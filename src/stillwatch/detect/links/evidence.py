"""Add up what ties two accounts, kind by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.links.active_hours import ActiveHours, find_active_hours
from stillwatch.detect.links.membership import LinkKind, Membership, alone_nats
from stillwatch.detect.links.pairs import Rows, holder_pairs
from stillwatch.detect.links.registry import link_kinds
from stillwatch.detect.links.template_family import TemplateFamilies, find_template_families
from stillwatch.detect.links.weighing import cap_together, in_chunks, keep_strongest, shared_nats
from stillwatch.detect.profiles.population import Population

if TYPE_CHECKING:
    from numpy.typing import NDArray

RING = 12  # accounts that each holder of a widely held value is compared with
ALL_PAIRS = 32  # holders up to which all pairs are compared


@dataclass(frozen=True)
class SharedValues:
    """The values of one kind that accounts share.

    Args:
        kind: What is shared.
        members: Accounts and values.
    """

    kind: LinkKind
    members: Membership


class LinkEvidence:
    """All link evidence of a population, computed for pairs on demand.

    Args:
        population: The accounts.
        threads: Threads that weigh pairs.
    """

    def __init__(self, population: Population, *, threads: int = 1) -> None:
        """Find every kind of shared value."""
        self.population = population
        self.size = len(population)
        self.threads = threads
        self.templates: TemplateFamilies | None = find_template_families(population)
        self.hours: ActiveHours | None = find_active_hours(population)
        found = [(kind, kind.find(population)) for kind in link_kinds()]
        self.shared = [SharedValues(kind, members) for kind, members in found if members is not None]
        self.missing = [kind for kind, members in found if members is None]
        self._index_values()

    def _index_values(self) -> None:
        """Number the values of all kinds in one row, so that one walk over two accounts weighs them all."""
        names = [one.kind.name for one in self.shared]
        names += ["active_hours"] if self.hours is not None else []
        names += ["template_family"] if self.templates is not None else []
        self.names = tuple(names)
        self._networks = self._columns("network")
        self._access = np.array(
            [
                at
                for at, one in enumerate(self.shared)
                if one.kind.family != "timing" and one.kind.alone_max_accounts > 0
            ],
            dtype=np.int64,
        )
        self._timing = self._columns("timing")
        if self.hours is not None:
            self._timing = np.append(self._timing, names.index("active_hours"))
        counts = [len(one.members.holders) for one in self.shared]
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._kind_of = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
        self._nats_of = np.concatenate([np.empty(0), *(one.members.nats for one in self.shared)])
        accounts = [one.members.account for one in self.shared]
        values = [one.members.value + start for one, start in zip(self.shared, starts, strict=False)]
        self._rows = Rows.of(accounts, values, self.size)

    def _columns(self, family: str) -> NDArray[np.int64]:
        found = [at for at, one in enumerate(self.shared) if one.kind.family == family]
        return np.array(found, dtype=np.int64)

    def _timeless(
        self, left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weigh pairs, coincidences of active hours left at 0.

        Returns:
            `(m, n_names)` nats, a column for each of `names`, and `(m,)` how far demand agrees (cosine).
        """
        nats = np.zeros((len(left), len(self.names)))
        shared_nats(self._rows.pointers, self._rows.values, self._kind_of, self._nats_of, left, right, nats)
        keep_strongest(nats, self._networks)
        if self.templates is not None:
            families, agreement = self.templates.shared(left, right, self.size)
            nats[:, self.names.index("template_family")] = families
            return nats, agreement
        return nats, np.zeros(len(left))

    def _add_timing(
        self, nats: NDArray[np.float64], left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Add active hours, and bound what all coincidences in time are worth together: they ride on each other."""
        if self.hours is not None:
            nats[:, self.names.index("active_hours")] = self.hours.nats(left, right)
        cap_together(nats, self._timing, 0.5 * alone_nats(self.size))
        return nats

    def _weigh(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        return self._add_timing(self._timeless(left, right)[0], left, right)

    def by_kind(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the nats of each kind for pairs of accounts.

        Of several shared values of one kind the rarest counts, and of kinds that see the same thing (address, network
        and autonomous system) the strongest: what is seen twice is not two pieces of evidence.

        Args:
            left: `(m,)` positions.
            right: `(m,)` positions.

        Returns:
            Kind name -> `(m,)` float64.
        """
        nats = np.empty((len(left), len(self.names)))

        def work(some: slice) -> None:
            nats[some] = self._weigh(left[some], right[some])

        in_chunks(work, len(left), self.threads)
        return {name: nats[:, column] for column, name in enumerate(self.names)}

    def total(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the summed nats of pairs of accounts, `(m,)` float64."""
        total = np.empty(len(left))

        def work(some: slice) -> None:
            total[some] = self._weigh(left[some], right[some]).sum(axis=1)

        in_chunks(work, len(left), self.threads)
        return total

    def sides(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what pairs of accounts share, from three sides.

        Returns:
            `(m, 3)` float64: nats in total, nats by access and registration, and how far their demand agrees over
            template families (cosine).
        """
        out = np.zeros((len(left), 3))

        def work(some: slice) -> None:
            timeless, out[some, 2] = self._timeless(left[some], right[some])
            nats = self._add_timing(timeless, left[some], right[some])
            out[some, 0] = nats.sum(axis=1)
            out[some, 1] = nats[:, self._access].sum(axis=1)

        in_chunks(work, len(left), self.threads)
        return out

    def access(self, by_kind: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Add up what pairs share by access and registration, of the nats of each kind, `(m,)` float64."""
        total = np.zeros(len(next(iter(by_kind.values()))) if by_kind else 0)
        for column in self._access.tolist():
            total += by_kind[self.names[column]]
        return total

    def strong(
        self, left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Keep the pairs that are tied by more than one link alone may be worth, with their nats.

        Coincidences in time are worth at most half of that, so that they are looked at only where the rest is worth
        the other half.

        Returns:
            Left, right and nats of the pairs kept.
        """
        alone = alone_nats(self.size)
        total = np.zeros(len(left))

        def work(some: slice) -> None:
            timeless, _ = self._timeless(left[some], right[some])
            hopeful = np.flatnonzero(timeless.sum(axis=1) > 0.5 * alone)
            ends = left[some][hopeful], right[some][hopeful]
            total[some.start + hopeful] = self._add_timing(timeless[hopeful], *ends).sum(axis=1)

        in_chunks(work, len(left), self.threads)
        kept = total > alone + 1e-9
        return left[kept], right[kept], total[kept]

    def candidates(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """List pairs worth weighing: those that share anything, a bounded number per account and value.

        All pairs of holders of a value held by few; for a value held by many each holder is paired with its neighbors
        on a random ring, which keeps the holders connected at a cost that grows with their number only.

        Returns:
            Two `(m,)` arrays of positions, left below right.
        """
        order = rng.permutation(self.size)
        rows = [self._rows, *([self.templates.telling_rows()] if self.templates is not None else [])]
        pairs = np.empty(0, np.int64)
        for one in rows:
            columns = one.transposed()
            listed = holder_pairs(columns.pointers, columns.values, order, ALL_PAIRS, RING, self.size)
            pairs = np.concatenate([pairs, listed])
        pairs = np.sort(pairs)
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])] if len(pairs) else pairs
        return pairs // self.size, pairs % self.size
