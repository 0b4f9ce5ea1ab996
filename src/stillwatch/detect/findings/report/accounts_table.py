"""accounts.parquet: one row for every account that was seen."""

from collections.abc import Iterable, Mapping
from typing import IO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.domain.findings import Finding, Label, ScanReport, Severity

ACCOUNT_VERDICTS: Final = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("campaign_id", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("q_value", pa.float64()),
        pa.field("extraction_share", pa.float64()),
        pa.field("detected_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""label: distillation, resale, authorized or null. severity: null unless in a finding. detected_at: end of the first
scan or replay step that flagged the account at medium or above."""


def account_rows(
    report: ScanReport,
    account_ids: Iterable[str],
    extraction_share: Mapping[str, float] | None = None,
) -> pa.Table:
    """Build the row of every account from the findings it is in.

    Args:
        report: The scan's report. An account in several findings takes the most severe one.
        account_ids: Every account seen, flagged or not; accounts of findings are added if absent.
        extraction_share: Share of one account's own requests that is extraction, 0 to 1; accounts without an
            entry take their finding's estimate.

    Returns:
        A table of `ACCOUNT_VERDICTS`, sorted by account id.
    """
    place = _place_accounts(report)
    own = extraction_share or {}
    ids = sorted(set(account_ids) | place.keys())
    return pa.Table.from_pylist([_row(i, place.get(i), own.get(i)) for i in ids], ACCOUNT_VERDICTS)


def _place_accounts(report: ScanReport) -> dict[str, Finding]:
    """Map each account to its finding; a finding beats an authorization, severe beats mild."""
    ordered = [*report.authorized, *sorted(report.findings, key=lambda f: (f.severity.rank, -f.q_value))]
    return {account: finding for finding in ordered for account in finding.accounts}


def _row(account_id: str, finding: Finding | None, own_share: float | None) -> dict[str, object]:
    """Return one row; everything but the id is null for an ordinary account."""
    if finding is None:
        return {"account_id": account_id}
    authorized = finding.label is Label.AUTHORIZED
    reported = not authorized and finding.severity.at_least(Severity.MEDIUM)
    pooled = finding.extraction.share if finding.extraction else None
    return {
        "account_id": account_id,
        "label": finding.label.value,
        "campaign_id": finding.campaign_id,
        "severity": None if authorized else finding.severity.value,
        "q_value": finding.q_value,
        "extraction_share": pooled if own_share is None else own_share,
        "detected_at": finding.detected_at if reported else None,
    }


def write_account_rows(rows: pa.Table, stream: IO[bytes]) -> None:
    """Write account rows as Parquet, in the columns and types of `ACCOUNT_VERDICTS` whatever their order."""
    table = rows.select(ACCOUNT_VERDICTS.names).cast(ACCOUNT_VERDICTS)
    pq.write_table(table, stream, compression="zstd")
