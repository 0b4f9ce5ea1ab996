from datetime import timedelta

import pytest

from stillwatch.detect.findings.report.reading import innocent_in_order, leaked
from stillwatch.domain.findings import ScanReport


def test_what_leaked_is_what_was_exchanged_before_the_flagging_day(report: ScanReport) -> None:
    finding = report.findings[1]
    leak = leaked(finding)
    assert leak is not None
    assert leak.exchanges == finding.timeline[0].exchanges + finding.timeline[1].exchanges
    assert leak.share == pytest.approx(leak.exchanges / finding.exchanges)


def test_leakage_is_unknown_without_replay_or_when_a_step_ends_within_a_day(report: ScanReport) -> None:
    finding = report.findings[1]
    assert finding.detected_at is not None
    assert leaked(finding.model_copy(update={"detected_at": None})) is None
    assert (
        leaked(finding.model_copy(update={"detected_at": finding.detected_at + timedelta(hours=6)})) is None
    )
    assert leaked(finding.model_copy(update={"timeline": ()})) is None


def test_explanations_that_still_stand_come_first(report: ScanReport) -> None:
    verdicts = [e.verdict.value for e in innocent_in_order(report.findings[1])]
    assert verdicts == ["possible", "less_likely", "ruled_out"]
