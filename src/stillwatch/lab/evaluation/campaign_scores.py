"""Score each true campaign: found or not, how completely, how early, and with the right share of extraction."""

from collections.abc import Collection, Mapping
from statistics import median

from stillwatch.lab.evaluation.card import CampaignScore, ExtractionScore, LeakScore
from stillwatch.lab.evaluation.matching import Match
from stillwatch.lab.evaluation.outcome import ReportedCampaign
from stillwatch.lab.evaluation.traffic import AccountTraffic, Leak

DISTILLATION = "distillation"


def score_campaign(
    match: Match,
    *,
    observed: Collection[str],
    by_account: Mapping[str, AccountTraffic],
    leak: Leak | None,
) -> CampaignScore:
    """Score one true campaign.

    Args:
        match: The campaign and its best fit at medium or above.
        observed: Accounts reported at low or above.
        by_account: Requests of every account; empty without logs.
        leak: What was gone; None without logs or extraction.
    """
    true, reported = match.true, match.reported
    return CampaignScore(
        campaign_id=true.campaign_id,
        label=true.label,
        accounts=len(true.accounts),
        is_found=match.is_found,
        reported_id=None if reported is None else reported.campaign_id,
        severity=None if reported is None else reported.severity,
        account_recall=match.account_recall,
        account_recall_any=match.account_recall_any,
        purity=match.purity,
        fragments=match.fragments,
        reported_label=None if reported is None else reported.label,
        is_label_right=None if reported is None else reported.label == true.label,
        detected_at=None if reported is None else reported.detected_at,
        extraction=None if reported is None else _extraction(reported, by_account),
        leak=None if leak is None else _leak(leak),
        observed_share=len(true.accounts & set(observed)) / len(true.accounts),
    )


def median_leaked_share(scores: Collection[CampaignScore]) -> float | None:
    """Median over distillation campaigns; one that is not found leaks everything."""
    shares = [
        each.leak.leaked_share if each.is_found else 1.0
        for each in scores
        if each.leak is not None and each.label == DISTILLATION
    ]
    return median(shares) if shares else None


def _extraction(reported: ReportedCampaign, by_account: Mapping[str, AccountTraffic]) -> ExtractionScore:
    truth = _true_share(reported, by_account)
    estimate = reported.extraction
    if estimate is None:
        return ExtractionScore(truth=truth)
    return ExtractionScore(
        truth=truth,
        share=estimate.share,
        low=estimate.low,
        high=estimate.high,
        is_covered=None if truth is None else estimate.low <= truth <= estimate.high,
    )


def _true_share(reported: ReportedCampaign, by_account: Mapping[str, AccountTraffic]) -> float | None:
    known = [by_account[account] for account in reported.accounts if account in by_account]
    requests = sum(each.requests for each in known)
    return sum(each.extraction for each in known) / requests if requests else None


def _leak(leak: Leak) -> LeakScore:
    return LeakScore(
        extraction_requests=leak.total,
        leaked=leak.before_detection,
        leaked_share=leak.before_detection / leak.total,
        leaked_if_blocked=leak.before_block,
        leaked_if_blocked_share=leak.before_block / leak.total,
    )
