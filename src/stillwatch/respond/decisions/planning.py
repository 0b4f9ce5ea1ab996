"""One finding and one playbook -> the decisions that follow. Pure: nothing is stored or done here."""

import random
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from stillwatch.domain.actions import Mode
from stillwatch.domain.decisions import Decision
from stillwatch.domain.findings import Finding
from stillwatch.respond.decisions.playbook import STANDARD, Delay, Playbook, Rule, Step

_RULE: Final = "rule "


def plan(
    playbook: Playbook,
    finding: Finding,
    *,
    now: datetime,
    rng: random.Random,
    programmes: Mapping[str, str] | Callable[[str], str | None] | None = None,
    mode: Mode = Mode.SHADOW,
    rationale: str = "",
    case_id: str | None = None,
) -> tuple[Decision, ...]:
    """Return what the playbook decides about a finding: one decision for each step and group of accounts.

    Args:
        playbook: The rules.
        finding: What was found.
        now: When it is decided.
        rng: Draws delays and ids.
        programmes: On-ramp by account id; accounts not named are on none.
        mode: Shadow, unless a person turned the playbook on.
        rationale: That person's own reason.
        case_id: The case the finding belongs to.
    """
    return tuple(
        _decision(playbook, rule, step, finding, accounts, now, rng, mode, rationale, case_id)
        for rule, accounts in groups(playbook, finding, programmes)
        for step in rule.steps
    )


def groups(
    playbook: Playbook,
    finding: Finding,
    programmes: Mapping[str, str] | Callable[[str], str | None] | None = None,
) -> list[tuple[Rule, tuple[str, ...]]]:
    """Return which rule decides about which accounts of a finding, in the order of the rules."""
    ask = programmes if callable(programmes) else (programmes or {}).get
    by_programme: dict[str, list[str]] = {}
    for account in finding.accounts:
        by_programme.setdefault(ask(account) or STANDARD, []).append(account)
    by_rule: dict[str, list[str]] = {}
    for programme, accounts in by_programme.items():
        rule = playbook.rule_for(finding, programme)
        if rule is not None:
            by_rule.setdefault(rule.name, []).extend(accounts)
    return [(rule, tuple(by_rule[rule.name])) for rule in playbook.rules if rule.name in by_rule]


def rule_of(decision: Decision) -> str:
    """Return the name of the rule that a planned decision followed."""
    return decision.reason.removeprefix(_RULE).partition(":")[0]


def new_id(kind: str, rng: random.Random) -> str:
    """Return an id such as `decision--1f6e…` (a version 4 UUID, as STIX writes ids)."""
    return f"{kind}--{uuid.UUID(int=rng.getrandbits(128), version=4)}"


def _decision(
    playbook: Playbook,
    rule: Rule,
    step: Step,
    finding: Finding,
    accounts: tuple[str, ...],
    now: datetime,
    rng: random.Random,
    mode: Mode,
    rationale: str,
    case_id: str | None,
) -> Decision:
    starts_at = now + drawn(step.after, rng)
    return Decision(
        decision_id=new_id("decision", rng),
        accounts=accounts,
        action=step.action,
        mode=mode,
        label=finding.label,
        throttle=step.throttle,
        withheld=step.withhold,
        tags=step.tags,
        enforced_share=step.share,
        reason=f"{_RULE}{rule.name}: {finding.label.phrase}, severity {finding.severity}, confidence {finding.confidence}",
        evidence=(finding.finding_id,),
        author=playbook.author,
        rationale=rationale,
        decided_at=now,
        starts_at=starts_at,
        ends_at=starts_at + step.lasts,
        case_id=case_id,
    )


def drawn(delay: Delay | None, rng: random.Random) -> timedelta:
    """Return a delay, uniform between its ends, in whole seconds."""
    if delay is None:
        return timedelta(0)
    return timedelta(seconds=round(rng.uniform(delay.min.total_seconds(), delay.max.total_seconds())))
