"""How much of each company certainly belongs to unsupported regions, and how much certainly does not.

A share of a company is followed upwards until it reaches somebody from an unsupported region, or an end that is
known to be harmless, or nobody knows where it goes. Each node then has two shares,

    u(X) = sum over owners j of w(X, j) u(j),    u = 1 for an unsupported entity,
    c(X) = sum over owners j of w(X, j) c(j),    c = 1 for a harmless end,

with the lower bounds of the stated shares as w, and what is left, 1 - u - c, is unknown. Whatever the missing
percentages are, the true share from unsupported regions lies in [u, 1 - c]: raising a share takes from the unknown
rest only. Both are linear systems, (I - W) u = b, and the solution counts every path and every turn of a circle, as
the integrated ownership matrix of Brioschi, Buzzacchi and Colombo (1989) and Baldone, Brioschi and Paleari (1997)
does; it ends at the first unsupported owner, so that an owner and the owner's owner are not counted twice.

Where several rows speak about one company, the best of them counts. That is the least fixed point of a maximum of
linear maps, found by policy iteration: solve, switch each company to a row that promises more, solve again.
The number of choices is finite and each switch raises a value, so that it ends, and at the least fixed point
(Puterman 1994, chapter 7).
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stillwatch.respond.access.ownership.graph import OwnershipGraph
from stillwatch.respond.access.ownership.regions import Standing
from stillwatch.respond.access.ownership.rows import ROUNDING
from stillwatch.respond.access.ownership.solving import Flags, Shares, least_solution

_IMPROVES: Final = 1e-12


@dataclass(frozen=True)
class System:
    """The rows of a graph as matrices.

    Args:
        weights: `(n_rows, n_nodes)` sparse, least share of the row's subject that each owner holds.
        control: The same as the cascade counts it.
        subject: `(n_rows,)` node of each row.
        accepted: `(n_rows,)` unnamed share that is harmless.
        clears: `(n_rows,)` whether a row may show that a share is harmless.
        unsupported, harmless, supported: `(n_nodes,)` what a node's own place says.
    """

    weights: Any
    control: Any
    subject: NDArray[np.int64]
    accepted: Shares
    clears: Flags
    unsupported: Flags
    harmless: Flags
    supported: Flags

    def clearing(self) -> "System":
        """Return the system of those rows that may show that a share is harmless."""
        kept = sparse.diags_array(self.clears.astype(float), format="csr")
        return replace(self, weights=kept @ self.weights, control=kept @ self.control)


@dataclass(frozen=True)
class Attribution:
    """`(n_nodes,)` shares under one reading: certainly from unsupported regions, and certainly not."""

    unsupported: Shares
    harmless: Shares


def system_of(graph: OwnershipGraph) -> System:
    """Write the graph as matrices, nodes and rows in the graph's order."""
    place = {entity_id: number for number, entity_id in enumerate(graph.nodes)}
    entries = [
        (number, place[claim.owner], claim.low, claim.control)
        for number, row in enumerate(graph.rows)
        for claim in row.claims
    ]
    rows, columns, low, control = zip(*entries, strict=True) if entries else ((), (), (), ())
    shape = (len(graph.rows), len(graph.nodes))
    return System(
        sparse.csr_matrix((np.array(low, dtype=float), (rows, columns)), shape=shape),
        sparse.csr_matrix((np.array(control, dtype=float), (rows, columns)), shape=shape),
        np.array([place[row.subject] for row in graph.rows], dtype=np.int64),
        np.array([row.accepted for row in graph.rows], dtype=float),
        np.array([row.clears for row in graph.rows], dtype=bool),
        *(
            _are(graph, standing)
            for standing in (Standing.UNSUPPORTED, Standing.HARMLESS, Standing.SUPPORTED)
        ),
    )


def _are(graph: OwnershipGraph, standing: Standing) -> Flags:
    """Flag the nodes of one standing."""
    return np.array([node.standing is standing for node in graph.nodes.values()], dtype=bool)


