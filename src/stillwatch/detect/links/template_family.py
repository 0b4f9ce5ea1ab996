"""Accounts whose prompts are made from the same templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from stillwatch.detect.links.membership import COMMON_SHARE, alone_nats
from stillwatch.detect.links.pairs import Rows
from stillwatch.detect.links.weighing import template_sums
from stillwatch.detect.profiles.population import Population

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_FAMILY = 0.6  # two shingles whose prompts agree this far (cosine) come from one template
ENOUGH_OVERLAP = 0.2  # demand that agrees this far (cosine) is taken at its full weight
MAX_KEYS_PER_ACCOUNT = 400  # an account's commonest shingles; bounds the cost of very busy accounts


@dataclass(frozen=True)
class TemplateFamilies:
    """Which accounts used which template families, and how much that ties them.

    Args:
        account: `(n,)` positions.
        family: `(n,)` family numbers.
        contents: `(n,)` different prompts of the account in the family.
        family_of_key: key -> family, as two sorted arrays.
        holders: `(n_families,)` accounts.
        rows: Which account used which families.
        strength: `(n,)` strength of use in (0, 1]; 0 where use tells nothing. As `rows.values`.
        surprise: `(n,)` strength times nats of that account using the family by chance.
        direction: `(n,)` unit vectors of the accounts' demand over families.
        of_prompt: `(n_families,)` 1.0 for families of prompts, 0.0 for those of system instructions.
    """

    account: NDArray[np.int64]
    family: NDArray[np.int64]
    contents: NDArray[np.float64]
    keys: NDArray[np.int64]
    family_of_key: NDArray[np.int64]
    holders: NDArray[np.int64]
    rows: Rows
    strength: NDArray[np.float64]
    surprise: NDArray[np.float64]
    direction: NDArray[np.float64]
    of_prompt: NDArray[np.float64]

    def shared(
        self, left: NDArray[np.int64], right: NDArray[np.int64], population_size: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weigh what pairs of accounts share.

        The nats of every family both use are added, and count to the extent that the two accounts' whole demand
        agrees: sharing two of a hundred templates is ordinary, sharing all of them is not.

        Args:
            left: `(m,)` positions.
            right: `(m,)` positions.
            population_size: Accounts in the population.

        Returns:
            `(m,)` float64 nats, at most twice the log prior odds, `2 log N`, and `(m,)` float64 how far the demand of
            pairs agrees over families (cosine).
        """
        sums = self._sums(left, right)
        return _agreed(sums[:, 0], sums[:, 2], population_size), sums[:, 2]

    def prompt_nats(
        self, left: NDArray[np.int64], right: NDArray[np.int64], population_size: int
    ) -> NDArray[np.float64]:
        """Weigh what pairs of accounts share in their prompts, system instructions left aside, `(m,)` float64."""
        sums = self._sums(left, right)
        return _agreed(sums[:, 1], sums[:, 2], population_size)

    def telling_rows(self) -> Rows:
        """Return the use of families that tells something."""
        account = np.repeat(np.arange(len(self.rows.pointers) - 1), np.diff(self.rows.pointers))
        tells = self.strength > 0
        return Rows.of([account[tells]], [self.rows.values[tells]], len(self.rows.pointers) - 1)

    def _sums(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        sums = np.zeros((len(left), 3))
        template_sums(
            self.rows.pointers,
            self.rows.values,
            self.strength,
            self.surprise,
            self.direction,
            self.of_prompt,
            left,
            right,
            sums,
        )
        return sums


def _agreed(
    shared: NDArray[np.float64], cosine: NDArray[np.float64], population_size: int
) -> NDArray[np.float64]:
    # What is added up rides on one template in part, so it is bounded before it is weighed by agreement.
    return np.minimum(shared, 4 * alone_nats(population_size)) * np.minimum(1.0, cosine / ENOUGH_OVERLAP)


def _families(
    key: NDArray[np.int64],
    account: NDArray[np.int64],
    contents: NDArray[np.float64],
    example: NDArray[np.int64],
    labels: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Join the shingles of one template: those that sit in the same prompts.

    Two shingles of one template have, in an account that uses it, the same prompts: the same number of them and the
    same smallest content hash. That pair of numbers, account by account, is compared.
    """
    prompts = np.stack([account, example, contents.astype(np.int64)], axis=1)
    _, token = np.unique(prompts, axis=0, return_inverse=True)
    # A shingle of system instructions never joins one of a prompt: the first says which application is used, the
    # second who writes the demand.
    token = 2 * token.ravel() + (labels[key] & 1)
    shape = (int(token.max()) + 1, int(key.max()) + 1)
    used = sp.csr_matrix((np.ones(len(key), np.float32), (token, key)), shape=shape)
    unit = sp.diags(1 / np.sqrt(np.asarray(used.sum(axis=0)).ravel()))
    agreement = (unit @ (used.T @ used) @ unit).tocoo()
    same = (agreement.data >= SAME_FAMILY) & (agreement.row < agreement.col)
    graph = sp.csr_matrix(
        (agreement.data[same], (agreement.row[same], agreement.col[same])), shape=agreement.shape
    )
    family: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return family


def _busiest(account: NDArray[np.int64], contents: NDArray[np.float64]) -> NDArray[np.bool_]:
    order = np.lexsort((-contents, account))
    ordered = account[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    keep = np.zeros(len(order), dtype=bool)
    keep[order] = rank < MAX_KEYS_PER_ACCOUNT
    return keep


def find_template_families(population: Population) -> TemplateFamilies | None:
    """Group shared shingles into families and weigh them; None where the logs have no prompts."""
    table = population.templates
    if len(table) == 0:
        return None
    account = table["account"].astype(np.int64)
    contents = table["contents"].astype(np.float64)
    keep = _busiest(account, contents)
    account, contents = account[keep], contents[keep]
    labels, key = np.unique(table["key"].astype(np.int64)[keep], return_inverse=True)
    family_of_key = _families(key, account, contents, table["example"].astype(np.int64)[keep], labels)
    family = family_of_key[key]
    order = np.lexsort((-contents, family, account))
    account, family, contents = account[order], family[order], contents[order]
    first = np.ones(len(account), dtype=bool)
    first[1:] = (account[1:] != account[:-1]) | (family[1:] != family[:-1])
    account, family, contents = account[first], family[first], contents[first]
    n_families = int(family_of_key.max()) + 1
    holders = np.bincount(family, minlength=n_families)
    volume = np.maximum(population.totals["contents"].astype(np.float64), 1.0)
    return _weigh(account, family, contents, holders, volume, labels, family_of_key)


def _weigh(
    account: NDArray[np.int64],
    family: NDArray[np.int64],
    contents: NDArray[np.float64],
    holders: NDArray[np.int64],
    volume: NDArray[np.float64],
    keys: NDArray[np.int64],
    family_of_key: NDArray[np.int64],
) -> TemplateFamilies:
    size, n_families = len(volume), len(holders)
    share = holders / size
    # A busy account uses any template more easily by chance than a quiet one; the measure is the usual user of it.
    order = np.lexsort((volume[account], family))
    starts = np.searchsorted(family[order], np.arange(n_families))
    usual = volume[account][order][np.minimum(starts + np.maximum(holders - 1, 0) // 2, len(order) - 1)]
    exposure = np.maximum(1.0, volume[account] / np.maximum(usual[family], 1.0))
    chance = 1 - (1 - np.minimum(share[family], 0.999)) ** exposure
    strength = np.minimum(
        1.0, np.log1p(contents) / np.log(4.0)
    )  # full strength from three different prompts on
    telling = (holders[family] > 1) & (share[family] <= COMMON_SHARE) & (chance < 0.5)
    worth = np.minimum(-np.log(np.maximum(chance, 1e-300)), alone_nats(size))  # one family alone ties nobody
    strength = np.where(telling, strength, 0.0)
    spread = contents / volume[account] * -np.log(share[family])
    norm = np.sqrt(np.bincount(account, spread**2, size))
    of_prompt = np.ones(n_families)
    of_prompt[family_of_key[(keys & 1) == 1]] = 0.0
    return TemplateFamilies(
        account,
        family,
        contents,
        keys,
        family_of_key,
        holders,
        Rows.of([account], [family], size),
        strength,
        strength * worth,
        spread / np.maximum(norm[account], 1e-12),
        of_prompt,
    )
