"""Every format must read the same 2,000 requests into the same rows, as far as it carries the column."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.detect.logs import RejectedLog, log_formats, read_requests
from stillwatch.domain.requests import REQUESTS

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "formats"
NOW = datetime(2026, 11, 20, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared log sets beside the project")

FILES = {
    "litellm": "litellm-standard-logging-payload.jsonl.gz",
    "openai": "openai-chat-completions.jsonl.gz",
    "otel": "otlp-genai-spans-*.json.gz",
    "bedrock": "bedrock-model-invocation-log.jsonl.gz",
}

# Beyond what the format can never carry: what these very files leave out.
ABSENT = {
    "litellm": {"client_asn", "client_country"},
    "openai": {"client_asn", "client_country", "tls_ja4", "conversation_id"},
    "otel": set[str](),
    "bedrock": set[str](),
}
OTHER_IDS = {"litellm": {"request_id"}, "otel": {"request_id"}, "bedrock": {"request_id", "account_id"}}
CONSTANT = {"openai": {"surface"}, "bedrock": {"surface"}}


def failed(row: Mapping[str, Any]) -> bool:
    return int(row["status"]) >= 400


def expected(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the truth with what the format is known to lose."""
    lost = dict(row)
    if failed(row):
        if name != "bedrock":
            lost["input_tokens"] = None
        else:
            lost["latency_ms"] = None
    if name == "bedrock":
        lost["time"] = row["time"].replace(microsecond=0)
    if name == "otel" and row["response_format"] is not None:
        lost["response_format"] = "json_object"
    return lost


def rows_of(name: str) -> list[dict[str, Any]]:
    rejected = RejectedLog()
    batches = read_requests([str(SHARED / FILES[name])], rejected=rejected, now=NOW)
    table = pa.Table.from_batches(list(batches), REQUESTS)
    assert batches.summary.formats == {name: 2_000}
    assert rejected.total == 0
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


@pytest.fixture(scope="module")
def truth() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(SHARED / "canonical.parquet").to_pylist()
    return rows


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_format_reads_the_same_requests(name: str, truth: list[dict[str, Any]]) -> None:
    skipped = (
        set(log_formats()[name].never) | ABSENT[name] | OTHER_IDS.get(name, set()) | CONSTANT.get(name, set())
    )
    rows = rows_of(name)
    for column in (column for column in REQUESTS.names if column not in skipped):
        wanted = [expected(name, row)[column] for row in truth]
        assert [row[column] for row in rows] == wanted, column


@pytest.mark.parametrize("name", sorted(FILES))
def test_columns_that_a_format_cannot_carry_are_null_or_as_declared(name: str) -> None:
    rows = rows_of(name)
    for column in set(log_formats()[name].never) | ABSENT[name]:
        assert {row[column] for row in rows} == {None}, column


@pytest.mark.parametrize(
    ("name", "column"), [(name, column) for name, ids in OTHER_IDS.items() for column in sorted(ids)]
)
def test_ids_of_another_system_stand_one_to_one_for_the_true_ones(
    name: str, column: str, truth: list[dict[str, Any]]
) -> None:
    pairs = {(row[column], true[column]) for row, true in zip(rows_of(name), truth, strict=True)}
    assert len({own for own, _ in pairs}) == len({own for _, own in pairs}) == len(pairs)


def test_the_canonical_file_reads_into_itself(truth: list[dict[str, Any]]) -> None:
    batches = read_requests([SHARED / "canonical.parquet"], rejected=RejectedLog(), now=NOW)
    table = pa.Table.from_batches(list(batches), REQUESTS)
    assert table.to_pylist() == [{name: row[name] for name in REQUESTS.names} for row in truth]


def test_a_folder_of_all_formats_is_read_file_by_file() -> None:
    rejected = RejectedLog()
    batches = read_requests([SHARED], rejected=rejected, now=NOW)
    assert sum(batch.num_rows for batch in batches) == 10_000
    assert batches.summary.formats == {
        "parquet": 2_000,
        "litellm": 2_000,
        "openai": 2_000,
        "otel": 2_000,
        "bedrock": 2_000,
    }
    assert [Path(name).name for name in batches.summary.skipped] == ["README.md"]
