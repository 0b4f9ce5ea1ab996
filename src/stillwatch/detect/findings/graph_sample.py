"""The part of the account graph that a finding shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.findings.detection import Look
from stillwatch.domain.findings import GraphEdge, GraphNode, GraphSample

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN_NODES, SHOWN_EDGES = 120, 400


def graph_sample(seen: Look, members: NDArray[np.int64]) -> GraphSample:
    """Show the busiest accounts of a finding and the strongest ties between them.

    Args:
        seen: The window.
        members: Positions of the finding's accounts.
    """
    requests = seen.groups.measures["requests"]
    inside = np.isin(seen.ties.left, members) & np.isin(seen.ties.right, members)
    shown = members[np.argsort(-requests[members], kind="stable")[:SHOWN_NODES]]
    both = np.isin(seen.ties.left, shown) & np.isin(seen.ties.right, shown)
    total = np.sum(list(seen.ties.by_kind.values()), axis=0) if seen.ties.by_kind else np.zeros(len(both))
    places = np.flatnonzero(both)
    places = places[np.argsort(-total[places], kind="stable")[:SHOWN_EDGES]]
    ids = seen.population.account_ids
    return GraphSample(
        nodes=tuple(GraphNode(account_id=str(ids[one]), exchanges=int(requests[one])) for one in shown),
        edges=tuple(
            GraphEdge(
                source=str(ids[seen.ties.left[place]]),
                target=str(ids[seen.ties.right[place]]),
                nats=float(total[place]),
                kinds=tuple(sorted(name for name, nats in seen.ties.by_kind.items() if nats[place] > 0)),
            )
            for place in places
        ),
        total_nodes=len(members),
        total_edges=int(inside.sum()),
    )
