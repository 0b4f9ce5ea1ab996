"""Write a finding that a person can read and check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.findings.detection import Look
from stillwatch.detect.findings.exemplars import exemplars
from stillwatch.detect.findings.explanation import explanations
from stillwatch.detect.findings.flagging import Flagged
from stillwatch.detect.findings.graph_sample import graph_sample
from stillwatch.detect.findings.link_evidence import link_evidence
from stillwatch.detect.findings.severity import SUPPORTING_P_VALUE, confidence
from stillwatch.detect.findings.signal_evidence import signal_evidence
from stillwatch.detect.findings.timeline import span, timeline
from stillwatch.domain.findings import AuthorizationNote, Evidence, EvidenceKind, Finding, Label, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

ATLAS = {
    Label.DISTILLATION: ("AML.T0024.002",),  # Extract AI Model
    Label.RESALE: ("AML.T0008.005",),  # AI Service Proxies
    Label.AUTHORIZED: (),
}
NEXT_STEP = {
    Severity.LOW: "observe",
    Severity.MEDIUM: "observe, and ask the account holders",
    Severity.HIGH: "open a case; require verification",
    Severity.CRITICAL: "open a case now; withhold reasoning and log-probabilities while it is checked",
}


def build_finding(
    seen: Look,
    flagged: Flagged,
    *,
    campaign_id: str,
    detected_at: datetime | None,
    names: dict[tuple[str, int], str],
    notes: dict[str, AuthorizationNote],
) -> Finding:
    """Write one finding.

    Args:
        seen: The window.
        flagged: The cluster.
        campaign_id: Its lasting id.
        detected_at: End of the first step that flagged it at medium or above.
        names: What hashed values look like, by kind and value.
        notes: Permissions that touch accounts, by account id.
    """
    members = seen.groups.members[flagged.index]
    ids = [str(one) for one in seen.population.account_ids[members]]
    evidence = (*link_evidence(seen, flagged.index, names), *signal_evidence(seen, flagged.index))
    first_seen, last_seen = span(seen, members)
    pooled = _pooled(seen, members)
    severity = flagged.gravity.severity
    return Finding(
        finding_id=f"{campaign_id}-{flagged.label.value}",
        campaign_id=campaign_id,
        label=flagged.label,
        title=_title(len(ids), pooled["requests"]),
        severity=severity,
        severity_reasons=flagged.gravity.reasons,
        confidence=confidence(flagged.q_value, _supporting(evidence)),
        p_value=flagged.p_value,
        q_value=flagged.q_value,
        accounts=tuple(sorted(ids)),
        exchanges=pooled["requests"],
        input_tokens=pooled["input_tokens"],
        output_tokens=pooled["output_tokens"],
        first_seen=first_seen,
        last_seen=last_seen,
        detected_at=detected_at if severity is not Severity.LOW else None,
        extraction=flagged.extraction,
        evidence=evidence,
        innocent=explanations(seen, flagged.index, flagged.label),
        exemplars=exemplars(seen, members, names),
        timeline=timeline(seen, members),
        graph=graph_sample(seen, members),
        models=_by_name(seen, members, "model"),
        surfaces=_by_name(seen, members, "surface"),
        controls_defeated=flagged.gravity.controls,
        atlas=ATLAS[flagged.label],
        authorization=next((notes[one] for one in ids if one in notes), None),
        action=NEXT_STEP[severity],
    )


def _title(accounts: int, exchanges: int) -> str:
    if accounts == 1:
        return f"1 account, {exchanges:,} exchanges"
    return f"{accounts:,} accounts, {exchanges:,} exchanges, one operator"


def _pooled(seen: Look, members: NDArray[np.int64]) -> dict[str, int]:
    """Add up what the accounts sent and got."""
    names = ("requests", "input_tokens", "output_tokens")
    return {name: int(seen.groups.measures[name][members].sum()) for name in names}


def _supporting(evidence: Sequence[Evidence]) -> int:
    """Count the signals that speak for the finding by themselves."""
    signals = (one for one in evidence if one.kind is EvidenceKind.SIGNAL)
    return sum((one.p_value or 1) <= SUPPORTING_P_VALUE for one in signals)


def _by_name(seen: Look, members: NDArray[np.int64], column: str) -> dict[str, int]:
    """Count exchanges by model or surface, the most first."""
    table = seen.population.models
    mine = np.isin(table["account"], members)
    names, dense = np.unique(table[column][mine].astype(str), return_inverse=True)
    counts = np.bincount(dense, table["requests"][mine].astype(np.float64), len(names))
    pairs = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda pair: -pair[1])
    return {name or "unknown": int(count) for name, count in pairs}
