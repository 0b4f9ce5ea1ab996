"""Give clusters ids that last: the same campaign keeps its id while accounts join, leave and are replaced."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

KEPT_SHARE = 0.3  # a cluster inherits the id of a campaign that this share of its known accounts belonged to


def campaign_ids(clusters: Sequence[Sequence[str]], known: Mapping[str, str]) -> list[str]:
    """Name clusters after the campaigns they continue.

    A cluster inherits the id under which most of its accounts were known, if they were at least `KEPT_SHARE` of the
    accounts once known under any id; of two clusters that claim one id the larger claim wins. A new campaign is
    named after its first account, so that it has the same id whenever it is found.

    Args:
        clusters: Account ids of each cluster, the one that was used first in front.
        known: Account id -> campaign id, from earlier scans or steps.

    Returns:
        One id per cluster.
    """
    claims: list[tuple[int, int, str]] = []
    for index, members in enumerate(clusters):
        votes: dict[str, int] = {}
        for account in members:
            if account in known:
                votes[known[account]] = votes.get(known[account], 0) + 1
        total = sum(votes.values())
        claims.extend((count, index, name) for name, count in votes.items() if count >= KEPT_SHARE * total)
    out: dict[int, str] = {}
    taken: set[str] = set()
    for _, index, name in sorted(claims, key=lambda claim: (-claim[0], claim[1], claim[2])):
        if index not in out and name not in taken:
            out[index] = name
            taken.add(name)
    return [out.get(index) or _fresh(members, taken) for index, members in enumerate(clusters)]


def _fresh(members: Sequence[str], taken: set[str]) -> str:
    """Name a new campaign after the account that is listed first."""
    seed = members[0]
    for attempt in range(len(taken) + 1):
        digest = hashlib.blake2b(f"{seed}/{attempt}".encode(), digest_size=5).hexdigest()
        name = f"campaign-{digest}"
        if name not in taken:
            taken.add(name)
            return name
    raise RuntimeError("no free campaign id")
