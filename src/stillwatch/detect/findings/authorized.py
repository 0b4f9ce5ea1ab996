"""Authorized use, reported as what it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.profiles.definition import HOUR_US
from stillwatch.domain.findings import (
    AuthorizationNote,
    AuthorizationStatus,
    Confidence,
    Finding,
    Label,
    Severity,
)

if TYPE_CHECKING:
    from stillwatch.detect.findings.detection import Look


def authorized_findings(seen: Look, notes: dict[str, AuthorizationNote]) -> tuple[Finding, ...]:
    """List covered use by permission, most exchanges first.

    Args:
        seen: The window.
        notes: Permissions that touch accounts, by account id.
    """
    by_permission: dict[str, list[int]] = {}
    for place, account in enumerate(seen.population.account_ids):
        note = notes.get(str(account))
        if note is not None and note.status is AuthorizationStatus.IN_SCOPE:
            by_permission.setdefault(note.authorization_id, []).append(place)
    listed = [_one(seen, name, places, notes) for name, places in by_permission.items()]
    return tuple(sorted(listed, key=lambda one: (-one.exchanges, one.finding_id)))


def _one(seen: Look, name: str, places: list[int], notes: dict[str, AuthorizationNote]) -> Finding:
    members = np.array(places)
    population = seen.population
    ids = tuple(sorted(str(one) for one in population.account_ids[members]))
    hours = population.hours["hour"][np.isin(population.hours["account"], members)].astype(np.int64)
    first = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(hours.min()) * HOUR_US)
    last = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(hours.max() + 1) * HOUR_US - 1)
    exchanges = int(population.totals["requests"][members].sum())
    return Finding(
        finding_id=f"authorized-{name}",
        campaign_id=f"authorized-{name}",
        label=Label.AUTHORIZED,
        title=f"{len(ids):,} accounts, {exchanges:,} exchanges, covered by {name}",
        severity=Severity.LOW,
        confidence=Confidence.HIGH,
        p_value=1.0,
        q_value=1.0,
        accounts=ids,
        exchanges=exchanges,
        input_tokens=int(population.totals["input_tokens"][members].sum()),
        output_tokens=int(population.totals["output_tokens"][members].sum()),
        first_seen=first,
        last_seen=last,
        authorization=notes[ids[0]],
        action="none: authorized",
    )
