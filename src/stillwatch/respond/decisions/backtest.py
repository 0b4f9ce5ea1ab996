"""Whom a playbook would have hit: its decisions are planned from findings and played against the requests that came.

Requests are played through the very index that guards use, so that buckets, delays, shares and ends count as they
would have counted.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from stillwatch.domain.actions import Action, Mode
from stillwatch.domain.calls import Call
from stillwatch.domain.decisions import Decision
from stillwatch.domain.findings import Finding, ScanReport
from stillwatch.domain.record import Count, Record
from stillwatch.respond.decisions.changes import Change
from stillwatch.respond.decisions.entries import entry_of_decision
from stillwatch.respond.decisions.index import DecisionIndex
from stillwatch.respond.decisions.planning import plan, rule_of
from stillwatch.respond.decisions.playbook import Playbook

UNKNOWN: Final = "unknown"
"""Label and archetype of an account of which nobody knows the truth."""

BENIGN: Final = "benign"
_REHEARSAL: Final = "a backtest; nothing is decided"

Times = npt.NDArray[np.int64]


class TrueKind(NamedTuple):
    """What an account really is, where somebody knows."""

    label: str
    archetype: str


class Group(Record):
    """The accounts of one kind that were hit.

    Attributes:
        label: what they really are.
        archetype: what kind of customer.
        accounts: how many were hit.
        hurt: how many of them felt it: throttle, withhold or block.
        requests: their requests while a decision lasted.
        refused: requests refused.
        withheld: requests answered without something.
    """

    label: str
    archetype: str
    accounts: Count = 0
    hurt: Count = 0
    requests: Count = 0
    refused: Count = 0
    withheld: Count = 0


class StepResult(Record):
    """What one step of one rule would have done, by itself.

    Attributes:
        rule: the rule's name.
        action: what the step does.
        decisions: how many decisions it came to.
        accounts: accounts they are about.
        benign: of them, really benign; None without truth.
        requests: requests of these accounts while the decisions lasted.
        refused: requests refused.
        withheld: requests answered without something.
    """

    rule: str
    action: Action
    decisions: Count = 0
    accounts: Count = 0
    benign: Count | None = None
    requests: Count = 0
    refused: Count = 0
    withheld: Count = 0


class BacktestReport(Record):
    """Whom a playbook would have hit, and how hard.

    Attributes:
        playbook: how its decisions are signed.
        findings: findings in the scan.
        matched: findings that a rule matched.
        accounts: accounts that were hit.
        hurt: accounts that felt it.
        benign_hurt: of them, really benign; None without truth.
        requests: all requests that were played; 0 without logs.
        touched: requests that met a decision.
        refused: requests refused, all steps together.
        withheld: requests answered without something, all steps together.
        steps: by rule and step, in the playbook's order.
        groups: by true label and archetype, most hurt first.
        labels: accounts hit, by the finding's label.
        overlap: accounts about which something is in force already, by its action.
        replayed: decisions were taken when each campaign was found; else as if known from its first request.
    """

    playbook: str
    findings: Count
    matched: Count
    accounts: Count
    hurt: Count
    benign_hurt: Count | None = None
    requests: Count = 0
    touched: Count = 0
    refused: Count = 0
    withheld: Count = 0
    steps: tuple[StepResult, ...] = ()
    groups: tuple[Group, ...] = ()
    labels: dict[str, Count] = Field(default_factory=dict)
    overlap: dict[str, Count] = Field(default_factory=dict)
    replayed: bool = False


class Met(NamedTuple):
    """What one account's requests met."""

    requests: int = 0
    refused: int = 0
    withheld: int = 0


def backtest(
    playbook: Playbook,
    report: ScanReport,
    batches: Iterable[pa.RecordBatch] = (),
    *,
    rng: random.Random,
    programmes: Mapping[str, str] | None = None,
    truth: Mapping[str, TrueKind] | None = None,
    in_force: Sequence[Decision] = (),
) -> BacktestReport:
    """Say whom a playbook would have hit.

    Args:
        playbook: What is tried out.
        report: What a scan found.
        batches: The requests, with the columns `account_id` and `time`; none counts accounts only.
        rng: Draws delays, ids and shares.
        programmes: On-ramp by account id.
        truth: What accounts really are.
        in_force: Decisions that stand already, for the overlap.
    """
    replayed = bool(report.replay)
    planned = [
        (finding, _planned(playbook, finding, rng, programmes, replayed=replayed))
        for finding in report.findings
    ]
    decisions = [decision for _, made in planned for decision in made]
    hit = frozenset(account for decision in decisions for account in decision.accounts)
    total, times = _times(batches, hit)
    together = _played(decisions, times, rng)
    hurt = {account for decision in decisions if decision.action.hurts for account in decision.accounts}
    return BacktestReport(
        playbook=playbook.author,
        findings=len(report.findings),
        matched=sum(bool(made) for _, made in planned),
        accounts=len(hit),
        hurt=len(hurt),
        benign_hurt=_benign(hurt, truth),
        requests=total,
        touched=sum(met.requests for met in together.values()),
        refused=sum(met.refused for met in together.values()),
        withheld=sum(met.withheld for met in together.values()),
        steps=tuple(_steps(decisions, times, rng, truth)),
        groups=_groups(hit, hurt, together, truth or {}),
        labels=_labels(planned),
        overlap=_overlap(hit, in_force),
        replayed=replayed,
    )


