"""Findings as OCSF Detection Finding events, class 2004, for a SIEM.

Written against OCSF 1.8.0 (ocsf/ocsf-schema, tag v1.8.0: events/findings/detection_finding.json and the objects it
uses). One JSON object per line. What OCSF has no attribute for stands in `unmapped`, so nothing is lost and
nothing is bent. Authorized clusters are no findings and produce no event.
"""

import json
from datetime import datetime
from typing import IO, Any, Final

from stillwatch.detect.findings.report import figures
from stillwatch.domain.findings import Confidence, Evidence, Finding, ScanReport, Severity

OCSF_VERSION: Final = "1.8.0"
CLASS_UID: Final = 2004
CATEGORY_UID: Final = 2
ACTIVITY_CREATE: Final = 1
TYPE_UID: Final = CLASS_UID * 100 + ACTIVITY_CREATE

_STATUS_NEW: Final = 1
_ANALYTIC_STATISTICAL: Final = 3
_ROLE_ACTOR: Final = 2
_OBSERVABLE_RESOURCE_UID: Final = 10
_ACCOUNTS_LISTED: Final = 100
"""Accounts listed in one event; SIEMs cut or refuse larger ones. The total stands in `unmapped`."""

_SEVERITY: Final = {
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_CONFIDENCE: Final = {
    Confidence.LOW: (1, "Low"),
    Confidence.MODERATE: (2, "Medium"),
    Confidence.HIGH: (3, "High"),
}
_ATLAS_NAMES: Final = {  # mitre-atlas/atlas-data, release 5.5.0
    "AML.T0008": "Acquire Infrastructure",
    "AML.T0008.005": "AI Service Proxies",
    "AML.T0024": "Exfiltration via AI Inference API",
    "AML.T0024.002": "Extract AI Model",
}


def write_events(report: ScanReport, stream: IO[str]) -> None:
    """Write one Detection Finding per line, most severe first."""
    for finding in report.findings:
        stream.write(json.dumps(detection_finding(finding, report), ensure_ascii=False) + "\n")


def detection_finding(finding: Finding, report: ScanReport) -> dict[str, Any]:
    """Return one finding as a Detection Finding event.

    Args:
        finding: The finding.
        report: The report it is in: when and by which version it was made.
    """
    severity_id, severity = _SEVERITY[finding.severity]
    confidence_id, confidence = _CONFIDENCE[finding.confidence]
    return {
        "activity_id": ACTIVITY_CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY_UID,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Detection Finding",
        "type_uid": TYPE_UID,
        "type_name": "Detection Finding: Create",
        "time": _milliseconds(finding.detected_at or report.generated_at),
        "start_time": _milliseconds(finding.first_seen),
        "end_time": _milliseconds(finding.last_seen),
        "severity_id": severity_id,
        "severity": severity,
        "confidence_id": confidence_id,
        "confidence": confidence,
        "confidence_score": round(100 * (1 - finding.q_value)),
        "status_id": _STATUS_NEW,
        "status": "New",
        "is_alert": finding.severity.at_least(Severity.MEDIUM),
        "count": finding.exchanges,
        "message": f"{finding.label.phrase}: {figures.headline(finding)}",
        "metadata": _metadata(finding, report),
        "finding_info": _finding_info(finding, report),
        "evidences": [_evidence(item) for item in finding.evidence],
        "resources": [_account(account) for account in finding.accounts[:_ACCOUNTS_LISTED]],
        "observables": [_observable(n, a) for n, a in enumerate(finding.accounts[:_ACCOUNTS_LISTED])],
        "remediation": {"desc": finding.action},
        "unmapped": _unmapped(finding),
    }


def _milliseconds(when: datetime) -> int:
    """Return milliseconds since the epoch, OCSF's timestamp_t."""
    return round(when.timestamp() * 1000)


def _metadata(finding: Finding, report: ScanReport) -> dict[str, Any]:
    """Return the metadata object."""
    return {
        "version": OCSF_VERSION,
        "uid": finding.finding_id,
        "log_name": "findings",
        "correlation_uid": finding.campaign_id,
        "logged_time": _milliseconds(report.generated_at),
        "product": {"name": "stillwatch", "vendor_name": "stillwatch", "version": report.tool_version},
    }


def _finding_info(finding: Finding, report: ScanReport) -> dict[str, Any]:
    """Return the finding_info object."""
    return {
        "uid": finding.finding_id,
        "title": finding.title,
        "desc": " ".join((figures.headline(finding) + ".", *finding.severity_reasons)),
        "types": [finding.label.phrase],
        "created_time": _milliseconds(report.generated_at),
        "first_seen_time": _milliseconds(finding.first_seen),
        "last_seen_time": _milliseconds(finding.last_seen),
        "data_sources": sorted(report.scanned.formats),
        "analytic": {"name": "stillwatch", "type_id": _ANALYTIC_STATISTICAL, "type": "Statistical"},
        "attacks": [_attack(technique) for technique in finding.atlas],
    }


def _attack(technique: str) -> dict[str, Any]:
    """Return one MITRE ATLAS technique; a sub-technique also names its parent."""
    parent = technique.rsplit(".", 1)[0]
    if technique.count(".") > 1:
        return {"technique": _technique(parent), "sub_technique": _technique(technique)}
    return {"technique": _technique(technique)}


def _technique(uid: str) -> dict[str, str]:
    """Return a technique object, with its name where we know it."""
    return {"uid": uid, "name": _ATLAS_NAMES[uid]} if uid in _ATLAS_NAMES else {"uid": uid}


def _evidence(item: Evidence) -> dict[str, Any]:
    """Return one evidence artifact."""
    data = {
        "kind": item.kind.value,
        "nats": item.nats,
        "p_value": item.p_value,
        "sentence": item.sentence,
        "compared_with": item.compared_with,
    }
    return {"name": item.name, "data": data}


def _account(account_id: str) -> dict[str, Any]:
    """Return one account as the acting resource."""
    return {"uid": account_id, "type": "model API account", "role_id": _ROLE_ACTOR, "role": "Actor"}


def _observable(number: int, account_id: str) -> dict[str, Any]:
    """Return the pivot to one account."""
    return {
        "name": f"resources[{number}].uid",
        "type_id": _OBSERVABLE_RESOURCE_UID,
        "type": "Resource UID",
        "value": account_id,
    }


def _unmapped(finding: Finding) -> dict[str, Any]:
    """Return what OCSF has no attribute for."""
    return {
        "label": finding.label.value,
        "p_value": finding.p_value,
        "q_value": finding.q_value,
        "evidence_nats": finding.evidence_nats,
        "accounts_total": len(finding.accounts),
        "input_tokens": finding.input_tokens,
        "output_tokens": finding.output_tokens,
        "extraction": finding.extraction.model_dump() if finding.extraction else None,
        "innocent_explanations": [e.model_dump(mode="json") for e in finding.innocent],
        "controls_defeated": list(finding.controls_defeated),
        "severity_reasons": list(finding.severity_reasons),
        "models": dict(finding.models),
        "surfaces": dict(finding.surfaces),
    }
