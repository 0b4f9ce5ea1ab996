"""One look at a window of days: accounts to clusters to those that stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from stillwatch.detect.baseline.one_sided import without_values
from stillwatch.detect.campaigns.cohesion import Ties, declared, measure_ties, without_bystanders
from stillwatch.detect.campaigns.communities import CommunitySearch
from stillwatch.detect.campaigns.graph import nearest_neighbors
from stillwatch.detect.findings.calibration import (
    Reference,
    given_reference,
    joint_p_values,
    lone_p_values,
)
from stillwatch.detect.findings.labeled import KnownClusters, known_clusters
from stillwatch.detect.findings.multiple_testing import weighted_q_values
from stillwatch.detect.findings.scoring import GROUP_ACCOUNTS, Scores, score
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.profiles.population import Population, load_population
from stillwatch.detect.profiles.state import State
from stillwatch.detect.signals.groups import Groups
from stillwatch.detect.signals.measures import account_measures, kind_rarity
from stillwatch.detect.timing import Stopwatch
from stillwatch.domain.labels import NOBODY, LabeledAccounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Shares of the error budget. The label that matters most has the largest, and as all published campaigns ran over many
# accounts, little is spent on accounts by themselves.
DISTILLATION_BUDGET, RESALE_BUDGET, LONE_BUDGET = 0.6, 0.25, 0.15


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
        found: NDArray[np.bool_] = passed & (seen.is_group | ~_inside(seen, passed))
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
        single = np.setdiff1d(np.flatnonzero(~covered), np.concatenate([np.empty(0, np.int64), *found]))
        units = [*found, *(np.array([index]) for index in single)]
        groups = Groups([*found, *alone], account_measures(state, population, kind_rarity(population, units)))
        coordination = np.concatenate([ties.coordination, np.zeros(len(alone))])
        scores = score(groups, coordination)
        openly_one = np.concatenate([declared(evidence, found), np.zeros(len(alone), dtype=bool)])
    return Look(population, evidence, graph, ties, groups, scores, openly_one, covered)


def judge(
    seen: Look,
    baseline: Look | None = None,
    fdr: float = 0.05,
    labeled: LabeledAccounts = NOBODY,
    *,
    compared: Look | None = None,
) -> Verdicts:
    """Compare clusters with ordinary ones and control the false-discovery rate.

    Groups and lone accounts are two families with a share each of the error budget, so that many certain campaigns do not
    make a lone account look worse. Groups found at one step no longer count as ordinary at the next, which can only show
    more of those that stood in their shadow (as in the step-down of Romano and Wolf 2005).

    Args:
        seen: The window that is judged.
        baseline: A window that is believed ordinary; without it the window calibrates itself.
        fdr: Level at which groups stop counting as ordinary.
        labeled: What people said of accounts: what they called ordinary counts as ordinary, found or not, and what they
            called hostile does not.
        compared: The window scored by what the baseline could have shown as well; None where it could have shown all of
            it. What is tested is chosen by everything that is known, and compared by this.
    """
    known = known_clusters(baseline or seen, labeled)
    mine = seen.scores if baseline is None else _by_rarity_of(compared or seen, baseline)
    group = seen.is_group
    tested = np.flatnonzero(group & seen.scores.coordinated)
    weights = seen.groups.pooled("requests")
    found = np.zeros(len(group), dtype=bool)
    p_values, q_values = np.ones((2, len(group))), np.ones((2, len(group)))
    while True:
        open_ = tested if baseline is not None else tested[~found[tested]]
        p_values[:, open_] = _joint(seen, mine, open_, baseline, found, known)
        q_values[:, group] = _budgeted(p_values[:, group], weights[group])
        passed = group & (q_values.min(axis=0) <= fdr)
        if baseline is not None or not (passed & ~found).any():
            break
        found |= passed
    alone = ~group & ~_inside(seen, passed)
    reference = baseline.scores.lone[~baseline.is_group] if baseline is not None else mine.lone[alone]
    p_values[0, alone] = lone_p_values(mine.lone[alone], reference, among_them=baseline is None)
    q_values[0, alone] = np.minimum(weighted_q_values(p_values[0, alone], weights[alone]) / LONE_BUDGET, 1.0)
    references = _references(seen, baseline, found) | {"lone": Reference(np.sort(reference), 0.0)}
    return Verdicts(p_values[0], p_values[1], q_values[0], q_values[1], references)


def _by_rarity_of(seen: Look, baseline: Look) -> Scores:
    """Score clusters with what the baseline says is rare: what is compared is measured alike."""
    theirs = baseline.groups.measures.kind_nats
    if np.array_equal(theirs, seen.groups.measures.kind_nats):
        return seen.scores
    measured = replace(seen.groups, measures=replace(seen.groups.measures, kind_nats=theirs))
    return score(measured, seen.scores.coordination)


def _joint(
    seen: Look,
    mine: Scores,
    tested: NDArray[np.int64],
    baseline: Look | None,
    found: NDArray[np.bool_],
    known: KnownClusters,
) -> NDArray[np.float64]:
    """Return the p-values of both labels, `(2, n_tested)`."""
    against = baseline or seen
    theirs = against.scores
    apart = known.hostile if baseline is not None else (found & ~known.ordinary) | known.hostile
    groups = against.is_group & ~apart
    # A nat of coordination weighs as much as the population is large: more accounts, rarer coincidences.
    scale = (
        1.0 if baseline is None else float(np.log(len(seen.population)) / np.log(len(baseline.population)))
    )
    coordination = theirs.coordination[groups] * scale
    free = (~theirs.coordinated | known.ordinary) & ~known.hostile
    several = free & against.is_group
    # A lone account inside a group is part of that group's demand, and only a group has a share of its accounts.
    units = several | (free & ~against.is_group & ~_inside(against, against.is_group))
    return np.stack(
        [
            joint_p_values(
                mine.coordination[tested],
                own[tested],
                ordinary_coordination=coordination,
                ordinary_demand=ordinary,
                among_them=baseline is None,
            )
            for own, ordinary in (
                (mine.elicitation, theirs.elicitation[units]),
                (mine.hands, theirs.hands[several]),
            )
        ]
    )


def _budgeted(p_values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the q-values of both labels, `(2, n)`: one family, weighed by demand and by label."""
    budgets = np.concatenate([weights * DISTILLATION_BUDGET, weights * RESALE_BUDGET])
    together = weighted_q_values(p_values.ravel(), budgets) / (DISTILLATION_BUDGET + RESALE_BUDGET)
    return np.minimum(together, 1.0).reshape(p_values.shape)


def _inside(seen: Look, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which clusters have an account in a chosen group."""
    groups = np.flatnonzero(chosen & seen.is_group).tolist()
    accounts = np.concatenate([np.empty(0, np.int64), *(seen.groups.members[index] for index in groups)])
    inside = np.zeros(len(seen.groups.measures), dtype=bool)
    inside[accounts] = True
    return np.asarray(seen.groups.matrix() @ inside.astype(np.float64) > 0)


def _references(seen: Look, baseline: Look | None, found: NDArray[np.bool_]) -> dict[str, Reference]:
    """Return what groups were compared with, and how much of it stood apart."""
    if baseline is not None:
        scores = baseline.scores.distillation[baseline.is_group]
        return {"groups": Reference(np.sort(scores), given_reference(scores).left_out)}
    kept = seen.is_group & ~found
    apart = float(found.sum() / max(int(seen.is_group.sum()), 1))
    return {"groups": Reference(np.sort(seen.scores.distillation[kept]), apart)}