def proportional(system: System) -> Attribution:
    """Multiply shares along each chain and add the chains.

    Args:
        system: The rows.

    Returns:
        The shares. A company of unknown place is never harmless.
    """
    nobody = np.zeros_like(system.accepted)
    free = ~(system.unsupported | system.harmless)
    unsupported = _least(system, system.unsupported.astype(float), free, nobody)
    open_ended = system.supported & free
    harmless = _least(system.clearing(), system.harmless.astype(float), open_ended, system.accepted)
    return Attribution(unsupported, harmless)


def cascade(system: System, threshold: float, *, inclusive: bool) -> Attribution:
    """Count what a majority-held company holds as a whole, and what others hold not at all.

    Args:
        system: The rows.
        threshold: Share that makes a company one of the group, 0 to 1.
        inclusive: Whether exactly the threshold does.

    Returns:
        The shares. The group grows from the unsupported entities until nobody joins, so that a circle which holds
        only itself never joins (U.S. Treasury, OFAC, FAQ 401, with a threshold of 50 % and inclusive).
    """
    nobody = np.zeros_like(system.accepted)
    free = ~(system.unsupported | system.harmless)
    unsupported = _grow(system, system.unsupported, free, nobody, threshold, inclusive=inclusive)
    open_ended = system.supported & free
    # Who is harmless to more than the complement cannot belong to the group, whoever holds the rest.
    harmless = _grow(
        system.clearing(),
        system.harmless,
        open_ended,
        system.accepted,
        1.0 - threshold,
        inclusive=not inclusive,
    )
    return Attribution(unsupported, harmless)


def exceeds(shares: Shares, threshold: float, *, inclusive: bool) -> Flags:
    """Compare with the threshold, blind to rounding."""
    flags: Flags = shares >= threshold - ROUNDING if inclusive else shares > threshold + ROUNDING
    return flags


def _grow(
    system: System, start: Flags, free: Flags, constant: Shares, threshold: float, *, inclusive: bool
) -> Shares:
    """Add whoever is held by the group beyond the threshold, until nobody is left to add."""
    group = start.copy()
    while True:
        values = _best(system, system.control @ group + constant, np.where(start, 1.0, 0.0), free)
        grown = group | (free & exceeds(values, threshold, inclusive=inclusive))
        if (grown == group).all():
            return values
        group = grown


def _best(system: System, row_values: Shares, fixed: Shares, free: Flags) -> Shares:
    """Give each free node the best of its rows; the others keep their value."""
    values = np.zeros(len(free))
    np.maximum.at(values, system.subject, row_values)
    return np.where(free, np.minimum(values, 1.0), fixed)


def _least(system: System, fixed: Shares, free: Flags, constant: Shares) -> Shares:
    """Solve for the least shares that no row can raise."""
    chosen = np.full(len(free), -1, dtype=np.int64)
    chosen[system.subject] = np.arange(len(system.subject))
    values = _solved(system, chosen, fixed, free, constant)
    while True:
        promising = _promising(system, system.weights @ values + constant, values, free)
        if not len(promising):
            return values
        chosen[system.subject[promising]] = promising
        risen = np.maximum(values, _solved(system, chosen, fixed, free, constant))
        if (risen - values).max() <= _IMPROVES:  # rounding, or a large circle that has not settled
            return risen
        values = risen


def _promising(system: System, row_values: Shares, values: Shares, free: Flags) -> NDArray[np.int64]:
    """Return the rows that raise their subject, the best row of a subject last."""
    capped = np.minimum(row_values, 1.0)
    better = np.flatnonzero(free[system.subject] & (capped > values[system.subject] + _IMPROVES))
    return better[np.argsort(capped[better], kind="stable")]


def _solved(
    system: System, chosen: NDArray[np.int64], fixed: Shares, free: Flags, constant: Shares
) -> Shares:
    """Solve v = W v + b for the chosen rows; a node without a row is 0."""
    values = np.where(free, 0.0, fixed)
    nodes = np.flatnonzero(free & (chosen >= 0))
    weights = system.weights[chosen[nodes]]
    direct = weights @ values + constant[chosen[nodes]]
    values[nodes] = least_solution(sparse.csr_matrix(weights[:, nodes]), direct)
    return values
