"""The scores that decide: how far a cluster is a campaign of one label or the other.

Two things are measured of each cluster, in nats: how far its accounts share both access and prompts, and how far their
demand is of the sort that a label names. What is decided by them is whether a cluster is told apart from ordinary
clusters at all; how strong the case is, is said by every signal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.signals.elicitation_mass import SIGNAL as ELICITATION
from stillwatch.detect.signals.groups import Groups, wilson_low

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUP_ACCOUNTS = 3  # from here on a cluster is tested for coordination, below as a lone account
COORDINATED_NATS = 3.0  # what two accounts share by chance once in twenty times is worth this much
POOLED_SHARE = (
    0.25  # that a few accounts of a cluster are shared is ordinary; who resells access shares most of them
)
LARGEST_LOAD = 20  # accounts of a million requests and more are of one class


@dataclass(frozen=True)
class Scores:
    """Scores of clusters, `(n_clusters,)` float64 each, in nats.

    Args:
        coordination: How far the accounts share both access and prompts.
        elicitation: How far the demand asks for training material, nats per request.
        hands: How far accounts are used like several people each, nats per account.
        lone: What one account by itself has drawn: log of the nats of elicitation times the tokens of its answers.
    """

    coordination: NDArray[np.float64]
    elicitation: NDArray[np.float64]
    hands: NDArray[np.float64]
    lone: NDArray[np.float64]

    @property
    def distillation(self) -> NDArray[np.float64]:
        """Return coordination and elicitation together: high only where both are."""
        return np.sqrt(self.coordination * self.elicitation)

    @property
    def resale(self) -> NDArray[np.float64]:
        """Return coordination and many hands together: high only where both are."""
        return np.sqrt(self.coordination * self.hands)

    @property
    def coordinated(self) -> NDArray[np.bool_]:
        """Tell which clusters are tied at all: both by access and by prompts, by more than chance would tie them."""
        return self.coordination >= COORDINATED_NATS


def score(groups: Groups, coordination: NDArray[np.float64]) -> Scores:
    """Score clusters.

    Args:
        groups: The clusters.
        coordination: `(n_clusters,)` nats, see `campaigns.cohesion`.
    """
    # What one account asks for by itself is not what its neighbors ask for: no group is carried by a single one.
    elicitation = np.minimum(ELICITATION.measure(groups), ELICITATION.measure(_without_heaviest(groups)))
    # What is taken is text: the answers to different prompts. What others ask word for word is a benchmark or a
    # textbook, and does not count.
    own_prompts = np.maximum(groups.pooled("different_prompts") - groups.pooled("shared_prompts"), 0.0)
    drawn = own_prompts * groups.share("output_tokens")
    return Scores(
        coordination=coordination,
        elicitation=elicitation,
        hands=_hands(groups, coordination),
        lone=np.log1p(elicitation * drawn),
    )


def _without_heaviest(groups: Groups) -> Groups:
    """Leave out of every group the account that asks for training material most; lone accounts stay."""
    elicited = groups.measures["elicited"]
    return Groups(
        [
            np.delete(members, int(np.argmax(elicited[members])))
            if len(members) >= GROUP_ACCOUNTS
            else members
            for members in groups.members
        ],
        groups.measures,
    )


def _hands(groups: Groups, coordination: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of accounts with several users times its lift over ordinary accounts that are as busy.

    A busy account shows many sides more easily than a quiet one, whoever uses it.
    """
    accounts = groups.pooled("accounts")
    share = wilson_low(groups.pooled("several_users"), accounts)
    expected = groups.matrix() @ _expected_users(groups, coordination) / np.maximum(accounts, 1.0)
    lift = np.log(np.maximum(share, 1e-12) / np.maximum(expected, 1e-12))
    return np.asarray(np.where((share > expected) & (share >= POOLED_SHARE), share * lift, 0.0))


def _expected_users(groups: Groups, coordination: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often an account as busy as each one has several users, among accounts that nothing coordinates."""
    marks = groups.measures["several_users"]
    load = np.log2(np.maximum(groups.measures["requests"], 1.0)).astype(np.int64)
    load = np.minimum(load, LARGEST_LOAD)
    ordinary = np.zeros(len(marks), dtype=bool)
    tied = coordination >= COORDINATED_NATS
    for index in np.flatnonzero(~tied).tolist():
        ordinary[groups.members[index]] = True
    for index in np.flatnonzero(tied).tolist():
        ordinary[groups.members[index]] = False
    seen = np.bincount(load[ordinary], minlength=LARGEST_LOAD + 1)
    marked = np.bincount(load[ordinary], marks[ordinary], LARGEST_LOAD + 1)
    usual = (marked.sum() + 1.0) / (seen.sum() + 1.0)
    return np.asarray(((marked + usual) / (seen + 1.0))[load])
