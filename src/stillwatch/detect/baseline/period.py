"""A period that is believed ordinary, looked at in the same way as the period that is scanned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from stillwatch.detect.baseline.one_sided import OneSided, without_values
from stillwatch.detect.baseline.symmetry import KnownAccounts, Matched, matched
from stillwatch.detect.campaigns.cohesion import measure_ties
from stillwatch.detect.findings.detection import Look, look
from stillwatch.detect.findings.permissions import Permissions
from stillwatch.detect.findings.scoring import GROUP_ACCOUNTS, score
from stillwatch.detect.links.evidence import LinkEvidence
from stillwatch.detect.logs import AccountTable
from stillwatch.detect.profiles.population import load_population
from stillwatch.detect.profiles.state import State
from stillwatch.detect.timing import Stopwatch
from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.findings import InputSummary
from stillwatch.errors import InputError


@dataclass
class BaselinePeriod:
    """A reference period, made ready for comparison with one scan.

    Args:
        state: Its facts and profiles.
        known: What is known of its accounts and of those of the scan.
        one_sided: What the logs of only one of both periods hold.
        covered: Accounts that any permission touches: no measure of what is ordinary.
        sentences: What was left out of the comparison and why, or cannot be made up for.
        read: What was read; None for a state folder that was filled before.
    """

    state: State
    known: Matched
    one_sided: OneSided
    covered: frozenset[str]
    sentences: tuple[str, ...]
    read: InputSummary | None
    _looks: dict[int, Look] = field(default_factory=dict, init=False, repr=False)

    def look(self, days: int, *, watch: Stopwatch, threads: int) -> Look:
        """Look at as many of its days, as what is compared grows with the days that are looked at.

        Args:
            days: Length of the scan's window.
            watch: Where the time goes.
            threads: Threads for merging profiles.
        """
        window = self.state.days()[:days]
        if len(window) not in self._looks:
            self._looks.clear()  # a replay asks for longer and longer windows: only the last can come again
            self._looks[len(window)] = look(
                self.state,
                window,
                self.known.baseline,
                self.covered,
                watch=watch,
                threads=threads,
                ignored=self.one_sided.baseline,
            )
        return self._looks[len(window)]

    def comparable(self, seen: Look) -> Look:
        """Score clusters by what the baseline could have shown as well.

        The clusters stay, with everything that is known of them. What holds them together is weighed anew without the
        evidence that the baseline lacks. A cluster that was found with more evidence than is weighed seems looser than
        one that was found by the weighed evidence alone, so that this can only make p-values larger.

        Args:
            seen: The scanned window.
        """
        left_out = self.known.left_out
        if not left_out and not self.one_sided.scanned:
            return seen
        kept = {name: column for name, column in seen.population.registry.items() if name not in left_out}
        reduced = replace(seen.population, registry=kept)
        evidence = LinkEvidence(without_values(reduced, self.one_sided.scanned))
        several = [members for members in seen.groups.members if len(members) >= GROUP_ACCOUNTS]
        coordination = np.zeros(len(seen.groups))
        coordination[: len(several)] = measure_ties(evidence, seen.graph, several).coordination
        return replace(seen, scores=score(seen.groups, coordination))


def compare_with(
    baseline: State,
    scanned: State,
    *,
    accounts: AccountTable | None,
    baseline_accounts: AccountTable | None,
    records: Iterable[Authorization],
    read: InputSummary | None,
    threads: int,
) -> BaselinePeriod:
    """Make a reference period ready for comparison.

    Args:
        baseline: Its facts and profiles.
        scanned: Those of the scan.
        accounts: The scan's accounts table; it serves the baseline as well where that has none of its own.
        baseline_accounts: The baseline's own accounts table.
        records: Recorded permissions.
        read: What was read of the baseline in this run.
        threads: Threads for merging profiles.

    Raises:
        InputError: The baseline lacks what no comparison can do without.
    """
    own = baseline_accounts or accounts
    mine, theirs = _held(scanned, threads), _held(baseline, threads)
    if mine.prompts and not theirs.prompts:
        raise InputError(
            "the baseline's logs hold no prompts, the scanned ones do: they cannot be compared",
            hint="give a baseline with prompts, or leave --baseline out",
        )
    known = matched(KnownAccounts(mine.accounts, accounts), KnownAccounts(theirs.accounts, own))
    one_sided = OneSided(mine.kinds - theirs.kinds, theirs.kinds - mine.kinds)
    permissions = Permissions(own.table if own else None, tuple(records))
    said = (known.sentence, *one_sided.sentences, _length(scanned, baseline))
    return BaselinePeriod(
        baseline, known, one_sided, permissions.touched_accounts, tuple(one for one in said if one), read
    )


@dataclass(frozen=True)
class _Held:
    """What the logs of one period hold."""

    accounts: frozenset[str]
    kinds: frozenset[str]
    prompts: bool


def _held(state: State, threads: int) -> _Held:
    population = load_population(state, state.days(), None, threads=threads)
    return _Held(
        frozenset(str(one) for one in population.account_ids),
        frozenset(np.unique(population.values["kind"].astype(str)).tolist()),
        bool(population.totals["contents"].sum() > 0),
    )


def _length(scanned: State, baseline: State) -> str:
    """Say that a baseline is shorter than what is compared with it."""
    days, reference = len(scanned.days()), len(baseline.days())
    if reference >= days:
        return ""
    return (
        f"the baseline holds {reference} days and the scan {days}: what grows with time looks rarer than it is; "
        "give a baseline as long as the scan"
    )
