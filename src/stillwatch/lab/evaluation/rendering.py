"""Print a report card for a person."""

from collections.abc import Iterator

from stillwatch.lab.evaluation.card import (
    CampaignScore,
    ExtractionScore,
    LanguageAudit,
    LeakScore,
    ReportCard,
)
from stillwatch.lab.evaluation.table import aligned, number, percent

CAMPAIGN_HEADER = (
    "campaign",
    "accounts",
    "found",
    "recall",
    "purity",
    "label",
    "severity",
    "extraction (truth)",
    "detected",
    "leaked",
    "leaked if blocked",
)


def render(card: ReportCard, *, with_accounts: bool = False) -> str:
    """Return the report card as plain text.

    Args:
        card: What to print.
        with_accounts: Also list every account on which scan and truth differ.
    """
    blocks = [_campaigns(card), _summary(card), _archetypes(card)]
    if card.language:
        blocks.append("\n".join(_language(audit) for audit in card.language))
    if with_accounts:
        blocks.append(_errors(card))
    blocks.extend(f"note: {note}" for note in card.notes)
    return "\n\n".join(block for block in blocks if block) + "\n"


def campaign_row(score: CampaignScore) -> tuple[str, ...]:
    """One line of the campaign table, in the order of `CAMPAIGN_HEADER`."""
    return (
        score.campaign_id,
        f"{score.accounts:,}",
        "yes" if score.is_found else "no",
        percent(score.account_recall),
        percent(score.purity),
        _label(score),
        score.severity or "-",
        _extraction(score.extraction),
        "-" if score.detected_at is None else f"{score.detected_at:%m-%d %H:%M}",
        *_leak(score.leak),
    )


def _campaigns(card: ReportCard) -> str:
    if not card.campaigns:
        return "no true campaign in this set"
    return aligned(CAMPAIGN_HEADER, [campaign_row(score) for score in card.campaigns])


def _label(score: CampaignScore) -> str:
    if score.reported_label is None:
        return "-"
    return score.reported_label if score.is_label_right else f"{score.reported_label} (is {score.label})"


def _extraction(score: ExtractionScore | None) -> str:
    if score is None:
        return "-"
    truth = percent(score.truth)
    if score.share is None:
        return f"- ({truth})"
    verdict = "" if score.is_covered is not False else " missed"
    return f"{percent(score.share)} [{percent(score.low)}, {percent(score.high)}] ({truth}){verdict}"


def _leak(score: LeakScore | None) -> tuple[str, str]:
    if score is None:
        return "-", "-"
    return (
        f"{score.leaked:,} ({percent(score.leaked_share)})",
        f"{score.leaked_if_blocked:,} ({percent(score.leaked_if_blocked_share)})",
    )


def _summary(card: ReportCard) -> str:
    return "\n".join(f"{name}: {value}" for name, value in summary_lines(card))


def summary_lines(card: ReportCard) -> Iterator[tuple[str, str]]:
    """The figures of the whole set, each with its name."""
    score = card.distillation
    yield "campaigns found", f"{card.found} of {len(card.campaigns)}"
    yield "median leaked share (distillation)", percent(card.median_leaked_share, 1)
    labels = (percent(card.label_accuracy), percent(card.account_label_accuracy))
    yield "label accuracy", "{} of found campaigns, {} of hostile accounts flagged".format(*labels)
    yield "accounts with extraction", f"{score.extracting:,}, {percent(score.recall, 1)} flagged"
    yield "precision", f"{percent(score.precision, 1)} in this set; {_precision_at(card)}"
    yield (
        "benign flagged per 1,000",
        (
            f"{number(card.benign_flagged_per_1000)} at medium or above ({card.benign_flagged} of "
            f"{card.benign_accounts:,}), {number(card.benign_observed_per_1000)} at low"
        ),
    )
    yield (
        "findings",
        (
            f"{card.findings} at medium or above ({number(card.findings_per_day)} a day), {card.false_findings} "
            f"of them without a hostile account; {card.observations} at low"
        ),
    )
    if score.relay_accounts:
        yield (
            "hostile without extraction",
            (
                f"{score.relay_flagged} of {score.relay_accounts} flagged (neither hit nor false alarm for distillation)"
            ),
        )


def _precision_at(card: ReportCard) -> str:
    score = card.distillation
    if score.precision_at_base_rate is None:
        return "not defined at a realistic base rate, since nothing was flagged"
    return (
        f"{percent(score.precision_at_base_rate, 1)} (at least {percent(score.precision_at_base_rate_low, 1)} "
        f"with 95 % confidence) at {score.base_rate * 1000:g} hostile in 1,000"
    )


def _archetypes(card: ReportCard) -> str:
    rows = [
        (
            each.archetype,
            f"{each.accounts:,}",
            str(each.flagged),
            number(each.flagged_per_1000),
            str(each.observed),
            number(each.observed_per_1000),
        )
        for each in card.archetypes
    ]
    header = ("benign archetype", "accounts", "flagged", "per 1,000", "at low", "per 1,000")
    return aligned(header, rows) if rows else ""


def _language(audit: LanguageAudit) -> str:
    verdict = "LIKELIER for accounts that write in another language" if audit.is_likelier else "no likelier"
    return (
        f"language audit, {audit.severity} or above: {audit.other_flagged} of {audit.other_accounts:,} benign accounts "
        f"that write in another language flagged, {audit.rest_flagged} of {audit.rest_accounts:,} of the rest; "
        f"rate ratio {number(audit.rate_ratio)}, Fisher p = {audit.p_value:.3g}: {verdict}"
    )


def _errors(card: ReportCard) -> str:
    rows = [
        (
            each.account_id,
            each.truth,
            each.archetype,
            each.true_campaign_id or "-",
            each.reported or "-",
            each.severity or "-",
            each.reported_id or "-",
            "-" if each.q_value is None else f"{each.q_value:.3g}",
        )
        for each in card.errors
    ]
    header = ("account", "truth", "archetype", "true campaign", "reported", "severity", "in", "q")
    return aligned(header, rows) if rows else "scan and truth agree on every account"
