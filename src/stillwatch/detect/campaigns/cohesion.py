"""How tightly a cluster's accounts are tied, by what they share in access and by what they share in demand.

People behind one address write different things; people who use one public template sit behind different addresses.
A campaign's accounts share both: they are reached through the same few clients, networks and cards, and their prompts
come from the same templates. Each of the two alone is ordinary, so both are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from stillwatch.detect.links.evidence import LinkEvidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

ACCESS_TIES = 3  # a campaign's account shares its access with a few others at least
PROMPT_TIES = 6  # and its templates with more
DECLARED_SHARE = 0.8  # one payer or one domain of its own behind this share of the accounts: one customer, many seats


@dataclass(frozen=True)
class Ties:
    """The ties inside clusters.

    Args:
        left: `(m,)` positions of one end.
        right: `(m,)` positions of the other.
        by_kind: Nats of each kind of link, `(m,)` each.
        access: `(n_clusters,)` mean nats of each account's strongest ties by access and registration.
        prompts: `(n_clusters,)` mean nats of each account's strongest ties by prompt templates.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    by_kind: dict[str, NDArray[np.float64]]
    access: NDArray[np.float64]
    prompts: NDArray[np.float64]

    @property
    def coordination(self) -> NDArray[np.float64]:
        """Return the harmonic mean of both, nats: high only where both are."""
        total = self.access + self.prompts
        return np.where(total > 0, 2 * self.access * self.prompts / np.maximum(total, 1e-12), 0.0)


def measure_ties(evidence: LinkEvidence, graph: sp.csr_matrix, clusters: Sequence[NDArray[np.int64]]) -> Ties:
    """Weigh the ties inside each cluster.

    Args:
        evidence: The links.
        graph: Ties between accounts.
        clusters: Positions of each cluster's accounts; no account in two.
    """
    of = np.full(evidence.size, -1)
    for index, members in enumerate(clusters):
        of[members] = index
    edges = sp.triu(graph).tocoo()
    inside = (of[edges.row] == of[edges.col]) & (of[edges.row] >= 0)
    left, right = edges.row[inside].astype(np.int64), edges.col[inside].astype(np.int64)
    by_kind = evidence.by_kind(left, right)
    families = {shared.kind.name: shared.kind for shared in evidence.shared}
    access = np.zeros(len(left))
    for name, kind in families.items():
        if kind.family != "timing" and kind.alone_max_accounts > 0:
            access += by_kind[name]
    prompts = (
        evidence.templates.prompt_nats(left, right, evidence.size) if evidence.templates else np.zeros(len(left))
    )
    return Ties(
        left,
        right,
        by_kind,
        _per_cluster(left, right, access, ACCESS_TIES, of, len(clusters)),
        _per_cluster(left, right, prompts, PROMPT_TIES, of, len(clusters)),
    )


def _per_cluster(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    nats: NDArray[np.float64],
    strongest: int,
    of: NDArray[np.int64],
    n_clusters: int,
) -> NDArray[np.float64]:
    """Average each account's strongest ties, then the accounts of each cluster."""
    account = np.concatenate([left, right])
    both = np.concatenate([nats, nats])
    order = np.lexsort((-both, account))
    account, both = account[order], both[order]
    rank = np.arange(len(account)) - np.searchsorted(account, account)
    kept = rank < strongest
    mean = np.bincount(account[kept], both[kept], len(of)) / strongest
    clustered = of >= 0
    size = np.bincount(of[clustered], minlength=n_clusters)
    return np.bincount(of[clustered], mean[clustered], n_clusters) / np.maximum(size, 1)


def declared(evidence: LinkEvidence, clusters: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Tell which clusters are openly one customer: one payer, or one e-mail domain of their own, behind most accounts.

    Returns:
        `(n_clusters,)` bool.
    """
    of = np.full(evidence.size, -1)
    for index, members in enumerate(clusters):
        of[members] = index
    size = np.array([len(members) for members in clusters])
    out = np.zeros(len(clusters), dtype=bool)
    for shared in evidence.shared:
        if shared.kind.family != "registration":
            continue
        account, value = shared.members.account, shared.members.value
        inside = of[account] >= 0
        keys, count = np.unique(value[inside] * len(clusters) + of[account[inside]], return_counts=True)
        cluster, held = keys % len(clusters), shared.members.holders[keys // len(clusters)]
        own = (count >= DECLARED_SHARE * size[cluster]) & (count >= DECLARED_SHARE * held) & (count > 1)
        out[cluster[own]] = True
    return out
