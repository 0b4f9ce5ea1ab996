"""Add up what ties two accounts, kind by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from stillwatch.detect.links.active_hours import ActiveHours, find_active_hours
from stillwatch.detect.links.membership import LinkKind, Membership, alone_nats
from stillwatch.detect.links.pairs import holder_pairs, pair_max, pair_sum
from stillwatch.detect.links.registry import link_kinds
from stillwatch.detect.links.template_family import TemplateFamilies, find_template_families
from stillwatch.detect.profiles.population import Population

if TYPE_CHECKING:
    from numpy.typing import NDArray

RING = 12  # accounts that each holder of a widely held value is compared with
ALL_PAIRS = 32  # holders up to which all pairs are compared


@dataclass(frozen=True)
class SharedValues:
    """One kind's membership as matrices.

    Args:
        kind: What is shared.
        members: Accounts and values.
        held: `(n_accounts, n_values)` sparse ones.
        weighted: The same, in nats.
    """

    kind: LinkKind
    members: Membership
    held: sp.csr_matrix
    weighted: sp.csr_matrix


class LinkEvidence:
    """All link evidence of a population, computed for pairs on demand.

    Args:
        population: The accounts.
    """

    def __init__(self, population: Population) -> None:
        """Find every kind of shared value."""
        self.population = population
        self.size = len(population)
        self.templates: TemplateFamilies | None = find_template_families(population)
        self.hours: ActiveHours | None = find_active_hours(population)
        self.shared: list[SharedValues] = []
        self.missing: list[LinkKind] = []
        for kind in link_kinds():
            members = kind.find(population)
            if members is None:
                self.missing.append(kind)
            else:
                self.shared.append(self._matrices(kind, members))

    def _matrices(self, kind: LinkKind, members: Membership) -> SharedValues:
        shape = (self.size, len(members.holders))
        ones = np.ones(len(members.account))
        held = sp.csr_matrix((ones, (members.account, members.value)), shape=shape)
        nats = members.nats[members.value]
        return SharedValues(
            kind, members, held, sp.csr_matrix((nats, (members.account, members.value)), shape=shape)
        )

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
        out = self._timeless(left, right)
        for shared in self.shared:
            if shared.kind.family == "timing":
                out[shared.kind.name] = pair_max(shared.weighted, shared.held, left, right)
        if self.hours is not None:
            out["active_hours"] = self.hours.nats(left, right)
        self._cap_timing(out)
        return out

    def _timeless(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the nats of every kind but coincidences in time."""
        out: dict[str, NDArray[np.float64]] = {}
        networks: dict[str, NDArray[np.float64]] = {}
        for shared in self.shared:
            if shared.kind.family != "timing":
                nats = pair_max(shared.weighted, shared.held, left, right)
                (networks if shared.kind.family == "network" else out)[shared.kind.name] = nats
        if networks:
            best = np.max(np.stack(list(networks.values())), axis=0)
            for name, nats in networks.items():
                mine = (nats == best) & (best > 0)
                out[name] = np.where(mine, nats, 0.0)
                best = np.where(mine, 0.0, best)
        if self.templates is not None:
            out["template_family"] = self.templates.nats(left, right, self.size)
        return out

    def _cap_timing(self, out: dict[str, NDArray[np.float64]]) -> None:
        """Bound what all coincidences in time are worth together: they ride on each other."""
        names = [
            shared.kind.name
            for shared in self.shared
            if shared.kind.family == "timing" and shared.kind.name in out
        ]
        names += ["active_hours"] if "active_hours" in out else []
        if not names:
            return
        together = np.sum([out[name] for name in names], axis=0)
        scale = np.minimum(1.0, 0.5 * alone_nats(self.size) / np.maximum(together, 1e-12))
        for name in names:
            out[name] = out[name] * scale

    def total(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the summed nats of pairs of accounts, `(m,)` float64."""
        total = np.zeros(len(left))
        for nats in self.by_kind(left, right).values():
            total += nats
        return total

    def access(self, by_kind: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Add up what pairs share by access and registration, of the nats of each kind, `(m,)` float64."""
        telling = [
            shared.kind.name
            for shared in self.shared
            if shared.kind.family != "timing" and shared.kind.alone_max_accounts > 0
        ]
        total = np.zeros(len(next(iter(by_kind.values()))) if by_kind else 0)
        for name in telling:
            total += by_kind[name]
        return total

    def agreement(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how far the demand of pairs agrees over template families, cosine `(m,)` float64."""
        if self.templates is None:
            return np.zeros(len(left))
        return pair_sum(self.templates.direction, self.templates.direction, left, right)

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
        timeless = np.zeros(len(left))
        for nats in self._timeless(left, right).values():
            timeless += nats
        hopeful = timeless > 0.5 * alone
        left, right = left[hopeful], right[hopeful]
        nats = self.total(left, right)
        kept = nats > alone + 1e-9
        return left[kept], right[kept], nats[kept]

    def candidates(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """List pairs worth weighing: those that share anything, a bounded number per account and value.

        All pairs of holders of a value held by few; for a value held by many each holder is paired with its neighbors
        on a random ring, which keeps the holders connected at a cost that grows with their number only.

        Returns:
            Two `(m,)` arrays of positions, left below right.
        """
        order = rng.permutation(self.size)
        matrices = [shared.held for shared in self.shared]
        if self.templates is not None:
            matrices.append(self.templates.own)
        found = []
        for matrix in matrices:
            columns = matrix.tocsc()
            found.append(holder_pairs(columns.indptr, columns.indices, order, ALL_PAIRS, RING, self.size))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        pairs = np.sort(np.concatenate(found))
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])] if len(pairs) else pairs
        return pairs // self.size, pairs % self.size
