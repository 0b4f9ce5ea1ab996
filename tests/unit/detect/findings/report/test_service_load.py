from datetime import UTC, datetime

import numpy as np
import pytest

from stillwatch.detect.findings.report.service_load import service_load

HOURS = np.array(["2026-11-02T00", "2026-11-02T01", "2026-11-02T01", "2026-11-02T03"], dtype="datetime64[h]")


def test_load_names_the_busiest_hour_and_its_share() -> None:
    load = service_load(
        hour=HOURS,
        requests=[600, 600, 600, 600],
        tokens=[1_000, 1_000, 1_000, 1_000],
        flagged_requests=[60, 120, 180, 0],
        flagged_tokens=[100, 200, 300, 0],
        flagged_output_tokens=[50, 100, 150, 0],
    )
    assert load.requests == 360
    assert load.request_share == pytest.approx(0.15)
    assert load.token_share == pytest.approx(0.15)
    assert load.output_tokens == 300
    assert load.peak_hour == datetime(2026, 11, 2, 1, tzinfo=UTC)
    assert load.peak_requests_per_min == pytest.approx(5.0)
    assert load.peak_hour_share == pytest.approx(0.25)
    assert load.mean_requests_per_min == pytest.approx(3.0)
    assert "15 % of all requests" in load.sentence


def test_without_findings_there_is_no_load() -> None:
    nothing = [0, 0, 0, 0]
    load = service_load(
        hour=HOURS,
        requests=[5, 5, 5, 5],
        tokens=[5, 5, 5, 5],
        flagged_requests=nothing,
        flagged_tokens=nothing,
        flagged_output_tokens=nothing,
    )
    assert load.requests == 0
    assert load.peak_hour is None
    assert load.sentence == "No finding put load on the service."
