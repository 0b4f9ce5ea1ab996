"""The load that findings put on the service: how much, and how hard at the worst hour."""

from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stillwatch.detect.findings.report import figures
from stillwatch.domain.findings import ServiceLoad

_MINUTES_PER_HOUR: Final = 60

Floats = NDArray[np.float64]


def service_load(
    *,
    hour: ArrayLike,
    requests: ArrayLike,
    tokens: ArrayLike,
    flagged_requests: ArrayLike,
    flagged_tokens: ArrayLike,
    flagged_output_tokens: ArrayLike,
) -> ServiceLoad:
    """Sum up the load of all findings.

    Args:
        hour: `(n_rows,)` datetime64[h], UTC; hours may repeat.
        requests: `(n_rows,)` all requests in the row.
        tokens: `(n_rows,)` all input and output tokens.
        flagged_requests: `(n_rows,)` requests that findings explain.
        flagged_tokens: `(n_rows,)` their input and output tokens.
        flagged_output_tokens: `(n_rows,)` their output tokens.
    """
    hours, row = np.unique(np.asarray(hour, dtype="datetime64[h]"), return_inverse=True)
    flagged, everything = _by_hour(row, flagged_requests), _by_hour(row, requests)
    if not flagged.sum() > 0:
        return ServiceLoad()
    peak = int(flagged.argmax())
    active = np.flatnonzero(flagged)
    minutes = float((hours[active[-1]] - hours[active[0]]).astype(int) + 1) * _MINUTES_PER_HOUR
    load = ServiceLoad(
        requests=round(flagged.sum()),
        request_share=_share(flagged.sum(), everything.sum()),
        tokens=round(_total(flagged_tokens)),
        token_share=_share(_total(flagged_tokens), _total(tokens)),
        output_tokens=round(_total(flagged_output_tokens)),
        mean_requests_per_min=float(flagged.sum()) / minutes,
        peak_requests_per_min=float(flagged[peak]) / _MINUTES_PER_HOUR,
        peak_hour=hours[peak].astype("datetime64[s]").astype(datetime).replace(tzinfo=UTC),
        peak_hour_share=_share(flagged[peak], everything[peak]),
    )
    return load.model_copy(update={"sentence": _sentence(load)})


def _by_hour(row: NDArray[np.intp], values: ArrayLike) -> Floats:
    """Sum `(n_rows,)` values to `(n_hours,)`."""
    return np.bincount(row, weights=np.asarray(values, dtype=np.float64)).astype(np.float64)


def _total(values: ArrayLike) -> float:
    """Return the sum of `(n_rows,)` values."""
    return float(np.asarray(values, dtype=np.float64).sum())


def _share(part: float, whole: float) -> float:
    """Return part of whole, held within 0 and 1 against rounding."""
    return min(max(float(part) / float(whole), 0.0), 1.0) if whole > 0 else 0.0


def _sentence(load: ServiceLoad) -> str:
    """Say the load in one plain sentence."""
    return (
        f"The demand that findings explain took {figures.percent(load.request_share)} of all requests and "
        f"{figures.percent(load.token_share)} of all tokens, {load.mean_requests_per_min:,.1f} requests a minute "
        f"on average and {load.peak_requests_per_min:,.1f} in its busiest hour, when it was "
        f"{figures.percent(load.peak_hour_share)} of the service's requests."
    )
