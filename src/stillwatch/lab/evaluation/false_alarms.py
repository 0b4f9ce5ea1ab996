"""Ordinary customers that a scan flagged, by kind of customer, and what that does to precision."""

from collections import Counter
from collections.abc import Collection

from scipy import stats

from stillwatch.lab.evaluation.card import ArchetypeScore, DistillationScore
from stillwatch.lab.evaluation.truth import Truth

BASE_RATE = 0.001  # 1 hostile account in 1,000: what a provider may expect, far below any labeled set
_UPPER_BOUND = 0.95


def per_1000(count: int, total: int) -> float:
    """Rate per 1,000; 0 for an empty group."""
    return 1_000 * count / total if total else 0.0


def by_archetype(
    truth: Truth, flagged: Collection[str], observed: Collection[str]
) -> tuple[ArchetypeScore, ...]:
    """Count flagged ordinary accounts by kind.

    Args:
        truth: The truth tables.
        flagged: Accounts at medium or above.
        observed: Accounts at low.
    """
    total = Counter(account.archetype for account in truth.benign())
    alarms = Counter(account.archetype for account in truth.benign() if account.account_id in flagged)
    seen = Counter(account.archetype for account in truth.benign() if account.account_id in observed)
    return tuple(
        ArchetypeScore(
            archetype=name,
            accounts=total[name],
            flagged=alarms[name],
            flagged_per_1000=per_1000(alarms[name], total[name]),
            observed=seen[name],
            observed_per_1000=per_1000(seen[name], total[name]),
        )
        for name in sorted(total)
    )


def distillation_score(truth: Truth, flagged: Collection[str]) -> DistillationScore:
    """Recall and precision of flagged accounts; pure relays count for neither."""
    extracting = {key for key, account in truth.accounts.items() if account.is_extracting}
    benign = {account.account_id for account in truth.benign()}
    relays = truth.accounts.keys() - extracting - benign
    hits, alarms = len(extracting & set(flagged)), len(benign & set(flagged))
    recall = hits / len(extracting) if extracting else None
    return DistillationScore(
        extracting=len(extracting),
        recall=recall,
        precision=hits / (hits + alarms) if hits + alarms else None,
        base_rate=BASE_RATE,
        precision_at_base_rate=precision_at(BASE_RATE, recall, _rate(alarms, len(benign))),
        precision_at_base_rate_low=precision_at(BASE_RATE, recall, upper_rate(alarms, len(benign))),
        relay_flagged=len(relays & set(flagged)),
        relay_accounts=len(relays),
    )


def precision_at(base_rate: float, recall: float | None, false_alarm_rate: float | None) -> float | None:
    """Precision where `base_rate` of the accounts are hostile (Bayes' rule); None if nothing would be flagged."""
    if recall is None or false_alarm_rate is None:
        return None
    hits, alarms = base_rate * recall, (1 - base_rate) * false_alarm_rate
    return hits / (hits + alarms) if hits + alarms else None


def upper_rate(count: int, total: int) -> float | None:
    """Upper one-sided 95 % bound of a rate (Clopper and Pearson, 1934)."""
    if not total:
        return None
    return 1.0 if count == total else float(stats.beta.ppf(_UPPER_BOUND, count + 1, total - count))


def _rate(count: int, total: int) -> float | None:
    return count / total if total else None
