"""What share of a cluster's requests is extraction, with an interval.

A request counts when an elicitation rule matched it, or when it was made from a prompt template that is the cluster's
own: hardly anyone else uses it, and within the cluster it is spread over many accounts. The users of a resold account
have templates too, but each sits on the account or two that the user was given.

Marks are sure and incomplete: a plain question that is put to gather answers looks like any other. Behind resold access
the rest of the demand is that of users, and how the marked share varies from account to account says how much the marks
miss. Where the accounts have no users but the operator, nothing shows that what is unmarked is anybody else's demand, and
the interval reaches up to all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from stillwatch.detect.profiles.population import Population
from stillwatch.detect.profiles.state import State
from stillwatch.detect.signals.elicitation_mass import HARVESTING_BIT
from stillwatch.domain.findings import ExtractionEstimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

OWN_SHARE = 0.8  # of a template's different prompts, those sent by the cluster
SPREADS = (
    0.4,
    0.2,
    0.08,
)  # share of the cluster's accounts that use a template of the operator: strict, likely, loose
MIN_ACCOUNTS = 3
RESAMPLES = 400
LEVEL = 0.95
MIN_FITTED_ACCOUNTS = 20
MIN_SPREAD_OF_MARKS = 0.04  # accounts must differ in their marked share by this much (standard deviation)
MOSTLY_MARKED = 0.8  # above this nearly everything is marked and there is nothing to add
MOSTLY_ORDINARY = 0.5
MIN_SEEN_PART = 0.4  # more than two and a half times what was seen is never claimed


@dataclass(frozen=True)
class Marked:
    """Marked requests of each account of one cluster.

    Args:
        account: `(n,)` positions.
        requests: `(n,)` requests.
        marked: `(n, 3)` requests marked strictly, likely and loosely.
        plain: `(n,)` requests that nothing marks and nothing sets apart: single questions without instructions or tools.
        ordinary: Share of ordinary accounts' requests that the rules match by mistake or by trade.
    """

    account: NDArray[np.int64]
    requests: NDArray[np.float64]
    marked: NDArray[np.float64]
    plain: NDArray[np.float64]
    ordinary: float

    def estimate(self, rng: np.random.Generator, *, pooled: bool) -> ExtractionEstimate:
        """Estimate the share; the interval takes in which accounts were seen and what marks miss.

        Args:
            rng: Chance, for drawing accounts again.
            pooled: Whether the accounts have several users each, so that part of the demand is theirs.
        """
        size = len(self.account)
        total = max(float(self.requests.sum()), 1.0)
        everyone = np.arange(size)
        share = self._share(everyone, 1)
        draws = [rng.integers(0, size, size) for _ in range(RESAMPLES)]
        strict = [self._share(draw, 0) for draw in draws]
        loose = [self._share(draw, 2) for draw in draws]
        low, high = float(np.quantile(strict, (1 - LEVEL) / 2)), float(np.quantile(loose, (1 + LEVEL) / 2))
        # One account's own variation, where there are too few accounts to see it.
        slack = 1.96 * float(np.sqrt(max(share * (1 - share), 1.0 / total) / total))
        return ExtractionEstimate(
            share=share,
            low=max(0.0, min(low, share) - slack - self.ordinary),
            high=min(1.0, max(high, share) + slack) if pooled else 1.0,
            level=LEVEL,
        )

    def _share(self, chosen: NDArray[np.int64], level: int) -> float:
        """Return the marked share of some accounts, raised by what marks miss.

        Where nothing says how much that is, the strict and the likely reading claim nothing more, and the loose one takes
        in plain requests, up to what marks may miss at the most.
        """
        requests = np.maximum(self.requests[chosen], 1.0)
        marked, plain = self.marked[chosen, level], self.plain[chosen]
        share = float(marked.sum() / requests.sum())
        seen = _seen_part(marked / requests, plain / requests, requests)
        if seen is not None:
            return min(1.0, share / seen)
        if level < len(SPREADS) - 1:
            return share
        return min(1.0, share / MIN_SEEN_PART, share + float(plain.sum() / requests.sum()))

    def own_share(self) -> dict[int, float]:
        """Return each account's share of likely marked requests, by position."""
        shares = self.marked[:, 1] / np.maximum(self.requests, 1.0)
        return dict(zip(self.account.tolist(), shares.tolist(), strict=True))


def _seen_part(
    marked: NDArray[np.float64], plain: NDArray[np.float64], weight: NDArray[np.float64]
) -> float | None:
    """Return the part of the extraction that is marked, from how plain requests vary with marked ones; None if unseen.

    Where accounts mix users' demand with extraction in different proportions x, the marked share is `r x` and the plain
    share `a (1 - x) + (1 - r) x`, a line in the marked share with intercept a and slope `(1 - r - a) / r`. A line
    through the accounts therefore gives `r = (1 - a) / (1 + slope)`. Where accounts do not differ there is no line to
    see.
    """
    spread = float(np.sqrt(np.average((marked - np.average(marked, weights=weight)) ** 2, weights=weight)))
    if (
        len(marked) < MIN_FITTED_ACCOUNTS
        or spread < MIN_SPREAD_OF_MARKS
        or np.average(marked, weights=weight) > MOSTLY_MARKED
    ):
        return None
    slope, intercept = np.polyfit(marked, plain, 1, w=np.sqrt(weight))
    return float(np.clip((1 - intercept) / max(1 + slope, 1e-9), MIN_SEEN_PART, 1.0))


