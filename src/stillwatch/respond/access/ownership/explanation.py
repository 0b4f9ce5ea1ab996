"""Why the answer is what it is, in plain sentences: the reasons, what is not known, and what looks odd."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stillwatch.respond.access.ownership.assessment import Bounds, Outcome
from stillwatch.respond.access.ownership.circles import circles_above
from stillwatch.respond.access.ownership.graph import Gap, Node, OwnershipGraph
from stillwatch.respond.access.ownership.policy import AtThreshold, OwnershipPolicy, Reading
from stillwatch.respond.access.ownership.regions import Standing
from stillwatch.respond.access.ownership.rows import ROUNDING
from stillwatch.respond.access.ownership.sentences import GAP_WORDS, called, percent, place_words
from stillwatch.respond.access.ownership.tables import CONSOLIDATION, EntityKind, Way

_MOST_SENTENCES: Final = 12
_VISIBLE: Final = 1e-6

_READINGS: Final = {
    Reading.PROPORTIONAL: "multiplying shares along each chain",
    Reading.CASCADE: "counting what majority-held companies hold as a whole",
}


@dataclass(frozen=True)
class Explanation:
    """Sentences, each with its period."""

    reasons: tuple[str, ...]
    unknowns: tuple[str, ...]
    notes: tuple[str, ...]


def explain(
    graph: OwnershipGraph, node: Node, bounds: Sequence[Bounds], policy: OwnershipPolicy
) -> Explanation:
    """Explain one assessment.

    Args:
        graph: Who owns whom.
        node: The organization.
        bounds: Its shares under both readings.
        policy: What was applied.

    Returns:
        The sentences. What is not known is listed only where it could change the answer.
    """
    if node.standing is Standing.UNSUPPORTED:
        itself = f"{called(node.name, node.entity_id)} is itself {place_words(node, policy.unsupported)}."
        return Explanation((itself,), (), ())
    reasons = tuple(_bounds_sentence(each, policy) for each in bounds)
    open_questions = any(each.high - each.low > _VISIBLE for each in bounds)
    above = tuple(_nodes_above(graph, node.entity_id))
    unknowns = _limited(_unknowns(graph, above)) if open_questions else ()
    return Explanation(reasons, unknowns, _limited(_notes(graph, above, policy)))


def _bounds_sentence(bounds: Bounds, policy: OwnershipPolicy) -> str:
    """Say one reading's interval and what it means."""
    low, high = bounds.low, bounds.high
    how = _READINGS[bounds.reading]
    if high - low <= _VISIBLE:
        held = f"unsupported regions hold {_just(low, policy)}"
    elif low <= _VISIBLE:
        held = f"unsupported regions hold at most {_just(high, policy)}"
    else:
        held = f"unsupported regions hold at least {_just(low, policy)} and at most {_just(high, policy)}"
    return f"By {how}, {held}: {_verdict(bounds.outcome, policy)}."


def _just(share: float, policy: OwnershipPolicy) -> str:
    """Say a share so that it is not rounded onto the threshold."""
    off = share - policy.threshold
    if ROUNDING < abs(off) < 5e-5:
        return f"just {'over' if off > 0 else 'under'} {percent(policy.threshold)}"
    return percent(share)


def _verdict(outcome: Outcome, policy: OwnershipPolicy) -> str:
    """Compare with the threshold in words."""
    limit = percent(policy.threshold)
    most = f"less than {limit}" if policy.at_threshold is AtThreshold.REFUSED else f"not more than {limit}"
    least = f"{limit} or more" if policy.at_threshold is AtThreshold.REFUSED else f"more than {limit}"
    return {
        Outcome.REFUSED: f"{least}, refused",
        Outcome.CLEAR: f"{most}, clear",
        Outcome.UNKNOWN: f"it may be {least}, not known",
    }[outcome]


def _nodes_above(graph: OwnershipGraph, start: str) -> Iterator[Node]:
    """Yield the organization and everybody above it who is looked through, nearest first."""
    met, frontier = {start}, [start]
    while frontier:
        following = []
        for each in frontier:
            node = graph.nodes[each]
            yield node
            if node.standing in {Standing.UNSUPPORTED, Standing.HARMLESS}:
                continue
            for row in graph.rows_about.get(each, ()):
                fresh = [claim.owner for claim in row.claims if claim.owner not in met]
                met.update(fresh)
                following.extend(fresh)
        frontier = following


def _unknowns(graph: OwnershipGraph, above: Sequence[Node]) -> Iterator[str]:
    """Say of each company what nobody says."""
    for node in above:
        if node.standing in {Standing.UNSUPPORTED, Standing.HARMLESS}:
            continue
        who = called(node.name, node.entity_id)
        if node.kind is EntityKind.UNKNOWN:
            yield f"No register says who or where {who} is."
        elif node.standing is Standing.UNKNOWN:
            yield f"It is not known where {who} belongs."
        yield from _rest(graph, node, who)


def _rest(graph: OwnershipGraph, node: Node, who: str) -> Iterator[str]:
    """Say which share of a company has no known owner, and why."""
    rows = graph.rows_about.get(node.entity_id, ())
    known = max(
        (min(1.0, row.claimed_total) + row.accepted for row in rows if row.clears),
        default=0.0,
    )
    why = _reasons(graph.gaps.get(node.entity_id, ()))
    if not any(row.claims for row in rows) and known <= ROUNDING:
        yield f"Nobody says who owns {who}{why}."
    elif known < 1.0 - _VISIBLE:
        yield f"It is not known who holds {percent(1.0 - known)} of {who}{why}."
    between = [
        claim for row in rows for claim in row.claims if not claim.clears and claim.basis != CONSOLIDATION
    ]
    if between:
        owners = ", ".join(called(graph.nodes[claim.owner].name, claim.owner) for claim in between[:3])
        yield f"It is not stated through whom {who} is held by {owners}."


def _reasons(gaps: Sequence[Gap]) -> str:
    """Add what the registers say about the gap."""
    said = dict.fromkeys(
        f"{gap.register} says that {GAP_WORDS.get(gap.reason, 'the owner is not stated')} ({gap.reason})"
        for gap in gaps
    )
    return f": {'; '.join(said)}" if said else ""


def _notes(graph: OwnershipGraph, above: Sequence[Node], policy: OwnershipPolicy) -> Iterator[str]:
    """Say what a person should look at."""
    ids = [node.entity_id for node in above]
    for circle in circles_above(graph, ids):
        names = ", ".join(called(graph.nodes[each].name, each) for each in circle)
        yield f"These hold each other in a circle, which was solved exactly: {names}."
    for each in ids:
        for row in graph.rows_about.get(each, ()):
            if row.contradicts_itself:
                who = called(graph.nodes[each].name, each)
                kind = "indirect " if row.way is Way.INDIRECT else ""
                yield (
                    f"{row.register} contradicts itself: the {kind}holdings in {who} add up to "
                    f"{percent(row.claimed_total)}; they were scaled down to 100 %."
                )
    persons = sum(node.kind is EntityKind.PERSON and node.standing is Standing.HARMLESS for node in above)
    if persons and policy.persons.value == "ignored":
        yield f"{persons} natural person(s) among the owners were not counted, as the policy says."


def _limited(sentences: Iterator[str]) -> tuple[str, ...]:
    """Keep the first sentences and say how many more there are."""
    every = list(dict.fromkeys(sentences))
    if len(every) <= _MOST_SENTENCES:
        return tuple(every)
    return (*every[:_MOST_SENTENCES], f"And {len(every) - _MOST_SENTENCES} more of this kind.")