def _planned(
    playbook: Playbook,
    finding: Finding,
    rng: random.Random,
    programmes: Mapping[str, str] | None,
    *,
    replayed: bool,
) -> tuple[Decision, ...]:
    """Plan as if the playbook were live at the time of the finding."""
    now: datetime = (finding.detected_at if replayed else None) or finding.first_seen
    return plan(
        playbook,
        finding,
        now=now,
        rng=rng,
        programmes=programmes,
        mode=Mode.LIVE,
        rationale=_REHEARSAL,
    )


def _times(batches: Iterable[pa.RecordBatch], hit: frozenset[str]) -> tuple[int, dict[str, Times]]:
    """Count all requests, and collect the times of those of the accounts that were hit."""
    wanted = pa.array(sorted(hit), pa.string())
    collected: dict[str, list[Times]] = defaultdict(list)
    total = 0
    for batch in batches:
        total += batch.num_rows
        kept = batch.select(["account_id", "time"]).filter(pc.is_in(batch["account_id"], wanted))
        names = kept["account_id"].dictionary_encode()
        codes = names.indices.to_numpy(zero_copy_only=False)
        times_us = kept["time"].cast(pa.int64()).to_numpy(zero_copy_only=False)
        for code, name in enumerate(names.dictionary.to_pylist()):
            collected[name].append(times_us[codes == code])
    return total, {name: np.sort(np.concatenate(parts)) for name, parts in collected.items()}


def _played(decisions: Sequence[Decision], times: Mapping[str, Times], rng: random.Random) -> dict[str, Met]:
    """Send every request through an index with these decisions, in the order of time."""
    accounts = sorted({account for decision in decisions for account in decision.accounts} & times.keys())
    if not accounts:
        return {}
    entries = (entry_of_decision(decision) for decision in decisions)
    index = DecisionIndex(clock=lambda: 0, rng=rng)
    index.apply(
        Change(number, entry.entry_id, entry) for number, entry in enumerate(entries, 1) if entry is not None
    )
    every = np.concatenate([times[account] for account in accounts])
    owners = np.repeat(np.arange(len(accounts)), [len(times[account]) for account in accounts])
    requests, refused, withheld = Counter[str](), Counter[str](), Counter[str]()
    for place in np.argsort(every, kind="stable").tolist():
        account = accounts[owners[place]]
        verdict = index.decide(Call(account_id=account, time_us=int(every[place])))
        requests[account] += verdict.decision_id is not None or verdict.would_id is not None
        refused[account] += verdict.refused
        withheld[account] += bool(verdict.withheld) and not verdict.refused
    return {account: Met(requests[account], refused[account], withheld[account]) for account in accounts}


def _steps(
    decisions: Sequence[Decision],
    times: Mapping[str, Times],
    rng: random.Random,
    truth: Mapping[str, TrueKind] | None,
) -> Iterable[StepResult]:
    """Play each step of each rule by itself."""
    by_step: dict[tuple[str, Action], list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_step[rule_of(decision), decision.action].append(decision)
    for (rule, action), made in by_step.items():
        met = _played(made, times, rng).values()
        accounts = {account for decision in made for account in decision.accounts}
        yield StepResult(
            rule=rule,
            action=action,
            decisions=len(made),
            accounts=len(accounts),
            benign=_benign(accounts, truth),
            requests=sum(one.requests for one in met),
            refused=sum(one.refused for one in met),
            withheld=sum(one.withheld for one in met),
        )


def _groups(
    hit: Iterable[str], hurt: set[str], together: Mapping[str, Met], truth: Mapping[str, TrueKind]
) -> tuple[Group, ...]:
    """Sum up by what accounts really are."""
    by_kind: dict[TrueKind, list[str]] = defaultdict(list)
    for account in hit:
        by_kind[truth.get(account, TrueKind(UNKNOWN, UNKNOWN))].append(account)
    found = []
    for kind, accounts in by_kind.items():
        met = [together.get(account, Met()) for account in accounts]
        found.append(
            Group(
                label=kind.label,
                archetype=kind.archetype,
                accounts=len(accounts),
                hurt=len(hurt.intersection(accounts)),
                requests=sum(one.requests for one in met),
                refused=sum(one.refused for one in met),
                withheld=sum(one.withheld for one in met),
            )
        )
    return tuple(
        sorted(found, key=lambda group: (-group.hurt, -group.accounts, group.label, group.archetype))
    )


def _labels(planned: Sequence[tuple[Finding, Sequence[Decision]]]) -> dict[str, int]:
    accounts: dict[str, set[str]] = defaultdict(set)
    for finding, made in planned:
        for decision in made:
            accounts[finding.label.value].update(decision.accounts)
    return {label: len(named) for label, named in sorted(accounts.items())}


def _overlap(hit: frozenset[str], in_force: Sequence[Decision]) -> dict[str, int]:
    accounts: dict[str, set[str]] = defaultdict(set)
    for decision in in_force:
        accounts[decision.action.value].update(hit.intersection(decision.bound))
    return {action: len(named) for action, named in sorted(accounts.items()) if named}


def _benign(accounts: Iterable[str], truth: Mapping[str, TrueKind] | None) -> int | None:
    if truth is None:
        return None
    return sum(truth[account].label == BENIGN for account in accounts if account in truth)
