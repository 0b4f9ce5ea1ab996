"""Judge a window of days, at once or step by step as the days came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from stillwatch.detect.baseline.period import BaselinePeriod
from stillwatch.detect.campaigns.tracking import campaign_ids
from stillwatch.detect.findings.detection import Look, Verdicts, judge, look
from stillwatch.detect.findings.flagging import Flagged, flag
from stillwatch.detect.findings.permissions import Permissions, usage_of
from stillwatch.detect.intake import Say
from stillwatch.detect.options import ScanOptions
from stillwatch.detect.profiles.population import load_population
from stillwatch.detect.profiles.state import State
from stillwatch.detect.timing import Stopwatch
from stillwatch.domain.findings import AuthorizationNote, AuthorizationStatus, ReplayStep, Severity

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Judged:
    """What the last step saw, and what every step found first.

    Args:
        seen: The whole window.
        verdicts: Its p- and q-values.
        flagged: Its findings.
        campaigns: The lasting id of each of them.
        notes: Permissions that touch accounts, by account id.
        first_flagged: End of the first step that flagged a campaign at medium or above, by campaign.
        replay: The steps; empty where the window was judged at once.
    """

    seen: Look
    verdicts: Verdicts
    flagged: list[Flagged]
    campaigns: list[str]
    notes: dict[str, AuthorizationNote]
    first_flagged: dict[str, datetime] = field(default_factory=dict)
    replay: tuple[ReplayStep, ...] = ()


class Judging:
    """Judges the days of a state, and remembers campaigns from step to step and from scan to scan.

    Args:
        options: Length of the steps, and the false-discovery rate.
        state: The days, and the campaigns that earlier scans found.
        accounts: The accounts table, if there is one.
        permissions: What is permitted to whom.
        baseline: What to compare with; None compares with the window itself.
        watch: Where the time goes.
        say: Told about progress, in a few words.
    """

    def __init__(
        self,
        options: ScanOptions,
        state: State,
        accounts: pa.Table | None,
        permissions: Permissions,
        baseline: BaselinePeriod | None,
        watch: Stopwatch,
        say: Say,
    ) -> None:
        """Recall the campaigns of earlier scans."""
        self._options = options
        self._state = state
        self._accounts = accounts
        self._permissions = permissions
        self._baseline = baseline
        self._watch = watch
        self._say = say
        self._campaign_of = state.known_campaigns()
        self._first_flagged = state.first_detections()

    def run(self) -> Judged:
        """Judge every step and remember the campaigns of the last one."""
        days = self._state.days()
        replay: list[ReplayStep] = []
        said: set[str] = set()
        for last in step_ends(days, self._options.replay_days):
            judged = self._step([day for day in days if day <= last])
            step_end = EPOCH + timedelta(days=last + 1)
            self._note_first(judged, step_end)
            found = [
                f"{campaign}-{one.label.value}"
                for campaign, one in zip(judged.campaigns, judged.flagged, strict=True)
            ]
            replay.append(
                ReplayStep(step_end=step_end, findings=tuple(one for one in found if one not in said))
            )
            said.update(found)
        self._state.remember_campaigns(self._campaign_of, self._first_flagged)
        judged.first_flagged = dict(self._first_flagged)
        judged.replay = tuple(replay) if self._options.replay_days else ()
        return judged

    def _note_first(self, judged: Judged, step_end: datetime) -> None:
        for campaign, one in zip(judged.campaigns, judged.flagged, strict=True):
            if one.gravity.severity is not Severity.LOW:
                self._first_flagged[campaign] = min(step_end, self._first_flagged.get(campaign, step_end))

    def _step(self, window: list[int]) -> Judged:
        """Judge the days up to one."""
        self._say(f"judging {len(window)} days up to {EPOCH + timedelta(days=window[-1] + 1):%Y-%m-%d}")
        notes = self._notes(window)
        covered = frozenset(one for one, note in notes.items() if note.status is AuthorizationStatus.IN_SCOPE)
        threads = self._options.threads
        seen = look(self._state, window, self._accounts, covered, watch=self._watch, threads=threads)
        verdicts = self._verdicts(seen, len(window))
        with self._watch("findings"):
            flagged = flag(self._state, seen, verdicts, self._options.fdr)
        return Judged(seen, verdicts, flagged, self._name(seen, flagged), notes)

    def _verdicts(self, seen: Look, days: int) -> Verdicts:
        """Compare the window with the baseline, or with itself."""
        if self._baseline is None:
            with self._watch("findings"):
                return judge(seen, fdr=self._options.fdr, labeled=self._options.labeled)
        ordinary = self._baseline.look(days, watch=self._watch, threads=self._options.threads)
        with self._watch("findings"):
            return judge(
                seen,
                ordinary,
                fdr=self._options.fdr,
                labeled=self._options.labeled,
                compared=self._baseline.comparable(seen),
            )

    def _notes(self, window: list[int]) -> dict[str, AuthorizationNote]:
        """Look up what is permitted for each account's use in the window."""
        if not self._permissions.any:
            return {}
        with self._watch("links"):
            population = load_population(self._state, window, None, threads=self._options.threads)
            return self._permissions.notes(usage_of(population))

    def _name(self, seen: Look, flagged: list[Flagged]) -> list[str]:
        """Give flagged clusters lasting ids, and remember their accounts."""
        order = _by_first_use(seen)
        clusters = [
            sorted(
                (str(seen.population.account_ids[one]) for one in seen.groups.members[flagged_one.index]),
                key=lambda account: order[account],
            )
            for flagged_one in flagged
        ]
        ids = campaign_ids(clusters, self._campaign_of)
        for members, campaign in zip(clusters, ids, strict=True):
            self._campaign_of.update(dict.fromkeys(members, campaign))
        return ids


def step_ends(days: list[int], length: int | None) -> list[int]:
    """List the last day of each step; the last step ends with the window.

    Args:
        days: The window, in days since 1970.
        length: Days in a step; None takes the window at once.
    """
    if not length:
        return [days[-1]]
    ends = list(range(days[0] + length - 1, days[-1] + 1, length))
    return ends if ends and ends[-1] == days[-1] else [*ends, days[-1]]


def _by_first_use(seen: Look) -> dict[str, tuple[int, str]]:
    """Order accounts by when they were first used."""
    hours = seen.population.hours
    first = np.full(len(seen.population), np.iinfo(np.int64).max)
    np.minimum.at(first, hours["account"].astype(np.int64), hours["hour"].astype(np.int64))
    return {
        str(account): (int(hour), str(account))
        for account, hour in zip(seen.population.account_ids, first, strict=True)
    }
