"""One look at a window of days: accounts to clusters to those that stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from stillwatch.detect.baseline.one_sided import without_values
from stillwatch.detect.campaigns.cohesion import Ties, declared, measure_ties, without_bystanders
from stillwatch.detect.campaigns.communities import CommunitySearch
from stillwatch.detect.campaigns.graph import nearest_neighbors
from stillwatch.detect.findings.calibration import Reference, given_reference, self_reference
from stillwatch.detect.findings.multiple_testing import weighted_q_values
from stillwatch.detect.findings.scoring import GROUP_ACCOUNTS, Scores, score
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.profiles.population import Population, load_population
from stillwatch.detect.profiles.state import State
from stillwatch.detect.signals.groups import Groups
from stillwatch.detect.signals.measures import account_measures, kind_rarity
from stillwatch.detect.timing import Stopwatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONE_WEIGHT = (
    0.1  # all published campaigns ran over many accounts; most of the error budget is kept for those
)


@dataclass(frozen=True)
class Look:
    """Everything seen in one window: clusters, their ties, their scores.

    Args:
        population: The accounts.
        evidence: The links.
        graph: Ties between accounts.
        ties: Ties inside the clusters of several accounts.
        groups: The clusters of several accounts, and then every account by itself.
        scores: Their scores.
        openly_one: Which of them are openly one customer.
        covered: `(n_accounts,)` bool, accounts with a permission that covers them; they are in no cluster.
    """

    population: Population
    evidence: LinkEvidence
    graph: sp.csr_matrix
    ties: Ties
    groups: Groups
    scores: Scores
    openly_one: NDArray[np.bool_]
    covered: NDArray[np.bool_]

    @property
    def is_group(self) -> NDArray[np.bool_]:
        """Tell which clusters are tested for coordination."""
        return self.groups.size >= GROUP_ACCOUNTS

    def access(self, index: int) -> float:
        """Return what one cluster's accounts share by access, nats; 0 for an account by itself."""
        return float(self.ties.access[index]) if index < len(self.ties.access) else 0.0

    def prompts(self, index: int) -> float:
        """Return what one cluster's accounts share by prompts, nats; 0 for an account by itself."""
        return float(self.ties.prompts[index]) if index < len(self.ties.prompts) else 0.0


@dataclass(frozen=True)
class Verdicts:
    """What the false-discovery control says of each cluster, `(n_clusters,)` each.

    Args:
        p_distillation: Conformal p-value of distillation-shaped demand.
        p_resale: Conformal p-value of pooled access.
        q_distillation: The same after false-discovery control over both labels.
        q_resale: The same.
        references: The references the p-values were taken from, by name.
    """

    p_distillation: NDArray[np.float64]
    p_resale: NDArray[np.float64]
    q_distillation: NDArray[np.float64]
    q_resale: NDArray[np.float64]
    references: dict[str, Reference] = field(repr=False)

    def passed(self, fdr: float) -> NDArray[np.bool_]:
        """Tell which clusters pass for either label."""
        return (self.q_distillation <= fdr) | (self.q_resale <= fdr)

    def flagged(self, seen: Look, fdr: float) -> NDArray[np.bool_]:
        """Tell which clusters are findings: those that pass, without accounts whose whole cluster does."""
        passed = self.passed(fdr)
        taken = [seen.groups.members[index] for index in np.flatnonzero(passed & seen.is_group).tolist()]
        inside = np.concatenate(taken) if taken else np.empty(0, np.int64)
        repeated = [
            not group and bool(np.isin(members, inside).any())
            for members, group in zip(seen.groups.members, seen.is_group, strict=True)
        ]
        found: NDArray[np.bool_] = passed & ~np.array(repeated, dtype=bool)
        return found


