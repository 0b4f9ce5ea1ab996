"""How much of the traffic the findings explain, by week and model, with an interval.

The share of a cell (one week, one model) is a ratio: requests that findings explain over all requests. Its
interval answers how much the share hangs on which accounts happened to be active, so accounts are the sampling
unit, never requests: one busy account is one observation, however often it calls.

Method. The variance of the ratio over accounts is Taylor-linearized (Cochran, *Sampling Techniques*, 3rd ed.
1977, eq. 6.13) and turned into an effective number of independent requests, n_eff = R(1-R)/var. The Wilson score
interval is taken at n_eff with a Student quantile (Korn and Graubard, *Survey Methodology* 24, 1998; compared by
Dean and Pagano, *J. Surv. Stat. Methodol.* 3, 2015, where Wilson keeps its coverage for small shares). Its degrees
of freedom are Kish's number of equally busy accounts, (sum x)^2 / sum x^2 (Kish, *Survey Sampling*, 1965, section
11.7), on the flagged or the unflagged side, whichever is fewer, less one: a share carried by three accounts is
known as badly as three accounts tell it. With nothing or everything flagged the variance says nothing, and Kish's
number of all accounts stands for n_eff. Measured with log-normal account sizes (sigma 0.5 to 1.5), 50 to 3,000
accounts and shares of 0.3 to 30 %, the nominal 95 % covers 90 to 100 %.

It fails where one account is most of a cell: the interval is then wide, and that is the truth. It does not
know of campaigns that nobody found, so it is an interval for what findings explain, never for what there is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stillwatch.domain.findings import PrevalencePoint

LEVEL: Final = 0.95

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class _Rows:
    """Usage by week, model and account; every array is `(n_rows,)`."""

    week: Codes
    model: Codes
    account: Codes
    requests: Floats
    flagged_requests: Floats
    tokens: Floats
    flagged_tokens: Floats


def prevalence(
    *,
    week_start: ArrayLike,
    model: ArrayLike,
    account: ArrayLike,
    requests: ArrayLike,
    tokens: ArrayLike,
    flagged_requests: ArrayLike,
    flagged_tokens: ArrayLike,
    level: float = LEVEL,
) -> tuple[PrevalencePoint, ...]:
    """Return what findings explain, for each week and model, each week, each model, and all.

    Args:
        week_start: `(n_rows,)` datetime64[D], the Monday of each row's week.
        model: `(n_rows,)` model names.
        account: `(n_rows,)` account ids of any sortable type; the sampling unit. Pass campaign ids for flagged
            accounts instead to ask how the share hangs on which operators were active: much wider.
        requests: `(n_rows,)` requests of that account, week and model.
        tokens: `(n_rows,)` input and output tokens.
        flagged_requests: `(n_rows,)` requests that findings explain: requests times the estimated share or
            probability. Between 0 and requests.
        flagged_tokens: `(n_rows,)` the same for tokens.
        level: coverage of the intervals, 0 to 1.

    Returns:
        Points in order of week (the whole span first, with week_start None), then all models (None), then models
        by requests. Empty without rows.
    """
    weeks, week_code = np.unique(np.asarray(week_start, dtype="datetime64[D]"), return_inverse=True)
    models, model_code = np.unique(np.asarray(model), return_inverse=True)
    _, account_code = np.unique(np.asarray(account), return_inverse=True)
    rows = _Rows(
        week_code.astype(np.int64),
        model_code.astype(np.int64),
        account_code.astype(np.int64),
        *(np.asarray(a, dtype=np.float64) for a in (requests, flagged_requests, tokens, flagged_tokens)),
    )
    return tuple(_points(rows, weeks.astype(object).tolist(), models.tolist(), level))


def _points(rows: _Rows, weeks: list[date], models: list[Any], level: float) -> Iterator[PrevalencePoint]:
    """Yield one point per cell that has requests."""
    volume = np.bincount(rows.model, weights=rows.requests, minlength=len(models))
    by_volume = np.argsort(-volume, kind="stable")
    for week in (None, *range(len(weeks))):
        in_week = np.ones(rows.week.shape, dtype=bool) if week is None else rows.week == week
        for code in (None, *by_volume.tolist()):
            chosen = in_week if code is None else in_week & (rows.model == code)
            if rows.requests[chosen].sum() > 0:
                name = None if code is None else str(models[code])
                yield _point(rows, chosen, None if week is None else weeks[week], name, level)


def _point(
    rows: _Rows, chosen: NDArray[np.bool_], week: date | None, model: str | None, level: float
) -> PrevalencePoint:
    """Return the point of one cell."""
    _, unit = np.unique(rows.account[chosen], return_inverse=True)
    requests, flagged, tokens, flagged_tokens = (
        np.bincount(unit, weights=values[chosen]).astype(np.float64)
        for values in (rows.requests, rows.flagged_requests, rows.tokens, rows.flagged_tokens)
    )
    share, low, high = ratio_interval(flagged, requests, level)
    token_share, token_low, token_high = ratio_interval(flagged_tokens, tokens, level)
    return PrevalencePoint(
        week_start=week,
        model=model,
        accounts=len(requests),
        requests=round(requests.sum()),
        flagged_requests=float(flagged.sum()),
        tokens=round(tokens.sum()),
        flagged_tokens=float(flagged_tokens.sum()),
        share=share,
        low=low,
        high=high,
        token_share=token_share,
        token_low=token_low,
        token_high=token_high,
        level=level,
    )


def ratio_interval(part: Floats, whole: Floats, level: float = LEVEL) -> tuple[float, float, float]:
    """Return share, low and high of sum(part) / sum(whole) with the units drawn at random.

    Args:
        part: `(n_units,)` the flagged part of each unit, between 0 and whole.
        whole: `(n_units,)` the size of each unit.
        level: coverage aimed at, 0 to 1.

    Returns:
        Three shares with 0 <= low <= share <= high <= 1. (0, 0, 1) when there is nothing to take a share of.
    """
    total = float(whole.sum())
    if total <= 0:
        return 0.0, 0.0, 1.0
    share = min(max(float(part.sum()) / total, 0.0), 1.0)
    quantile = _quantile(_degrees_of_freedom(part, whole), level)
    low, high = _wilson(share, _effective_units(part, whole, share), quantile)
    return share, min(low, share), max(high, share)


def _effective_units(part: Floats, whole: Floats, share: float) -> float:
    """Return how many independent requests would carry as much information as these units."""
    units = len(whole)
    residual = float(np.square(part - share * whole).sum())
    if units < 2 or residual <= 0.0 or not 0.0 < share < 1.0:
        return _equally_busy(whole)
    variance = units / (units - 1) * residual / float(whole.sum()) ** 2
    return share * (1.0 - share) / variance


def _equally_busy(sizes: Floats) -> float:
    """Return Kish's effective number of units: as many as there are when all are equally large."""
    squares = float(np.square(sizes).sum())
    return float(sizes.sum()) ** 2 / squares if squares > 0 else 0.0


def _degrees_of_freedom(part: Floats, whole: Floats) -> float:
    """Return the degrees of freedom that the scarcer of both sides leaves, at least one."""
    sides = [n for n in (_equally_busy(part), _equally_busy(whole - part)) if n > 0.0]
    return max(min(sides) - 1.0, 1.0)


def _quantile(degrees_of_freedom: float, level: float) -> float:
    """Return the two-sided Student quantile."""
    from scipy.special import stdtrit  # noqa: PLC0415 - only a scan pays for scipy

    return float(stdtrit(degrees_of_freedom, 0.5 + level / 2))


def _wilson(share: float, units: float, quantile: float) -> tuple[float, float]:
    """Return the Wilson score interval of a share seen in so many independent units."""
    z2 = quantile**2
    center = (share + z2 / (2 * units)) / (1 + z2 / units)
    spread = share * (1 - share) / units + z2 / (4 * units**2)
    half = quantile * float(np.sqrt(spread)) / (1 + z2 / units)
    return max(center - half, 0.0), min(center + half, 1.0)
