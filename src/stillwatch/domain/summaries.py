"""What a scan says about itself: input, calibration, prevalence, load, replay."""

from datetime import date
from typing import Literal

from pydantic import Field

from stillwatch.domain.record import Count, Mass, Record, Share, UtcTime


class PrevalencePoint(Record):
    """Share of the traffic that findings explain, for one week and model.

    Attributes:
        week_start: Monday the week begins on (UTC), or None for the whole span.
        model: model name, or None for all models.
        accounts: accounts active, the sampling unit of the intervals.
        requests: all requests.
        flagged_requests: requests explained by findings (fractional: rows of a mixed
            cluster count with their estimated extraction share).
        tokens: all input and output tokens.
        flagged_tokens: tokens explained by findings.
        share: flagged_requests / requests, 0 to 1.
        low: lower end of its interval.
        high: upper end of its interval.
        token_share: flagged_tokens / tokens, 0 to 1.
        token_low: lower end of its interval.
        token_high: upper end of its interval.
        level: coverage both intervals aim at.
    """

    week_start: date | None
    model: str | None
    accounts: Count
    requests: Count
    flagged_requests: Mass
    tokens: Count
    flagged_tokens: Mass
    share: Share
    low: Share
    high: Share
    token_share: Share
    token_low: Share
    token_high: Share
    level: Share = 0.95


class ServiceLoad(Record):
    """The load that findings put on the service.

    Attributes:
        requests: requests that findings explain, counted as in the prevalence points.
        request_share: their share of all requests, 0 to 1.
        tokens: input and output tokens of those requests.
        token_share: their share of all tokens, 0 to 1.
        output_tokens: output tokens of those requests.
        mean_requests_per_min: over the span in which the findings were active.
        peak_requests_per_min: mean over the busiest UTC hour of the findings.
        peak_hour: that hour's start, or None without findings.
        peak_hour_share: the findings' share of all requests in that hour, 0 to 1.
        sentence: the same in one plain sentence.
    """

    requests: Count = 0
    request_share: Share = 0.0
    tokens: Count = 0
    token_share: Share = 0.0
    output_tokens: Count = 0
    mean_requests_per_min: Mass = 0.0
    peak_requests_per_min: Mass = 0.0
    peak_hour: UtcTime | None = None
    peak_hour_share: Share = 0.0
    sentence: str = "No finding put load on the service."


class InputSummary(Record):
    """What was read.

    Attributes:
        files: files read.
        requests: requests kept, after duplicates were dropped.
        rejected: bad lines, all in `rejected.jsonl`.
        duplicates: requests whose id had been seen.
        accounts: distinct accounts.
        first: first request, or None when nothing was read.
        last: last request, or None when nothing was read.
        formats: files by log format.
        missing_evidence: one sentence per column that is absent and what it costs.
    """

    files: Count
    requests: Count
    rejected: Count = 0
    duplicates: Count = 0
    accounts: Count = 0
    first: UtcTime | None = None
    last: UtcTime | None = None
    formats: dict[str, Count] = Field(default_factory=dict)
    missing_evidence: tuple[str, ...] = ()


class CalibrationSummary(Record):
    """What "ordinary" means in this scan, and how far to trust it.

    Attributes:
        mode: `self` calibrates on the scanned traffic, `baseline` on a period the lab
            believes ordinary.
        reference_clusters: ordinary clusters the evidence was compared with.
        contamination: estimated share of the reference that looks hostile, or None.
        fdr: nominal false-discovery rate, 0 to 1.
        clusters_tested: clusters that entered the false-discovery control.
        sentence: the same in one plain sentence.
    """

    mode: Literal["self", "baseline"]
    reference_clusters: Count
    contamination: Share | None = None
    fdr: Share
    clusters_tested: Count = 0
    sentence: str = ""


class ReplayStep(Record):
    """One step of a replay: its end, and the finding ids first flagged in it."""

    step_end: UtcTime
    findings: tuple[str, ...] = ()