def look(
    state: State,
    days: Sequence[int],
    accounts: pa.Table | None,
    covered_ids: frozenset[str],
    *,
    watch: Stopwatch,
    threads: int = 2,
    ignored: frozenset[str] = frozenset(),
) -> Look:
    """Build and score the clusters of a window.

    Args:
        state: Profiles.
        days: The window, in days since 1970.
        accounts: The accounts table, if there is one.
        covered_ids: Accounts whose permission covers them; they are left out of every cluster.
        watch: Where the time goes.
        threads: Threads for merging profiles.
        ignored: Kinds of shared value that are left out, as what it is compared with could not have shown them.
    """
    with watch("links"):
        population = without_values(load_population(state, days, accounts, threads=threads), ignored)
        evidence = LinkEvidence(population, threads=threads)
        graph = nearest_neighbors(evidence, np.random.default_rng(0))
    with watch("campaigns"):
        ids = population.account_ids.astype(str)
        covered = np.isin(ids, list(covered_ids)) if covered_ids else np.zeros(len(population), dtype=bool)
        found = CommunitySearch(evidence, graph, np.random.default_rng(1)).run()
        found = without_bystanders(evidence, graph, [members[~covered[members]] for members in found])
        found = [members for members in found if len(members) >= GROUP_ACCOUNTS]
        ties = measure_ties(evidence, graph, found)
    with watch("signals"):
        # Every account is looked at alone as well: whoever sits behind a VPN with others may still work alone.
        alone = [np.array([index]) for index in np.flatnonzero(~covered)]
        groups = Groups(
            [*found, *alone], account_measures(state, population, kind_rarity(population, ~covered))
        )
        coordination = np.concatenate([ties.coordination, np.zeros(len(alone))])
        scores = score(groups, coordination)
        openly_one = np.concatenate([declared(evidence, found), np.zeros(len(alone), dtype=bool)])
    return Look(population, evidence, graph, ties, groups, scores, openly_one, covered)


def judge(seen: Look, baseline: Look | None = None) -> Verdicts:
    """Compare clusters with ordinary ones and control the false-discovery rate.

    A group is set against groups and a lone account against lone accounts. A label needs every part of it: for
    distillation the p-values of coordination and of the joint score must both be small, so the larger one counts
    (an intersection-union test, Berger 1982), and likewise for resale.

    Args:
        seen: The window that is judged.
        baseline: A window that is believed ordinary; without it the window calibrates itself.
    """
    group = seen.is_group
    against = baseline or seen
    usable = against.is_group & ~against.openly_one
    references: dict[str, Reference] = {}

    def p_values(
        name: str,
        own: NDArray[np.float64],
        other: NDArray[np.float64],
        chosen: NDArray[np.bool_],
        where: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        out = np.ones(len(own))
        if baseline is None:
            reference, inside = self_reference(other[chosen])
            member = np.zeros(len(own), dtype=bool)
            member[np.flatnonzero(chosen)[inside]] = True
            out[where] = reference.p_values(own[where], inside=member[where])
        else:
            reference = given_reference(other[chosen])
            out[where] = reference.p_values(own[where])
        references[name] = reference
        return out

    mine, theirs = seen.scores, against.scores
    coordination = p_values("coordination", mine.coordination, theirs.coordination, usable, group)
    distillation = p_values("distillation", mine.distillation, theirs.distillation, usable, group)
    resale = p_values("resale", mine.resale, theirs.resale, usable, group)
    # A lone account has nobody to hide behind: it is ranked among all lone accounts, without trimming.
    lone = np.ones(len(group))
    alone = ~against.is_group
    if alone.any():
        reference = Reference(np.sort(theirs.lone[alone]), 0.0)
        own = None if baseline is not None else np.ones(int((~group).sum()), dtype=bool)
        lone[~group] = reference.p_values(mine.lone[~group], inside=own)
        references["lone"] = reference
    p_distillation = np.where(group, np.maximum(coordination, distillation), lone)
    p_resale = np.where(group, np.maximum(coordination, resale), 1.0)
    weights = seen.groups.pooled("requests") * np.where(group, 1.0, LONE_WEIGHT)
    both = weighted_q_values(
        np.concatenate([p_distillation, p_resale]), np.concatenate([weights, weights * group])
    )
    half = len(group)
    return Verdicts(p_distillation, p_resale, both[:half], both[half:], references)
