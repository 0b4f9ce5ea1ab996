"""Who owns whom, as far as it is claimed: the nodes above an organization and the rows of claims about each.

A *row* is a set of claims about one company that count different shares of it, so that they may be added. The
direct holders that one register names are such a row. Indirect holders are not added to them, because they hold
through them; nor are the claims of two registers, because both may mean the same shares. Each of these is a row
of its own, and the best of the rows is what is known.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from stillwatch.respond.access.ownership.closure import holdings_above
from stillwatch.respond.access.ownership.policy import OwnershipPolicy, Persons
from stillwatch.respond.access.ownership.regions import Standing, place_in, seat_of
from stillwatch.respond.access.ownership.rows import Claim, Row, rows_of
from stillwatch.respond.access.ownership.tables import EntityKind, Register


@dataclass(frozen=True, slots=True)
class Node:
    """One entity or person, and what its own place says about it."""

    entity_id: str
    name: str | None = None
    kind: EntityKind = EntityKind.UNKNOWN
    headquarters: str | None = None
    jurisdiction: str | None = None
    residence: str | None = None
    standing: Standing = Standing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Gap:
    """An owner that a register says it cannot name."""

    register: str
    reason: str
    low: float | None


@dataclass(frozen=True)
class OwnershipGraph:
    """The nodes above some organizations, and the rows of claims about each.

    Args:
        nodes: Entity id to node, in a fixed order.
        rows: Rows; `rows_about` has them by subject.
        gaps: Entity id to unnamed owners.
    """

    nodes: Mapping[str, Node]
    rows: Sequence[Row]
    gaps: Mapping[str, Sequence[Gap]]
    rows_about: Mapping[str, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        """Sort the rows by subject once."""
        about: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            about[row.subject].append(row)
        object.__setattr__(self, "rows_about", dict(about))


def build_graph(
    targets: Iterable[str], registers: Sequence[Register], policy: OwnershipPolicy
) -> OwnershipGraph:
    """Build the graph above some organizations.

    Args:
        targets: Entity ids.
        registers: Where holdings are claimed; the first that knows an entity describes it.
        policy: What counts.

    Returns:
        The graph. A target that no register knows is a node of unknown place without owners.
    """
    targets = tuple(dict.fromkeys(targets))
    parts = holdings_above(targets, registers)
    ids = dict.fromkeys(targets)
    for part in parts:
        for name in ("subject", "owner"):
            ids.update(dict.fromkeys(part.column(name).to_pylist()))
    nodes = _nodes(tuple(ids), registers, policy)
    gaps = _gaps(nodes, registers)
    ends = {each for each, node in nodes.items() if node.kind in {EntityKind.PERSON, EntityKind.STATE}}
    rows = [
        row
        for register, part in zip(registers, parts, strict=True)
        for row in rows_of(register.name, _claims(part, policy), _accepted(register.name, gaps, policy), ends)
    ]
    return OwnershipGraph(nodes, rows, gaps)


def _nodes(ids: Sequence[str], registers: Sequence[Register], policy: OwnershipPolicy) -> dict[str, Node]:
    """Describe every id from the first register that knows it."""
    described: dict[str, Node] = {}
    wanted = frozenset(ids)
    for register in registers:
        for entry in register.describe(wanted - described.keys()).to_pylist():
            node = Node(**{**entry, "kind": EntityKind(entry["kind"])})
            described.setdefault(node.entity_id, _with_standing(node, policy))
    return {each: described.get(each, Node(each)) for each in ids}


def _with_standing(node: Node, policy: OwnershipPolicy) -> Node:
    """Settle what the node's own kind and place say."""
    return Node(
        node.entity_id,
        node.name,
        node.kind,
        node.headquarters,
        node.jurisdiction,
        node.residence,
        _standing(node, policy),
    )


def _standing(node: Node, policy: OwnershipPolicy) -> Standing:
    """A supported state and a person who is no owner in the rule's sense end a chain harmlessly."""
    if node.kind is EntityKind.UNKNOWN:
        return Standing.UNKNOWN
    if node.kind is EntityKind.PERSON:
        if policy.persons is Persons.IGNORED:
            return Standing.HARMLESS
        where = place_in(node.residence, policy.unsupported)
    else:
        where = seat_of(node.headquarters, node.jurisdiction, policy.unsupported, policy.seat)
    if node.kind is EntityKind.ARRANGEMENT and where is Standing.UNKNOWN:
        return Standing.SUPPORTED  # looked through: what matters is who holds through it
    ends = node.kind in {EntityKind.PERSON, EntityKind.STATE}
    return Standing.HARMLESS if ends and where is Standing.SUPPORTED else where


def _gaps(nodes: Mapping[str, Node], registers: Sequence[Register]) -> dict[str, list[Gap]]:
    """Collect the unnamed owners of the nodes."""
    found: dict[str, list[Gap]] = defaultdict(list)
    ids = pa.array(nodes, pa.string())
    for register in registers:
        kept = register.gaps.filter(pa.compute.is_in(register.gaps.column("subject"), value_set=ids))
        for entry in kept.to_pylist():
            found[entry["subject"]].append(Gap(register.name, entry["reason"], entry["low"]))
    return dict(found)


def _accepted(
    register: str, gaps: Mapping[str, Sequence[Gap]], policy: OwnershipPolicy
) -> dict[str, float | None]:
    """Return the unnamed share of each subject that the lab takes as harmless; None is all the rest.

    One reason that is not accepted leaves everything open: nobody can say which reason stands for which share.
    """
    accepted: dict[str, float | None] = {}
    for subject, every in gaps.items():
        own = [gap for gap in every if gap.register == register]
        if own and all(gap.reason in policy.accepted_gaps for gap in own):
            stated = [gap.low for gap in own if gap.low is not None]
            accepted[subject] = sum(stated) if len(stated) == len(own) else None
    return accepted


def _claims(part: pa.Table, policy: OwnershipPolicy) -> list[Claim]:
    """Turn holdings into claims."""
    return [Claim.of(entry, policy) for entry in part.to_pylist()]
