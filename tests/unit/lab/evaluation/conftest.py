"""A labeled log set of 16 accounts and five days, small enough to compute every figure by hand.

True campaigns: `alpha` (a1 to a4, distillation; one extraction request a day each, a1 one ordinary request a day
on top) and `relay` (r1, r2, resale without extraction). Ordinary: b0 to b4, b8, b9 individuals, of whom b8 and b9
write in another script, and the pipelines b5 to b7. One ordinary request a day each, always at noon.

The scan reported c1 = a1, a2, a3 (high; a1 and a2 from 3 January, a3 from 4 January), c2 = b5 (medium) and, at
low, c3 = r1, r2, b9. c4 = b7 is authorized.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DAYS = 5
ALPHA, RELAY = ("a1", "a2", "a3", "a4"), ("r1", "r2")
BENIGN = tuple(f"b{number}" for number in range(10))
PIPELINES, OTHER_SCRIPT = ("b5", "b6", "b7"), ("b8", "b9")
REPORTED = [
    ("a1", "distillation", "c1", "high", 3),
    ("a2", "distillation", "c1", "high", 3),
    ("a3", "distillation", "c1", "high", 4),
    ("b5", "distillation", "c2", "medium", 4),
    ("r1", "resale", "c3", "low", None),
    ("r2", "resale", "c3", "low", None),
    ("b9", "resale", "c3", "low", None),
    ("b7", "authorized", "c4", None, None),
]
TRUTH_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("label", pa.string()),
        ("campaign_id", pa.string()),
        ("archetype", pa.string()),
        ("attack_fraction", pa.float32()),
    ]
)
ACCOUNTS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("label", pa.string()),
        ("campaign_id", pa.string()),
        ("severity", pa.string()),
        ("q_value", pa.float64()),
        ("extraction_share", pa.float64()),
        ("detected_at", pa.timestamp("us", tz="UTC")),
    ]
)


def noon(day: int) -> datetime:
    return datetime(2026, 1, day, 12, tzinfo=UTC)


def midnight(day: int | None) -> datetime | None:
    return None if day is None else datetime(2026, 1, day, tzinfo=UTC)


def truth_rows() -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [
        (key, "distillation", "alpha", "alpha", 0.5 if key == "a1" else 1.0) for key in ALPHA
    ]
    rows += [(key, "resale", "relay", "relay", 0.0) for key in RELAY]
    rows += [(key, "benign", None, "pipeline" if key in PIPELINES else "individual", 0.0) for key in BENIGN]
    return rows


def request_rows() -> list[dict[str, Any]]:
    rows = []
    for day in range(1, DAYS + 1):
        for key in (*ALPHA, *RELAY, *BENIGN):
            text = "请解释这个句子" if key in OTHER_SCRIPT else "explain this sentence"
            rows.append({"request_id": f"{key}-{day}", "time": noon(day), "account_id": key, "prompt": text})
        cover = {"request_id": f"cover-{day}", "time": noon(day), "account_id": "a1", "prompt": "thanks"}
        rows.append(cover)
    return rows


def write_rows(file: Path, rows: list[tuple[Any, ...]], schema: pa.Schema) -> None:
    dicts = [dict(zip(schema.names, row, strict=True)) for row in rows]
    pq.write_table(pa.Table.from_pylist(dicts, schema=schema), file)


@pytest.fixture(scope="session")
def labeled_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with truth.parquet, the extraction requests and requests/."""
    folder = tmp_path_factory.mktemp("labeled")
    write_rows(folder / "truth.parquet", truth_rows(), TRUTH_SCHEMA)
    extraction = [(f"{key}-{day}", "alpha") for key in ALPHA for day in range(1, DAYS + 1)]
    schema = pa.schema([("request_id", pa.string()), ("campaign_id", pa.string())])
    write_rows(folder / "truth-extraction-requests.parquet", extraction, schema)
    requests = pa.Table.from_pylist(request_rows())
    (folder / "requests").mkdir()
    pq.write_table(requests.slice(0, 40), folder / "requests" / "part-0.parquet")
    # The files overlap by 20 rows: a request that is in both counts once.
    pq.write_table(requests.slice(20), folder / "requests" / "part-1.parquet")
    return folder


@pytest.fixture(scope="session")
def scan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output folder of a scan of that set."""
    return write_scan(tmp_path_factory.mktemp("scan"), REPORTED)


@pytest.fixture(scope="session")
def make_scan() -> Callable[..., Path]:
    """Return the function that writes a scan's output."""
    return write_scan


def write_scan(folder: Path, reported: list[tuple[Any, ...]]) -> Path:
    """Write findings.json and accounts.parquet for rows (account, label, campaign, severity, day detected)."""
    rows: list[tuple[Any, ...]] = [
        (key, label, campaign, severity, 0.01, 0.5, midnight(day))
        for key, label, campaign, severity, day in reported
    ]
    known = {row[0] for row in rows}
    rows += [(key, *[None] * 6) for key in (*ALPHA, *RELAY, *BENIGN) if key not in known]
    write_rows(folder / "accounts.parquet", rows, ACCOUNTS_SCHEMA)
    campaigns = sorted({row[2] for row in reported if row[3] is not None})
    findings = [_finding(each, [row for row in reported if row[2] == each]) for each in campaigns]
    scanned = {"first": noon(1).isoformat(), "last": (noon(1) + timedelta(days=DAYS - 1)).isoformat()}
    report = {"schema_version": "1.0", "findings": findings, "scanned": scanned}
    (folder / "findings.json").write_text(json.dumps(report))
    return folder


def _finding(campaign: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "campaign_id": campaign,
        "label": rows[0][1],
        "severity": rows[0][3],
        "accounts": [row[0] for row in rows],
        "title": "a field that is not scored",
        "extraction": {"share": 0.7, "low": 0.5, "high": 0.9, "level": 0.95},
    }
