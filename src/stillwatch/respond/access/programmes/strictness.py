"""Whether a programme's own playbook is at least as strict as everybody's."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple, cast

from stillwatch.domain.actions import Action
from stillwatch.domain.findings import Finding
from stillwatch.domain.severity import Confidence, Label, Severity
from stillwatch.respond.decisions.playbook import STANDARD, Playbook, Rule, Step


class _Probe(NamedTuple):
    """As much of a finding as rules look at."""

    label: Label
    severity: Severity
    confidence: Confidence
    accounts: range


def milder_steps(own: Playbook, standard: Playbook, programme: str) -> tuple[str, ...]:
    """Find where an account on a programme would be treated more mildly than one on none.

    Args:
        own: The programme's playbook.
        standard: Everybody's.
        programme: As the accounts table names it.

    Returns:
        A sentence for each kind of finding that is treated more mildly; empty when the playbook is as strict
        everywhere. Compared are the strongest step, the rate of throttling and what is withheld; delays and
        durations are not.
    """
    found = dict.fromkeys(
        sentence
        for probe in _probes((own, standard))
        for sentence in _milder(
            own.rule_for(cast("Finding", probe), programme),
            standard.rule_for(cast("Finding", probe), STANDARD),
            probe,
        )
    )
    return tuple(found)


def _probes(playbooks: Sequence[Playbook]) -> Iterator[_Probe]:
    """Yield one of every kind of finding that some rule tells apart."""
    sizes = sorted({1} | {rule.when.accounts for playbook in playbooks for rule in playbook.rules})
    for label, severity, confidence, size in product(
        (Label.DISTILLATION, Label.RESALE), Severity, Confidence, sizes
    ):
        yield _Probe(label, severity, confidence, range(size))


def _milder(own: Rule | None, standard: Rule | None, probe: _Probe) -> Iterator[str]:
    """Compare two rules for one kind of finding."""
    ours, theirs = _strongest(own), _strongest(standard)
    kind = f"{probe.severity} {probe.label}, {probe.confidence} confidence, {len(probe.accounts)} account(s)"
    if ours.rank < theirs.rank:
        yield f"{kind}: {ours} instead of {theirs}"
    elif ours is Action.THROTTLE is theirs and _rate(own) > _rate(standard):
        yield f"{kind}: {_rate(own):g} requests a minute instead of {_rate(standard):g}"
    elif ours is Action.WITHHOLD is theirs and (missing := _withheld(standard) - _withheld(own)):
        yield f"{kind}: {', '.join(sorted(missing))} not withheld"


def _steps(rule: Rule | None) -> tuple[Step, ...]:
    return () if rule is None else rule.steps


def _strongest(rule: Rule | None) -> Action:
    return max((step.action for step in _steps(rule)), key=lambda action: action.rank, default=Action.OBSERVE)


def _rate(rule: Rule | None) -> float:
    rates = [step.requests_per_min for step in _steps(rule) if step.requests_per_min is not None]
    return min(rates, default=float("inf"))


def _withheld(rule: Rule | None) -> frozenset[str]:
    return frozenset(each.value for step in _steps(rule) for each in step.withhold)
