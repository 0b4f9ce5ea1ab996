"""Innocent explanations: which were considered for a cluster, and where each stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stillwatch.domain.findings import Explanation, Label, Verdict

if TYPE_CHECKING:
    from stillwatch.detect.findings.detection import Look

TELLING_NATS = 3.0  # what two accounts share by chance once in twenty times is worth this much
REPEATED_SHARE = 0.3  # evaluations and judges go over the same items again


def explanations(seen: Look, index: int, label: Label) -> tuple[Explanation, ...]:
    """Consider the innocent explanations of one cluster.

    Args:
        seen: The window.
        index: Which cluster.
        label: What it is called.
    """
    access, prompts = seen.access(index), seen.prompts(index)
    accounts = len(seen.groups.members[index])
    listed = []
    if accounts > 1:
        listed += [_one_customer(seen, index), _shared_network(prompts), _public_template(access, prompts)]
        listed.append(_one_application(prompts))
    listed.append(_evaluation(seen, index))
    if label is Label.RESALE:
        listed.append(
            Explanation(
                name="ordinary developers",
                sentence="Most people behind a reseller are ordinary developers who never see these accounts; act on the operator, not on them.",
                verdict=Verdict.POSSIBLE,
            )
        )
    else:
        listed.append(
            Explanation(
                name="synthetic data for a use of their own",
                sentence="Training data for a model that does not compete, or research nobody recorded; the demand looks the same, so ask.",
                verdict=Verdict.LESS_LIKELY if accounts > 1 else Verdict.POSSIBLE,
            )
        )
    return tuple(listed)


def _one_customer(seen: Look, index: int) -> Explanation:
    open_ = bool(seen.openly_one[index])
    return Explanation(
        name="one customer with many seats",
        sentence=(
            "One payer or one e-mail domain of its own stands behind most of the accounts."
            if open_
            else "No single payer or e-mail domain of their own stands behind most of the accounts."
        ),
        verdict=Verdict.POSSIBLE if open_ else Verdict.LESS_LIKELY,
    )


def _shared_network(prompts: float) -> Explanation:
    return Explanation(
        name="shared campus, office, VPN or cloud network",
        sentence=f"People behind one network write different things; these accounts share prompt templates worth {prompts:.1f} nats a pair.",
        verdict=Verdict.RULED_OUT if prompts > TELLING_NATS else Verdict.POSSIBLE,
    )


def _public_template(access: float, prompts: float) -> Explanation:
    return Explanation(
        name="a public template, benchmark or course exercise",
        sentence=f"Users of a public template are reached in different ways; these accounts share access worth {access:.1f} nats a pair beside {prompts:.1f} by prompts.",
        verdict=Verdict.LESS_LIKELY if access > TELLING_NATS else Verdict.POSSIBLE,
    )


def _one_application(prompts: float) -> Explanation:
    return Explanation(
        name="the software of one vendor",
        sentence=f"System instructions were left aside; the users' own prompts still share templates worth {prompts:.1f} nats a pair.",
        verdict=Verdict.LESS_LIKELY if prompts > TELLING_NATS else Verdict.POSSIBLE,
    )


def _evaluation(seen: Look, index: int) -> Explanation:
    prompts = float(seen.groups.pooled("prompts")[index])
    different = float(seen.groups.pooled("different_prompts")[index])
    repeated = 1 - different / prompts if prompts else 0.0
    return Explanation(
        name="an evaluation or a judge pipeline",
        sentence=f"Those go over the same items again and again; here {repeated:.0%} of the prompts repeat an earlier one.",
        verdict=Verdict.POSSIBLE if repeated > REPEATED_SHARE else Verdict.LESS_LIKELY,
    )


def controls_defeated(seen: Look, index: int) -> tuple[str, ...]:
    """Say which controls the cluster's accounts got around, as far as the records show it."""
    members = seen.groups.members[index]
    out = []
    if len(members) < 2 or seen.openly_one[index]:
        return ()
    if "closed_for_abuse" in seen.groups.measures.columns:
        closed = int(seen.groups.measures["closed_for_abuse"][members].sum())
        if closed and _went_on(seen, members):
            out.append(f"ban evasion: {closed} accounts were closed for abuse and others took over")
    payments = seen.population.registry.get("payment_fingerprint")
    if payments is not None:
        known = [payments[one] for one in members if payments[one] is not None]
        if known and len(set(known)) >= 0.5 * len(known) and seen.access(index) > TELLING_NATS:
            out.append(
                f"identity checks: {len(set(known))} payment instruments for what appears to be one operator"
            )
    return tuple(out)


def _went_on(seen: Look, members: np.ndarray) -> bool:
    """Tell whether an account of the cluster began after another one was closed for abuse."""
    closed = seen.population.registry.get("closed_at")
    if closed is None:
        return False
    marks = seen.groups.measures["closed_for_abuse"]
    ends = [closed[one] for one in members if marks[one] > 0 and closed[one] is not None]
    values = seen.population.hours
    first_hour = np.full(len(seen.population), np.iinfo(np.int64).max)
    np.minimum.at(first_hour, values["account"].astype(np.int64), values["hour"].astype(np.int64))
    return bool(ends) and int(first_hour[members].max()) * 3_600_000_000 > min(ends)
