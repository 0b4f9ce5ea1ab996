"""Are ordinary accounts that write in another language flagged more often than the rest?

Published campaigns came from a few countries, so a detector could learn the language and not the behavior. This
audit is how that would show. Language is read off the script: more than 30 % of the letters in an account's
prompts are outside ASCII. Languages in Latin script with few accents count among the rest.
"""

from collections.abc import Collection, Mapping

from scipy import stats

from stillwatch.lab.evaluation.card import LanguageAudit
from stillwatch.lab.evaluation.truth import Truth

OTHER_LANGUAGE_SHARE = 0.3  # non-ASCII letters / letters; English with names and loan words stays under 0.02
_SIGNIFICANT = 0.05


def audit_language(
    truth: Truth, non_ascii: Mapping[str, float], flagged: Collection[str], severity: str
) -> LanguageAudit:
    """Compare the two false-alarm rates with an exact test.

    Args:
        truth: The truth tables; only ordinary accounts are compared.
        non_ascii: Share of non-ASCII letters by account; accounts that are absent wrote no letters.
        flagged: Accounts reported at `severity` or above.
        severity: Named in the result.

    References:
        Fisher (1922), "On the interpretation of χ² from contingency tables, and the calculation of P".
    """
    benign = {account.account_id for account in truth.benign()} & non_ascii.keys()
    other = {key for key in benign if non_ascii[key] > OTHER_LANGUAGE_SHARE}
    rest = benign - other
    a, b = len(other & set(flagged)), len(rest & set(flagged))
    p_value = exact_p_value(a, len(other), b, len(rest))
    ratio = rate_ratio(a, len(other), b, len(rest))
    return LanguageAudit(
        severity=severity,
        other_accounts=len(other),
        other_flagged=a,
        rest_accounts=len(rest),
        rest_flagged=b,
        rate_ratio=ratio,
        p_value=p_value,
        is_likelier=p_value < _SIGNIFICANT and a * len(rest) > b * len(other),
    )


def exact_p_value(flagged: int, total: int, rest_flagged: int, rest_total: int) -> float:
    """Two-sided Fisher test of flagged/total against rest_flagged/rest_total."""
    table = [[flagged, total - flagged], [rest_flagged, rest_total - rest_flagged]]
    return min(1.0, float(stats.fisher_exact(table).pvalue))


def rate_ratio(flagged: int, total: int, rest_flagged: int, rest_total: int) -> float | None:
    """Ratio of the two rates; None when either group is empty or the rest has no flag."""
    if not total or not rest_total or not rest_flagged:
        return None
    return (flagged / total) / (rest_flagged / rest_total)
