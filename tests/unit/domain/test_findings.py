from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from stillwatch.domain.findings import (
    Confidence,
    Evidence,
    EvidenceKind,
    ExtractionEstimate,
    Finding,
    Label,
    Severity,
)

START = datetime(2026, 11, 3, tzinfo=UTC)


def finding(**changes: object) -> Finding:
    return Finding.model_validate(
        {
            "finding_id": "f-1",
            "campaign_id": "c-1",
            "label": Label.DISTILLATION,
            "title": "One cluster",
            "severity": Severity.HIGH,
            "confidence": Confidence.HIGH,
            "p_value": 0.001,
            "q_value": 0.01,
            "accounts": ("a", "b"),
            "exchanges": 10,
            "input_tokens": 100,
            "output_tokens": 200,
            "first_seen": START,
            "last_seen": START + timedelta(days=1),
        }
        | changes
    )


def test_severities_are_ordered_by_how_much_they_matter() -> None:
    assert sorted(Severity, key=lambda s: s.rank) == ["low", "medium", "high", "critical"]
    assert Severity.HIGH.at_least(Severity.MEDIUM)
    assert not Severity.LOW.at_least(Severity.MEDIUM)


def test_confidences_are_ordered() -> None:
    assert [c.rank for c in Confidence] == [1, 2, 3]


def test_the_two_labels_never_read_alike() -> None:
    assert Label.DISTILLATION.phrase == "distillation-shaped demand"
    assert Label.RESALE.phrase == "resold access"


def test_a_time_in_another_zone_is_kept_as_the_same_instant_in_utc() -> None:
    there = datetime(2026, 11, 3, 9, tzinfo=timezone(timedelta(hours=9)))
    assert finding(first_seen=there).first_seen == START
    assert finding(first_seen=there).model_dump_json().count("2026-11-03T00:00:00Z") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"q_value": 1.2},
        {"q_value": float("nan")},
        {"exchanges": -1},
        {"accounts": ()},
        {"first_seen": START.replace(tzinfo=None)},
        {"last_seen": START - timedelta(seconds=1)},
        {"unknown_field": 1},
        {"label": "distiller"},
    ],
)
def test_a_finding_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        finding(**wrong)


def test_an_interval_must_hold_its_own_estimate() -> None:
    with pytest.raises(ValidationError, match="low <= share <= high"):
        ExtractionEstimate(share=0.5, low=0.6, high=0.9)


def test_evidence_sums_up_in_nats_with_its_signs() -> None:
    items = tuple(
        Evidence(name=f"e{n}", kind=EvidenceKind.SIGNAL, nats=n, sentence="seen") for n in (4.5, -1.0)
    )
    assert finding(evidence=items).evidence_nats == pytest.approx(3.5)


def test_a_finding_cannot_be_changed_after_it_was_made() -> None:
    with pytest.raises(ValidationError):
        finding().severity = Severity.LOW
