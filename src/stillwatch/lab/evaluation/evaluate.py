"""Build the report card from a scan's output, the truth tables and the logs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from stillwatch.lab.evaluation.campaign_scores import median_leaked_share, score_campaign
from stillwatch.lab.evaluation.card import AccountError, CampaignScore, LanguageAudit, ReportCard
from stillwatch.lab.evaluation.false_alarms import by_archetype, distillation_score, per_1000
from stillwatch.lab.evaluation.language_audit import audit_language
from stillwatch.lab.evaluation.matching import Match, match_campaigns
from stillwatch.lab.evaluation.outcome import ALARM_SEVERITY, Outcome, ReportedCampaign, load_outcome
from stillwatch.lab.evaluation.traffic import Traffic
from stillwatch.lab.evaluation.truth import Truth, load_truth, logs_beside

LOWEST_SEVERITY = "low"
_SECONDS_PER_DAY = 86_400
NO_LOGS = "no logs given: leak, true extraction share and the language audit are not scored"
NO_EXTRACTION = "no table of extraction requests: leak and true extraction share are not scored"


def evaluate(
    findings: Path,
    truth: Path,
    *,
    logs: Sequence[Path] = (),
    extraction: Path | None = None,
) -> ReportCard:
    """Score one scan.

    Args:
        findings: The scan's output folder, or its findings.json.
        truth: truth.parquet, or the folder that holds it.
        logs: The labeled requests; none looks for requests/ beside the truth.
        extraction: Table of the extraction requests; None looks for it beside the truth.

    Raises:
        InputError: A file cannot be used as it is.
        MissingColumnsError: A table lacks a column.
        NothingToReadError: There is nothing at one of the log paths.
    """
    outcome, known = load_outcome(findings), load_truth(truth, extraction)
    beside = logs_beside(truth)
    sources = list(logs) or ([beside] if beside is not None else [])
    traffic = Traffic(sources, known.extraction) if sources else None
    return build_card(outcome, known, traffic)


def build_card(outcome: Outcome, truth: Truth, traffic: Traffic | None) -> ReportCard:
    """Score what was reported against what is true; without traffic, only what needs no logs."""
    scores = _score_campaigns(outcome, truth, traffic)
    flagged, observed = outcome.flagged(), outcome.flagged(LOWEST_SEVERITY)
    benign = {account.account_id for account in truth.benign()}
    alarms, days = outcome.alarms(), _days(outcome, traffic)
    return ReportCard(
        campaigns=scores,
        found=sum(score.is_found for score in scores),
        median_leaked_share=median_leaked_share(scores),
        label_accuracy=_share([score.is_label_right is True for score in scores if score.is_found]),
        account_label_accuracy=_account_label_accuracy(outcome, truth),
        benign_accounts=len(benign),
        benign_flagged=len(benign & flagged),
        benign_flagged_per_1000=per_1000(len(benign & flagged), len(benign)),
        benign_observed_per_1000=per_1000(len(benign & (observed - flagged)), len(benign)),
        archetypes=by_archetype(truth, flagged, observed - flagged),
        distillation=distillation_score(truth, flagged),
        findings=len(alarms),
        false_findings=sum(not _holds_hostile(each, truth) for each in alarms),
        observations=len(outcome.campaigns) - len(alarms),
        days=days,
        findings_per_day=len(alarms) / days if days else None,
        language=_language(outcome, truth, traffic),
        errors=tuple(_errors(outcome, truth)),
        notes=_notes(truth, traffic),
    )


def _score_campaigns(outcome: Outcome, truth: Truth, traffic: Traffic | None) -> tuple[CampaignScore, ...]:
    matches = match_campaigns(truth.campaigns, outcome.alarms())
    observed = outcome.flagged(LOWEST_SEVERITY)
    by_account = traffic.by_account() if traffic is not None and truth.extraction is not None else {}
    leaks = {} if traffic is None else traffic.leaks(_detections(matches), _blocks(outcome))
    return tuple(
        score_campaign(
            match, observed=observed, by_account=by_account, leak=leaks.get(match.true.campaign_id)
        )
        for match in matches
    )


def _detections(matches: Sequence[Match]) -> dict[str, datetime | None]:
    return {
        match.true.campaign_id: None
        if match.reported is None or not match.is_found
        else match.reported.detected_at
        for match in matches
    }


def _blocks(outcome: Outcome) -> dict[str, datetime | None]:
    flagged = outcome.flagged()
    return {key: account.detected_at for key, account in outcome.accounts.items() if key in flagged}


def _holds_hostile(reported: ReportedCampaign, truth: Truth) -> bool:
    known = (truth.accounts.get(account) for account in reported.accounts)
    return any(account is not None and not account.is_benign for account in known)


def _account_label_accuracy(outcome: Outcome, truth: Truth) -> float | None:
    flagged = outcome.flagged()
    hostile = [account for key, account in truth.accounts.items() if key in flagged and not account.is_benign]
    return _share([outcome.accounts[each.account_id].label == each.label for each in hostile])


def _share(verdicts: list[bool]) -> float | None:
    return sum(verdicts) / len(verdicts) if verdicts else None


def _days(outcome: Outcome, traffic: Traffic | None) -> float | None:
    first, last = (outcome.first, outcome.last) if traffic is None else traffic.span()
    if first is None or last is None:
        return None
    return (last - first).total_seconds() / _SECONDS_PER_DAY


def _language(outcome: Outcome, truth: Truth, traffic: Traffic | None) -> tuple[LanguageAudit, ...]:
    letters = {} if traffic is None else traffic.non_ascii_letters()
    if not letters:
        return ()
    levels = (ALARM_SEVERITY, LOWEST_SEVERITY)
    return tuple(audit_language(truth, letters, outcome.flagged(level), level) for level in levels)


def _errors(outcome: Outcome, truth: Truth) -> Iterator[AccountError]:
    flagged, observed = outcome.flagged(), outcome.flagged(LOWEST_SEVERITY)
    for key, account in sorted(truth.accounts.items()):
        is_wrong = key in observed if account.is_benign else key not in flagged
        if not is_wrong:
            continue
        seen = outcome.accounts.get(key)
        yield AccountError(
            account_id=key,
            truth=account.label,
            archetype=account.archetype,
            true_campaign_id=account.campaign_id,
            reported=None if seen is None else seen.label,
            severity=None if seen is None else seen.severity,
            reported_id=None if seen is None else seen.campaign_id,
            q_value=None if seen is None else seen.q_value,
        )


def _notes(truth: Truth, traffic: Traffic | None) -> tuple[str, ...]:
    if traffic is None:
        return (NO_LOGS,)
    return (NO_EXTRACTION,) if truth.extraction is None else ()
