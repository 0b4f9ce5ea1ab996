import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stillwatch.detect.findings.report import render
from stillwatch.detect.findings.report.ocsf import detection_finding
from stillwatch.domain.findings import Confidence, ScanReport, Severity

SCHEMA = json.loads(
    (Path(__file__).parent / "ocsf-1.8.0-detection-finding.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def events(report: ScanReport) -> list[dict[str, Any]]:
    stream = io.StringIO()
    render(report, "ocsf", stream)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_event_is_a_valid_detection_finding(events: list[dict[str, Any]]) -> None:
    for event in events:
        VALIDATOR.validate(event)


def test_every_finding_is_one_event_and_an_authorized_cluster_is_none(
    events: list[dict[str, Any]], report: ScanReport
) -> None:
    assert [e["finding_info"]["uid"] for e in events] == [f.finding_id for f in report.findings]


def test_an_event_says_its_class_in_every_way_that_ocsf_asks(events: list[dict[str, Any]]) -> None:
    event = events[0]
    assert (event["class_uid"], event["category_uid"], event["activity_id"]) == (2004, 2, 1)
    assert event["type_uid"] == 200401
    assert event["metadata"]["version"] == "1.8.0"
    assert event["metadata"]["product"]["name"] == "stillwatch"


def test_times_are_milliseconds(events: list[dict[str, Any]], report: ScanReport) -> None:
    assert events[0]["time"] == 1_793_836_800_000
    assert events[0]["finding_info"]["first_seen_time"] == round(
        report.findings[0].first_seen.timestamp() * 1000
    )


@pytest.mark.parametrize(
    ("severity", "number", "alert"),
    [
        (Severity.LOW, 2, False),
        (Severity.MEDIUM, 3, True),
        (Severity.HIGH, 4, True),
        (Severity.CRITICAL, 5, True),
    ],
)
def test_severity_maps_onto_the_enumeration(
    report: ScanReport, severity: Severity, number: int, *, alert: bool
) -> None:
    finding = report.findings[0].model_copy(update={"severity": severity})
    event = detection_finding(finding, report)
    assert (event["severity_id"], event["is_alert"]) == (number, alert)


@pytest.mark.parametrize(
    ("confidence", "number"), [(Confidence.LOW, 1), (Confidence.MODERATE, 2), (Confidence.HIGH, 3)]
)
def test_confidence_maps_onto_the_enumeration(
    report: ScanReport, confidence: Confidence, number: int
) -> None:
    finding = report.findings[0].model_copy(update={"confidence": confidence})
    assert detection_finding(finding, report)["confidence_id"] == number


def test_a_sub_technique_names_its_parent(events: list[dict[str, Any]]) -> None:
    attack = events[0]["finding_info"]["attacks"][0]
    assert attack["technique"]["uid"] == "AML.T0024"
    assert attack["sub_technique"] == {"uid": "AML.T0024.002", "name": "Extract AI Model"}


def test_a_large_campaign_lists_some_accounts_and_says_how_many_there_are(
    events: list[dict[str, Any]],
) -> None:
    assert len(events[0]["resources"]) == 100
    assert events[0]["unmapped"]["accounts_total"] == 640


def test_the_schema_refuses_what_ocsf_refuses(events: list[dict[str, Any]]) -> None:
    for change in (
        {"severity_id": 7},
        {"finding_info": {"title": "no uid"}},
        {"colour": "red"},
        {"time": "now"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate(events[0] | change)
