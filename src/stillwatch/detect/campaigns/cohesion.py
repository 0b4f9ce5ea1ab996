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
from stillwatch.detect.links.load_levelling import daily_log_load, in_line
from stillwatch.detect.links.membership import alone_nats

if TYPE_CHECKING:
    from numpy.typing import NDArray

ACCESS_TIES = 3  # a campaign's account shares its access with a few others at least
PROMPT_TIES = 6  # and its templates with more
BYSTANDER = 0.1  # of the usual member's ties of each sort, what a member shows at least
DECLARED_SHARE = (
    0.8  # one payer or one domain of its own behind this share of the accounts: one customer, many seats
)


@dataclass(frozen=True)
class Ties:
    """The ties inside clusters.

    Args:
        left: `(m,)` positions of one end.
        right: `(m,)` positions of the other.
        by_kind: Nats of each kind of link, `(m,)` each.
        access: `(n_clusters,)` mean nats of each account's strongest ties by access and registration.
        prompts: `(n_clusters,)` mean nats of each account's strongest ties by prompt templates.
        coordination: `(n_clusters,)` mean over accounts of the harmonic mean of their own two, nats: high only where the
            same accounts share both. Of two halves of which one shares access and the other templates, it is low.
        own_access: `(n_accounts,)` the same of each account.
        own_prompts: `(n_accounts,)` the same of each account.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    by_kind: dict[str, NDArray[np.float64]]
    access: NDArray[np.float64]
    prompts: NDArray[np.float64]
    coordination: NDArray[np.float64]
    own_access: NDArray[np.float64]
    own_prompts: NDArray[np.float64]


def harmonic_mean(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the harmonic mean, 0 where both are 0."""
    return np.where(a + b > 0, 2 * a * b / np.maximum(a + b, 1e-12), 0.0)


def without_bystanders(
    evidence: LinkEvidence, graph: sp.csr_matrix, clusters: Sequence[NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    """Leave out accounts that share only one of the two with their cluster, where the others share both.

    Somebody behind the operator's VPN, or who uses the same public template, is nobody's accomplice; nor is somebody
    far busier than the rest, as a fleet is dealt equal loads. Who is left out is still looked at alone.

    Args:
        evidence: The links.
        graph: Ties between accounts.
        clusters: Positions of each cluster's accounts.
    """
    ties = measure_ties(evidence, graph, clusters)
    load = daily_log_load(evidence.population)
    kept = []
    for members in clusters:
        stays = in_line(load[members])
        for own in (ties.own_access[members], ties.own_prompts[members]):
            usual = float(np.median(own)) if len(own) else 0.0
            if usual >= alone_nats(evidence.size):  # otherwise it is not what holds the cluster together
                stays &= own >= BYSTANDER * usual
        kept.append(members[stays])
    return kept


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
    access = evidence.access(by_kind)
    prompts = (
        evidence.templates.prompt_nats(left, right, evidence.size)
        if evidence.templates
        else np.zeros(len(left))
    )
    own_access = _per_account(left, right, access, ACCESS_TIES, evidence.size)
    own_prompts = _per_account(left, right, prompts, PROMPT_TIES, evidence.size)
    clustered = of >= 0
    size = np.maximum(np.bincount(of[clustered], minlength=len(clusters)), 1)
    mean_access, mean_prompts, coordination = (
        np.bincount(of[clustered], own[clustered], len(clusters)) / size
        for own in (own_access, own_prompts, harmonic_mean(own_access, own_prompts))
    )
    return Ties(left, right, by_kind, mean_access, mean_prompts, coordination, own_access, own_prompts)


def _per_account(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    nats: NDArray[np.float64],
    strongest: int,
    n_accounts: int,
) -> NDArray[np.float64]:
    """Average each account's strongest ties."""
    account = np.concatenate([left, right])
    both = np.concatenate([nats, nats])
    order = np.lexsort((-both, account))
    account, both = account[order], both[order]
    rank = np.arange(len(account)) - np.searchsorted(account, account)
    kept = rank < strongest
    return np.asarray(np.bincount(account[kept], both[kept], n_accounts) / strongest)


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
