"""What must hold on the labeled sets, claim by claim, read off the report cards."""

from collections.abc import Iterator

from benchmarks.claims import Claim
from stillwatch.lab.evaluation.card import CampaignScore, ReportCard

MIN_RECALL = 0.90
MIN_PURITY = 0.95
MAX_MEDIAN_LEAK = 0.10
MAX_BENIGN_PER_1000 = 0.5
BEST_BASELINE_ADAPTIVE = 0.31  # gradient boosting on template families, at 1 flagged per 1,000
NEVER_FLAGGED = ("course_cohort", "franchise_tenant", "university_nat", "evaluation", "judge", "pipeline")
OBSERVED_AT_MOST = "research_synthetic"
ADAPTIVE, RELAY, RESALE = "dev-adaptive", "dev-relay-mixed", "dev-resale"


def claims_on_dev(card: ReportCard, *, mode: str) -> Iterator[Claim]:
    """Everything that is claimed of the set with campaigns.

    Args:
        card: Of a scan with daily replay.
        mode: How the scan was calibrated; starts each sentence.
    """
    for score in card.campaigns:
        if score.label == "distillation" and score.campaign_id != ADAPTIVE:
            yield _found_as_one(score, mode)
    median = card.median_leaked_share
    yield Claim(
        f"{mode}: median leaked share of distillation campaigns ≤ {MAX_MEDIAN_LEAK:.0%}",
        "-" if median is None else f"{median:.1%}",
        None if median is None else median <= MAX_MEDIAN_LEAK,
    )
    yield from _relays(card, mode)
    yield _adaptive(card, mode)
    yield from claims_on_benign(card, mode=mode)


def claims_on_quiet(card: ReportCard, *, mode: str) -> Iterator[Claim]:
    """Everything that is claimed of the set without campaigns."""
    yield Claim(
        f"{mode}: no finding at medium or above on quiet traffic",
        f"{card.findings} findings, {card.benign_flagged} accounts",
        card.findings == 0,
    )
    yield from _language(card, mode)


def claims_on_benign(card: ReportCard, *, mode: str) -> Iterator[Claim]:
    """What is claimed of ordinary customers beside campaigns."""
    yield Claim(
        f"{mode}: benign accounts in findings at medium or above ≤ {MAX_BENIGN_PER_1000} per 1,000",
        f"{card.benign_flagged_per_1000:.2f} ({card.benign_flagged} of {card.benign_accounts:,})",
        card.benign_flagged_per_1000 <= MAX_BENIGN_PER_1000,
    )
    for name in (*NEVER_FLAGGED, OBSERVED_AT_MOST):
        score = card.archetype(name)
        if score is not None:
            yield Claim(
                f"{mode}: no {name} at medium or above",
                f"{score.flagged} of {score.accounts} ({score.observed} at low)",
                score.flagged == 0,
            )
    yield from _language(card, mode)


def _found_as_one(score: CampaignScore, mode: str) -> Claim:
    purity = score.purity or 0.0
    return Claim(
        f"{mode}: {score.campaign_id} found as one cluster, purity ≥ {MIN_PURITY}, account recall ≥ {MIN_RECALL}",
        f"recall {score.account_recall:.2f}, purity {purity:.2f}, {score.severity or 'not reported'}",
        score.account_recall >= MIN_RECALL and purity >= MIN_PURITY,
    )


def _relays(card: ReportCard, mode: str) -> Iterator[Claim]:
    for campaign in (RELAY, RESALE):
        score = card.campaign(campaign)
        if score is not None:
            yield Claim(
                f"{mode}: {campaign} found as resold access",
                f"{'found' if score.is_found else 'not found'} as {score.reported_label or '-'}, "
                f"recall {score.account_recall:.2f}, purity {score.purity or 0:.2f}",
                score.is_found and score.is_label_right is True,
            )
    relay = card.campaign(RELAY)
    extraction = None if relay is None else relay.extraction
    if relay is not None:
        shown = "no estimate"
        if extraction is not None and extraction.share is not None:
            shown = f"{extraction.share:.2f} [{extraction.low:.2f}, {extraction.high:.2f}], truth {extraction.truth:.2f}"
        yield Claim(
            f"{mode}: the interval of {RELAY}'s extraction share covers the truth",
            shown,
            extraction is not None and extraction.is_covered is True,
        )


def _adaptive(card: ReportCard, mode: str) -> Claim:
    score = card.campaign(ADAPTIVE)
    recall = 0.0 if score is None else score.account_recall_any
    observed = 0.0 if score is None else score.observed_share
    return Claim(
        f"{mode}: more than {BEST_BASELINE_ADAPTIVE:.0%} of the accounts of {ADAPTIVE}, the best baseline's share",
        f"{recall:.0%} at medium or above, {observed:.0%} at low or above",
        None if score is None else recall > BEST_BASELINE_ADAPTIVE,
    )


def _language(card: ReportCard, mode: str) -> Iterator[Claim]:
    for audit in card.language:
        yield Claim(
            f"{mode}: flags at {audit.severity} or above no likelier among accounts that write in another language",
            f"{audit.other_flagged} of {audit.other_accounts} against {audit.rest_flagged} of {audit.rest_accounts:,}, "
            f"p = {audit.p_value:.2g}",
            not audit.is_likelier,
        )
