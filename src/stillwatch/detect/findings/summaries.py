"""What a scan says of itself: calibration, prevalence and load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.findings.detection import Look, Verdicts
from stillwatch.detect.findings.flagging import Flagged
from stillwatch.detect.findings.report.prevalence import prevalence
from stillwatch.detect.findings.report.service_load import service_load
from stillwatch.domain.findings import CalibrationSummary, Label, PrevalencePoint, ServiceLoad

if TYPE_CHECKING:
    from numpy.typing import NDArray

THURSDAY = 3  # 1970-01-01 was one; weeks begin on Monday


def calibration_summary(
    verdicts: Verdicts, seen: Look, fdr: float, *, with_baseline: bool
) -> CalibrationSummary:
    """Say what the evidence was compared with and how far that can be trusted."""
    groups = verdicts.references.get("groups")
    lone = verdicts.references.get("lone")
    clusters = len(groups.scores) if groups else 0
    accounts = len(lone.scores) if lone else 0
    apart = max((one.left_out for one in verdicts.references.values()), default=0.0)
    whose = "the baseline" if with_baseline else "the scanned traffic itself"
    treated = "stand apart" if with_baseline else "stand apart and were left out"
    return CalibrationSummary(
        mode="baseline" if with_baseline else "self",
        reference_clusters=clusters + accounts,
        contamination=apart,
        fdr=fdr,
        clusters_tested=len(seen.groups),
        sentence=(
            f"Compared with {clusters:,} clusters and {accounts:,} lone accounts of {whose}; {apart:.1%} of its clusters "
            f"{treated}, beyond what chance explains."
        ),
    )


def flagged_share(seen: Look, flagged: Sequence[Flagged]) -> NDArray[np.float64]:
    """Return the share of each account's requests that findings explain, `(n_accounts,)`.

    Of resold access the whole is explained; of distillation-shaped demand the part that is extraction.
    """
    share = np.zeros(len(seen.population))
    for one in flagged:
        members = seen.groups.members[one.index]
        share[members] = 1.0 if one.label is Label.RESALE else one.extraction.share
    return share


def prevalence_of(seen: Look, flagged: Sequence[Flagged]) -> tuple[PrevalencePoint, ...]:
    """Return the share of requests and tokens that findings explain, by week and model."""
    table = seen.population.models
    account = table["account"].astype(np.int64)
    day = table["day"].astype(np.int64)
    monday = day - (day + THURSDAY) % 7
    tokens = table["input_tokens"].astype(np.float64) + table["output_tokens"].astype(np.float64)
    requests = table["requests"].astype(np.float64)
    share = flagged_share(seen, flagged)[account]
    names = np.where(table["model"].astype(str) == "", "unknown", table["model"].astype(str))
    return prevalence(
        week_start=monday.astype("datetime64[D]"),
        model=names,
        account=account,
        requests=requests,
        tokens=tokens,
        flagged_requests=requests * share,
        flagged_tokens=tokens * share,
    )


def service_load_of(seen: Look, flagged: Sequence[Flagged]) -> ServiceLoad:
    """Return the load that findings put on the service."""
    table = seen.population.hours
    account = table["account"].astype(np.int64)
    share = flagged_share(seen, flagged)[account]
    requests = table["requests"].astype(np.float64)
    output = table["output_tokens"].astype(np.float64)
    tokens = output + table["input_tokens"].astype(np.float64)
    return service_load(
        hour=table["hour"].astype(np.int64).astype("datetime64[h]"),
        requests=requests,
        tokens=tokens,
        flagged_requests=requests * share,
        flagged_tokens=tokens * share,
        flagged_output_tokens=output * share,
    )