def mark_requests(
    state: State, population: Population, clusters: Sequence[NDArray[np.int64]]
) -> list[Marked]:
    """Count the marked requests of the accounts of some clusters, in one pass over the facts.

    Args:
        state: Where the facts are.
        population: The accounts.
        clusters: Positions of each cluster's accounts; no account in two.
    """
    if not clusters:
        return []
    keys = [[_own_templates(population, members, spread) for spread in SPREADS] for members in clusters]
    rows = _counted(state, population, clusters, keys)
    return [_of_cluster(rows, members, _matched_by_mistake(population, members)) for members in clusters]


def _counted(
    state: State,
    population: Population,
    clusters: Sequence[NDArray[np.int64]],
    keys: Sequence[Sequence[NDArray[np.int64]]],
) -> dict[str, NDArray[np.float64]]:
    """Count requests of each account of the clusters: all, marked at each level, and plain."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    accounts = np.concatenate(clusters)
    cluster = np.repeat(np.arange(len(clusters)), [len(members) for members in clusters])
    connection.register(
        "members",
        pa.table(
            {"account_id": population.account_ids[accounts].tolist(), "place": accounts, "cluster": cluster}
        ),
    )
    connection.register("own_keys", _levels(keys))
    elicited = f"(elicitation & ~{1 << HARVESTING_BIT}::uinteger) > 0"
    columns = ", ".join(
        f"count(*) filter ({elicited} or least_spread <= {level})::double as level_{level}"
        for level in range(len(SPREADS))
    )
    facts = f"read_parquet({state.facts(population.days)!r})"
    return connection.sql(
        f"""with mine as (
            select row_number() over () as row, place, cluster, elicitation, keys,
                coalesce(single_turn, false) and system = 0 and not tools as bare
            from {facts} join members using (account_id)),
        with_key as (
            select row, min(level) as least_spread
            from (select row, cluster, unnest(keys) as key from mine) join own_keys using (cluster, key)
            group by row),
        marked as (
            select place, elicitation, bare, coalesce(least_spread, {len(SPREADS)}) as least_spread
            from mine left join with_key using (row))
        select place, count(*)::double as requests, {columns},
            count(*) filter (bare and not ({elicited} or least_spread <= 1))::double as plain
        from marked group by place order by place"""
    ).fetchnumpy()


def _levels(keys: Sequence[Sequence[NDArray[np.int64]]]) -> pa.Table:
    """List each cluster's own templates with the strictest level at which they are its own."""
    cluster = [np.full(len(one), at) for at, levels in enumerate(keys) for one in levels]
    level = [np.full(len(one), at) for levels in keys for at, one in enumerate(levels)]
    found = [one for levels in keys for one in levels]
    return pa.table(
        {
            name: np.concatenate(column)
            for name, column in (("cluster", cluster), ("level", level), ("key", found))
        }
    )


def _of_cluster(rows: dict[str, NDArray[np.float64]], members: NDArray[np.int64], ordinary: float) -> Marked:
    mine = np.isin(rows["place"], members)
    marked = np.stack([rows[f"level_{level}"][mine] for level in range(len(SPREADS))], axis=1)
    return Marked(
        rows["place"][mine].astype(np.int64), rows["requests"][mine], marked, rows["plain"][mine], ordinary
    )


def _matched_by_mistake(population: Population, members: NDArray[np.int64]) -> float:
    """Return the share of ordinary accounts' requests that the rules match by mistake or by trade."""
    requests = np.maximum(population.totals["requests"].astype(np.float64), 1.0)
    others = np.setdiff1d(np.arange(len(population)), members)
    rate = population.totals["elicited"][others] / requests[others]
    # Whose trade it is to elicit, ordinary or not, says nothing of what the rules match by mistake.
    return float(rate[rate < MOSTLY_ORDINARY].mean()) if (rate < MOSTLY_ORDINARY).any() else 0.0


def _own_templates(population: Population, members: NDArray[np.int64], spread: float) -> NDArray[np.int64]:
    """Find the prompt templates that are the cluster's own and spread over its accounts."""
    table = population.templates
    if len(table) == 0 or len(members) < MIN_ACCOUNTS:
        return np.empty(0, np.int64)
    key = table["key"].astype(np.int64)
    contents = table["contents"].astype(np.float64)
    inside = np.isin(table["account"].astype(np.int64), members)
    of_prompt = (key & 1) == 0
    labels, dense = np.unique(key, return_inverse=True)
    everywhere = np.bincount(dense, contents, len(labels))
    here = np.bincount(dense[inside], contents[inside], len(labels))
    accounts = np.bincount(dense[inside], minlength=len(labels))
    own = (here >= OWN_SHARE * everywhere) & (accounts >= max(MIN_ACCOUNTS, spread * len(members)))
    chosen = own & np.isin(labels, np.unique(key[of_prompt]))
    return labels[chosen]
