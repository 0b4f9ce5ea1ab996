"""Companies that hold each other in a circle."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from stillwatch.respond.access.ownership.graph import OwnershipGraph


def circles_above(graph: OwnershipGraph, ids: Sequence[str]) -> list[tuple[str, ...]]:
    """Find the circles among some companies.

    Args:
        graph: Who owns whom.
        ids: The companies.

    Returns:
        Groups of companies of whom each is, through others, an owner of each other; and companies that hold
        shares of themselves.
    """
    place = {each: number for number, each in enumerate(ids)}
    edges = [
        (place[row.subject], place[claim.owner])
        for each in ids
        for row in graph.rows_about.get(each, ())
        for claim in row.claims
        if claim.owner in place
    ]
    if not edges:
        return []
    subjects, owners = zip(*edges, strict=True)
    matrix = sparse.csr_matrix((np.ones(len(edges)), (subjects, owners)), shape=(len(ids), len(ids)))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    groups: dict[int, list[str]] = {}
    for each, label in zip(ids, labels.tolist(), strict=True):
        groups.setdefault(label, []).append(each)
    own = {ids[subject] for subject, owner in edges if subject == owner}
    return [tuple(group) for group in groups.values() if len(group) > 1 or group[0] in own]
