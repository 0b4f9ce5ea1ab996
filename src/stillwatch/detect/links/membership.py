"""Which accounts share which value: the form that most kinds of link take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from stillwatch.detect.profiles.population import Population

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMMON_SHARE = 0.25  # a value that every fourth account has is worth nothing


@dataclass(frozen=True)
class Membership:
    """Accounts and the values they hold; values held by one account only are left out.

    Args:
        account: `(n,)` int64 positions in the population.
        value: `(n,)` int64, values numbered from 0.
        holders: `(n_values,)` int64, accounts that hold each value.
        nats: `(n_values,)` float64, what sharing each value is worth.
        label: `(n_values,)` int64, the hash that names the value in the state's names, 0 = none.
    """

    account: NDArray[np.int64]
    value: NDArray[np.int64]
    holders: NDArray[np.int64]
    nats: NDArray[np.float64]
    label: NDArray[np.int64]


class LinkKind(Protocol):
    """One kind of link between accounts.

    A file in this folder that defines `LINK` is found by the registry.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    family: ClassVar[str]
    alone_max_accounts: ClassVar[int]
    """A value shared by more accounts than this ties no two of them without another kind of link."""

    def find(self, population: Population) -> Membership | None:
        """Find shared values; None where the logs carry nothing of the kind."""
        ...


def rarity(
    account: NDArray[np.int64], value: NDArray[np.int64], population_size: int, *, alone_max_accounts: int
) -> Membership | None:
    """Weigh shared values by how rare they are in this population.

    Sharing a value that `c` of `N` accounts hold is worth `log(N / c)` nats: the log of how much likelier it is
    under one operator than between two accounts drawn at random (Fellegi and Sunter 1969, "A theory for record
    linkage", with the match probability taken as one). A value held by many accounts is a network, a proxy or a
    cohort as well as an operator, so beyond `alone_max_accounts` it is worth less than one link needs.

    Args:
        account: `(n,)` positions; pairs may repeat.
        value: `(n,)` int64 values of any kind.
        population_size: Accounts in the population.
        alone_max_accounts: See `LinkKind`.
    """
    if len(account) == 0:
        return None
    labels, dense = np.unique(value, return_inverse=True)
    span = int(account.max()) + 1
    pairs = np.unique(dense.astype(np.int64) * span + account)
    dense, holder = pairs // span, pairs % span
    holders = np.bincount(dense, minlength=len(labels))
    shared = (holders > 1) & (holders <= max(2, COMMON_SHARE * population_size))
    keep = shared[dense]
    if not keep.any():
        return None
    labels, holders = labels[shared], holders[shared]
    renumbered = np.cumsum(shared) - 1
    nats = np.log(population_size / holders)
    many = holders > alone_max_accounts
    ceiling = alone_nats(population_size) * (1.0 if alone_max_accounts else 0.5)
    nats[many] = np.minimum(nats[many], ceiling)
    return Membership(holder[keep], renumbered[dense[keep]], holders, nats, labels)


def alone_nats(population_size: int) -> float:
    """Return the nats that one link must exceed to tie two accounts without another one.

    Half of the log prior odds against two given accounts sharing an operator, `log(N)`: a tie of two accounts needs
    the other half from elsewhere, from a second kind of link or from what third accounts share with both.
    """
    return 0.5 * float(np.log(max(population_size, 2)))


def codes(column: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the values of an object column.

    Returns:
        Positions of the rows that have a value, and their value numbers.
    """
    present = np.array([item is not None and item != "" for item in column], dtype=bool)
    where = np.flatnonzero(present)
    if len(where) == 0:
        return where, where
    _, dense = np.unique(column[where].astype(str), return_inverse=True)
    return where, dense.astype(np.int64)
