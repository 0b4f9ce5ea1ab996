"""Which reported campaign, if any, is which true campaign."""

from collections.abc import Sequence
from dataclasses import dataclass

from stillwatch.lab.evaluation.outcome import ReportedCampaign
from stillwatch.lab.evaluation.truth import TrueCampaign

MIN_ACCOUNT_RECALL = 0.5  # found = at least half of the true campaign's accounts …
MIN_PURITY = 0.8  # … and at least 80 % of the reported campaign's own accounts are that campaign's


@dataclass(frozen=True)
class Match:
    """One true campaign beside the reported campaign that fits it best.

    Args:
        true: The true campaign.
        reported: The best fit; None if no reported campaign holds any of its accounts.
        shared: Accounts that both hold.
        fragments: Reported campaigns that hold at least one of its accounts.
        recalled: Accounts of the true campaign in any reported campaign.
    """

    true: TrueCampaign
    reported: ReportedCampaign | None
    shared: int
    fragments: int
    recalled: int

    @property
    def account_recall(self) -> float:
        """Share of the true campaign's accounts that the best fit holds, 0 to 1."""
        return self.shared / len(self.true.accounts)

    @property
    def account_recall_any(self) -> float:
        """Share of the true campaign's accounts in any reported campaign, 0 to 1."""
        return self.recalled / len(self.true.accounts)

    @property
    def purity(self) -> float | None:
        """Share of the best fit's own accounts that belong to the true campaign, 0 to 1."""
        return None if self.reported is None else self.shared / len(self.reported.accounts)

    @property
    def is_found(self) -> bool:
        """One reported campaign holds enough of it, and little else."""
        return self.purity is not None and _is_found(self.account_recall, self.purity)


def match_campaigns(true: Sequence[TrueCampaign], reported: Sequence[ReportedCampaign]) -> tuple[Match, ...]:
    """Pair every true campaign with its best reported one; a reported campaign may fit several only in part."""
    return tuple(match_campaign(each, reported) for each in true)


def match_campaign(true: TrueCampaign, reported: Sequence[ReportedCampaign]) -> Match:
    """Pair one true campaign: a fit that counts as found wins, then the one with most of its accounts."""
    touching = [each for each in reported if each.accounts & true.accounts]
    if not touching:
        return Match(true, None, 0, 0, 0)
    best = max(touching, key=lambda each: _fit(true, each))
    recalled = frozenset[str]().union(*(each.accounts for each in touching)) & true.accounts
    return Match(true, best, len(best.accounts & true.accounts), len(touching), len(recalled))


def _fit(true: TrueCampaign, reported: ReportedCampaign) -> tuple[bool, int, float]:
    shared = len(true.accounts & reported.accounts)
    purity = shared / len(reported.accounts)
    return _is_found(shared / len(true.accounts), purity), shared, purity


def _is_found(account_recall: float, purity: float) -> bool:
    return account_recall >= MIN_ACCOUNT_RECALL and purity >= MIN_PURITY
