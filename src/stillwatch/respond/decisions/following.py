"""Follow a playbook for one finding, again and again, without doing anything twice or against a person's word."""

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Final

from stillwatch.domain.actions import Action
from stillwatch.domain.cases import CaseLabel
from stillwatch.domain.decisions import Decision
from stillwatch.domain.findings import Finding
from stillwatch.domain.severity import AuthorizationStatus, Label
from stillwatch.respond.audit import Write
from stillwatch.respond.cases import find
from stillwatch.respond.decisions.planning import plan
from stillwatch.respond.decisions.playbook import Playbook
from stillwatch.respond.decisions.reading import decisions_about, reinstated_since
from stillwatch.respond.decisions.switching import switch_of
from stillwatch.respond.decisions.taking import revised, take

REINSTATED_FOR: Final = timedelta(days=90)
"""So long after an appeal was granted, playbooks leave the account to people."""


def follow(
    write: Write,
    playbook: Playbook,
    finding: Finding,
    *,
    rng: random.Random,
    programmes: Mapping[str, str] | Callable[[str], str | None] | None = None,
    spared: Iterable[str] = (),
    case_id: str | None = None,
) -> tuple[Decision, ...]:
    """Take the decisions that a playbook asks for and that are not there yet.

    An account is left alone where the same playbook took the same action before and that decision has not reached its
    end: also when a person undid it or let the account go, because an undo is not for the machine to repeal.

    Args:
        write: The open transaction; its actor is `playbook.author`.
        playbook: The rules.
        finding: What was found.
        rng: Draws delays and ids.
        programmes: On-ramp by account id.
        spared: Accounts that people labeled benign or authorized: nothing is decided about them.
        case_id: The case the finding belongs to.

    Returns:
        The decisions that were taken, in shadow unless a person turned this playbook on.
    """
    if finding.label is Label.AUTHORIZED or _is_in_scope(finding):
        return ()
    finding = _as_people_say(write, finding, case_id)
    switch = switch_of(write.connection, playbook)
    planned = plan(
        playbook,
        finding,
        now=write.now,
        rng=rng,
        programmes=programmes,
        mode=switch.mode,
        rationale=switch.rationale,
        case_id=case_id,
    )
    if not planned:
        return ()
    left_alone = frozenset(spared) | reinstated_since(
        write.connection, finding.accounts, write.now - REINSTATED_FOR
    )
    done = _done(write, playbook, finding)
    taken = []
    for decision in planned:
        accounts = tuple(
            a for a in decision.accounts if a not in left_alone and (a, decision.action) not in done
        )
        if accounts:
            taken.append(take(write, revised(decision, {"accounts": accounts})))
    return tuple(taken)


def _as_people_say(write: Write, finding: Finding, case_id: str | None) -> Finding:
    """Return the finding as resale where a person labeled its case so, and not as a true campaign besides."""
    case = None if case_id is None else find(write.connection, case_id)
    said = frozenset() if case is None else frozenset(mark.label for mark in case.labels if mark.whole)
    if CaseLabel.RESALE in said and CaseLabel.TRUE_CAMPAIGN not in said:
        return finding.model_copy(update={"label": Label.RESALE})
    return finding


def _is_in_scope(finding: Finding) -> bool:
    return finding.authorization is not None and finding.authorization.status is AuthorizationStatus.IN_SCOPE


def _done(write: Write, playbook: Playbook, finding: Finding) -> frozenset[tuple[str, Action]]:
    """Return which actions this playbook, in any version, has taken about which accounts."""
    mark = f"playbook:{playbook.name}@"
    about = decisions_about(write.connection, finding.accounts, write.now)
    return frozenset(
        (account, decision.action)
        for decision in about
        if decision.author.startswith(mark)
        for account in decision.accounts
    )
