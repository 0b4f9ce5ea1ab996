"""Through whom: the strongest chains of holdings from an organization to unsupported entities."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import prod
from typing import Final

from stillwatch.respond.access.ownership.assessment import OwnershipPath, Step
from stillwatch.respond.access.ownership.graph import OwnershipGraph
from stillwatch.respond.access.ownership.regions import Standing
from stillwatch.respond.access.ownership.rows import Claim
from stillwatch.respond.access.ownership.sentences import chain_words

_MOST_STEPS_TRIED: Final = 20_000
"""A dense group has more chains than anybody reads; the search gives up with what it found."""


class PathFinder:
    """Finds chains in one graph, for any of its organizations.

    Args:
        graph: Who owns whom.
        unsupported: The region list, for the words.
    """

    def __init__(self, graph: OwnershipGraph, unsupported: frozenset[str]) -> None:
        self._graph = graph
        self._unsupported = unsupported
        self._leading = _leading(graph)

    def strongest(self, start: str, *, most: int = 5) -> tuple[OwnershipPath, ...]:
        """Find the chains that carry the largest share.

        Args:
            start: The organization.
            most: How many chains at most.

        Returns:
            Simple chains that end at the first unsupported owner, strongest first. Chains with an unstated share
            come last.
        """
        return tuple(self._path(chain) for chain in islice(_chains(self._graph, start, self._leading), most))

    def _path(self, chain: Sequence[tuple[Claim, str]]) -> OwnershipPath:
        """Say one chain."""
        steps = tuple(_step(self._graph, claim, register) for claim, register in chain)
        end = self._graph.nodes[steps[-1].owner]
        return OwnershipPath(
            steps=steps,
            low=prod(step.low for step in steps),
            place=end.headquarters or end.jurisdiction or end.residence,
            sentence=chain_words(steps, end, self._unsupported),
        )


def _leading(graph: OwnershipGraph) -> Mapping[str, list[tuple[Claim, str]]]:
    """Keep the claims that lead to an unsupported entity: subject to its claims, one per owner."""
    subjects_of: dict[str, set[str]] = {}
    best: dict[tuple[str, str], tuple[Claim, str]] = {}
    for row in graph.rows:
        for claim in row.claims:
            subjects_of.setdefault(claim.owner, set()).add(claim.subject)
            known = best.get((claim.subject, claim.owner))
            if known is None or (claim.control, claim.low) > (known[0].control, known[0].low):
                best[claim.subject, claim.owner] = (claim, row.register)
    ends = {each for each, node in graph.nodes.items() if node.standing is Standing.UNSUPPORTED}
    useful, frontier = set(ends), list(ends)
    while frontier:
        fresh = subjects_of.get(frontier.pop(), set()) - useful
        useful |= fresh
        frontier.extend(fresh)
    leading: dict[str, list[tuple[Claim, str]]] = {}
    for (subject, owner), claimed in best.items():
        if owner in useful and subject not in ends:
            leading.setdefault(subject, []).append(claimed)
    return leading


def _chains(
    graph: OwnershipGraph, start: str, leading: Mapping[str, list[tuple[Claim, str]]]
) -> Iterator[tuple[tuple[Claim, str], ...]]:
    """Yield chains in falling order of their product, as the cascade counts shares."""
    heap: list[tuple[float, int, int, str, tuple[tuple[Claim, str], ...]]] = [(-1.0, 0, 0, start, ())]
    tried = 0
    while heap and tried < _MOST_STEPS_TRIED:
        negative, length, _, node, chain = heapq.heappop(heap)
        if chain and graph.nodes[node].standing is Standing.UNSUPPORTED:
            yield chain
            continue
        met = {claim.subject for claim, _ in chain}
        for claimed in leading.get(node, ()):
            claim = claimed[0]
            tried += 1
            if claim.owner not in met and claim.owner != node:
                heapq.heappush(
                    heap, (negative * claim.control, length + 1, tried, claim.owner, (*chain, claimed))
                )


def _step(graph: OwnershipGraph, claim: Claim, register: str) -> Step:
    """Name both ends of a claim."""
    return Step(
        subject=claim.subject,
        subject_name=graph.nodes[claim.subject].name,
        owner=claim.owner,
        owner_name=graph.nodes[claim.owner].name,
        low=min(claim.low, 1.0),
        high=min(claim.high, 1.0),
        basis=claim.basis,
        way=claim.way.value,
        source=register,
        statement=claim.statement,
    )
