"""What the demand of a finding looks like, signal by signal, in plain sentences."""

from __future__ import annotations

import numpy as np

from stillwatch.detect.findings.calibration import self_reference
from stillwatch.detect.findings.detection import Look
from stillwatch.detect.signals.registry import available
from stillwatch.domain.findings import Evidence, EvidenceKind


def signal_evidence(seen: Look, index: int) -> list[Evidence]:
    """Set every signal against ordinary clusters of the same sort, the strongest first.

    Args:
        seen: The window.
        index: Which cluster.
    """
    group = bool(seen.is_group[index])
    same = np.flatnonzero((seen.is_group == group) & ~seen.openly_one)
    out = []
    for signal in available(seen.groups):
        if seen.groups.size[index] < signal.min_accounts:
            continue
        values = signal.measure(seen.groups)
        reference, inside = self_reference(values[same])
        member = np.zeros(len(values), dtype=bool)
        member[same[inside]] = True
        own = np.zeros(1, dtype=bool) | member[index]
        p_value = float(reference.p_values(values[index : index + 1], inside=own)[0])
        nats = -np.log(p_value) - 1.0
        out.append(
            Evidence(
                name=signal.name,
                kind=EvidenceKind.SIGNAL,
                nats=float(nats),
                p_value=p_value,
                sentence=signal.say(seen.groups, index),
                compared_with=f"{len(reference.scores):,} ordinary {'clusters' if group else 'accounts'} of this scan",
            )
        )
    return sorted(out, key=lambda one: -one.nats)
