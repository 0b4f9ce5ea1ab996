"""The report card as frozen records: what `stillwatch evaluate` prints and writes as JSON."""

from datetime import datetime

from stillwatch.domain.record import Count, Record, Share


class ExtractionScore(Record):
    """The estimated share of a found campaign's requests that is extraction, beside the truth.

    Attributes:
        truth: extraction requests / requests of the reported accounts; None without logs.
        share: the estimate; None if the scan made none.
        low: lower end of its interval.
        high: upper end of its interval.
        is_covered: the interval holds the truth; None if either is unknown.
    """

    truth: Share | None = None
    share: Share | None = None
    low: Share | None = None
    high: Share | None = None
    is_covered: bool | None = None


class LeakScore(Record):
    """How much extraction was gone before the campaign was noticed.

    Attributes:
        extraction_requests: all extraction requests of the true campaign in the logs.
        leaked: those sent before the campaign was first flagged at medium or above.
        leaked_share: leaked / extraction_requests, 0 to 1.
        leaked_if_blocked: those that get through if only flagged accounts are blocked, each from the moment
            it was flagged.
        leaked_if_blocked_share: leaked_if_blocked / extraction_requests, 0 to 1.
    """

    extraction_requests: Count
    leaked: Count
    leaked_share: Share
    leaked_if_blocked: Count
    leaked_if_blocked_share: Share


class CampaignScore(Record):
    """How one true campaign fared.

    Attributes:
        campaign_id: the true campaign.
        label: what it is.
        accounts: its true accounts.
        is_found: one reported campaign at medium or above holds at least half of its accounts and is at least
            80 % pure.
        reported_id: the reported campaign that fits best, at medium or above.
        severity: that campaign's severity.
        account_recall: share of its accounts in that campaign.
        account_recall_any: share of its accounts in any reported campaign at medium or above.
        purity: share of that campaign's own accounts that belong here.
        fragments: reported campaigns at medium or above that hold some of its accounts.
        reported_label: label of the best fit.
        is_label_right: that label is the true one; None if nothing was reported.
        detected_at: when the best fit was first flagged.
        extraction: estimated and true extraction share; None without a fit.
        leak: what was gone; None without logs or when nothing is extracted.
        observed_share: share of its accounts reported at low or above ("observe").
    """

    campaign_id: str
    label: str
    accounts: Count
    is_found: bool
    reported_id: str | None = None
    severity: str | None = None
    account_recall: Share
    account_recall_any: Share
    purity: Share | None = None
    fragments: Count
    reported_label: str | None = None
    is_label_right: bool | None = None
    detected_at: datetime | None = None
    extraction: ExtractionScore | None = None
    leak: LeakScore | None = None
    observed_share: Share


class ArchetypeScore(Record):
    """Ordinary customers of one kind that were flagged.

    Attributes:
        archetype: the kind of customer.
        accounts: how many there are.
        flagged: those in findings at medium or above.
        flagged_per_1000: the same per 1,000 accounts of the kind.
        observed: those at low.
        observed_per_1000: the same per 1,000 accounts of the kind.
    """

    archetype: str
    accounts: Count
    flagged: Count
    flagged_per_1000: float
    observed: Count
    observed_per_1000: float


class DistillationScore(Record):
    """Per-account figures for distillation, at medium or above and whatever the label.

    Hostile accounts that extract nothing (pure relays) are neither hit nor false alarm.

    Attributes:
        extracting: accounts with any extraction.
        recall: share of them flagged.
        precision: hits / (hits + benign accounts flagged), at the set's own base rate.
        base_rate: share of hostile accounts that precision is re-weighted to.
        precision_at_base_rate: precision at that base rate.
        precision_at_base_rate_low: the same with the upper 95 % bound of the false-alarm rate, since a small
            set cannot show a rate of zero.
        relay_flagged: pure relay accounts flagged, which count for neither.
        relay_accounts: pure relay accounts.
    """

    extracting: Count
    recall: Share | None
    precision: Share | None
    base_rate: Share
    precision_at_base_rate: Share | None
    precision_at_base_rate_low: Share | None
    relay_flagged: Count
    relay_accounts: Count


class LanguageAudit(Record):
    """False alarms among ordinary accounts that write in another language, against the rest.

    Attributes:
        severity: flagged at this severity or above.
        other_accounts: ordinary accounts whose prompts are more than 30 % non-ASCII letters.
        other_flagged: those flagged.
        rest_accounts: the other ordinary accounts.
        rest_flagged: those flagged.
        rate_ratio: (other_flagged / other_accounts) / (rest_flagged / rest_accounts); None if not defined.
        p_value: two-sided exact Fisher test that the two rates are equal.
        is_likelier: flags are significantly likelier (p < 0.05) among accounts that write in another language.
    """

    severity: str
    other_accounts: Count
    other_flagged: Count
    rest_accounts: Count
    rest_flagged: Count
    rate_ratio: float | None
    p_value: Share
    is_likelier: bool


class AccountError(Record):
    """One account on which scan and truth differ: an ordinary one flagged, or a hostile one missed."""

    account_id: str
    truth: str
    archetype: str
    true_campaign_id: str | None
    reported: str | None
    severity: str | None
    reported_id: str | None
    q_value: float | None


class ReportCard(Record):
    """Everything that `stillwatch evaluate` says about one scan.

    Attributes:
        campaigns: one score per true campaign.
        found: true campaigns found.
        median_leaked_share: over distillation campaigns with extraction, missed ones counting as 1.
        label_accuracy: share of found campaigns with the right label.
        account_label_accuracy: share of hostile accounts flagged that carry the right label.
        benign_accounts: ordinary accounts.
        benign_flagged: those in findings at medium or above.
        benign_flagged_per_1000: the same per 1,000.
        benign_observed_per_1000: those at low, per 1,000.
        archetypes: false alarms by kind of customer.
        distillation: per-account figures.
        findings: reported campaigns at medium or above.
        false_findings: those without a single hostile account.
        observations: reported campaigns at low.
        days: span of the logs.
        findings_per_day: findings / days.
        language: the audit, at medium or above and at low or above; empty without prompts.
        errors: accounts on which scan and truth differ.
        notes: what could not be scored, and why.
    """

    campaigns: tuple[CampaignScore, ...]
    found: Count
    median_leaked_share: Share | None
    label_accuracy: Share | None
    account_label_accuracy: Share | None
    benign_accounts: Count
    benign_flagged: Count
    benign_flagged_per_1000: float
    benign_observed_per_1000: float
    archetypes: tuple[ArchetypeScore, ...]
    distillation: DistillationScore
    findings: Count
    false_findings: Count
    observations: Count
    days: float | None
    findings_per_day: float | None
    language: tuple[LanguageAudit, ...] = ()
    errors: tuple[AccountError, ...] = ()
    notes: tuple[str, ...] = ()

    def campaign(self, campaign_id: str) -> CampaignScore | None:
        """Return the score of one true campaign, or None if there is no such campaign."""
        return next((each for each in self.campaigns if each.campaign_id == campaign_id), None)

    def archetype(self, name: str) -> ArchetypeScore | None:
        """Return the false alarms of one kind of customer, or None if the set has none of them."""
        return next((each for each in self.archetypes if each.archetype == name), None)
