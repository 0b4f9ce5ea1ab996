"""What every log format must do, run over the registry."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from pyarrow import fs as pafs

from stillwatch.detect.logs import (
    LogFormat,
    anthropic,
    anthropic_batch,
    bedrock,
    envoy,
    litellm,
    log_formats,
    openai,
    openai_batch,
    otel,
)
from stillwatch.detect.logs.reading.formats import Example
from stillwatch.domain.requests import REQUESTS

Rows = list[dict[str, Any]]
Read = Callable[..., Any]
Simulated = Callable[[int, int], Rows]

EXAMPLES = [
    pytest.param(log_format, example, id=f"{log_format.name}-{example.file_name}")
    for log_format in log_formats().values()
    for example in log_format.get_examples()
]


def filled(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in REQUESTS.names}


def written(tmp_path: Path, example: Example, name: str = "") -> Path:
    path = tmp_path / (name or example.file_name)
    path.write_bytes(example.content)
    return path


@pytest.mark.parametrize(("log_format", "example"), EXAMPLES)
def test_the_example_reads_into_the_rows_it_promises(
    log_format: LogFormat, example: Example, tmp_path: Path, read: Read
) -> None:
    rows, summary, rejected = read(written(tmp_path, example))
    assert [comparable(row) for row in rows] == [comparable(dict(row)) for row in example.rows]
    assert summary.formats == {log_format.name: len(example.rows)}
    assert rejected.total == 0


@pytest.mark.parametrize(("log_format", "example"), EXAMPLES)
def test_the_content_is_recognized_whatever_the_name(
    log_format: LogFormat, example: Example, tmp_path: Path, read: Read
) -> None:
    _, summary, _ = read(written(tmp_path, example, name="misleading.csv"))
    assert list(summary.formats) == [log_format.name]


@pytest.mark.parametrize(("log_format", "example"), EXAMPLES)
def test_a_forced_format_reads_the_same(
    log_format: LogFormat, example: Example, tmp_path: Path, read: Read
) -> None:
    path = written(tmp_path, example)
    assert read(path, log_format=log_format.name)[0] == read(path)[0]


@pytest.mark.parametrize(
    "compress", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gzip", "zstd"]
)
@pytest.mark.parametrize(("log_format", "example"), EXAMPLES)
def test_compressed_files_read_the_same(
    log_format: LogFormat, example: Example, compress: Callable[[bytes], bytes], tmp_path: Path, read: Read
) -> None:
    plain = written(tmp_path, example)
    packed = tmp_path / "packed"
    packed.write_bytes(compress(example.content))
    assert read(packed)[0] == read(plain)[0]


class _Piped:
    """Standard input that a pipe feeds: bytes once, in order."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BufferedReader(io.BytesIO(content))


@pytest.mark.parametrize(("log_format", "example"), EXAMPLES)
def test_standard_input_is_recognized_and_reads_the_same(
    log_format: LogFormat, example: Example, tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", _Piped(gzip.compress(example.content)))
    rows, summary, _ = read("-")
    assert rows == read(written(tmp_path, example))[0]
    assert list(summary.formats) == [log_format.name]


@pytest.mark.parametrize(("log_format", "example"), EXAMPLES)
def test_an_object_store_reads_the_same(
    log_format: LogFormat, example: Example, tmp_path: Path, read: Read
) -> None:
    path = written(tmp_path, example)
    store = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())
    assert read(example.file_name, filesystem=store)[0] == read(path)[0]
    assert read(path.as_uri())[0] == read(path)[0]


@pytest.mark.parametrize("log_format", log_formats().values(), ids=lambda log_format: str(log_format.name))
def test_what_a_format_declares_about_its_losses_names_canonical_columns(log_format: LogFormat) -> None:
    assert set(log_format.never) <= set(REQUESTS.names)
    assert set(log_format.approximate) <= set(REQUESTS.names)
    assert not set(log_format.never) & set(log_format.approximate)
    for example in log_format.get_examples():
        for row in example.rows:
            assert not set(filled(dict(row))) & set(log_format.never)


def as_parquet(rows: Rows) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), sink, row_group_size=70)
    return sink.getvalue()


def as_csv(rows: Rows) -> bytes:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, REQUESTS.names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def as_json_lines(records: list[Any]) -> bytes:
    return "".join(json.dumps(record, default=iso) + "\n" for record in records).encode()


def iso(value: datetime) -> str:
    return value.isoformat()


def as_otel(rows: Rows) -> bytes:
    spans = [otel._span_of(index, row) for index, row in enumerate(rows)]
    return as_json_lines(
        [
            {"resourceSpans": [{"scopeSpans": [{"spans": spans[start : start + 50]}]}]}
            for start in range(0, len(spans), 50)
        ]
    )


def as_job(module: Any, rows: Rows) -> bytes:
    pairs = [module.example_lines(row) for row in rows]
    return as_json_lines([half for pair in pairs for half in reversed(pair)])


WRITERS: dict[str, Callable[[Rows], bytes]] = {
    "parquet": as_parquet,
    "csv": as_csv,
    "jsonl": as_json_lines,
    "litellm": lambda rows: as_json_lines([litellm._payload_of(row) for row in rows]),
    "openai": lambda rows: as_json_lines([openai._pair_of(row) for row in rows]),
    "bedrock": lambda rows: as_json_lines([bedrock._record_of(row) for row in rows]),
    "anthropic": lambda rows: as_json_lines([anthropic._pair_of(row) for row in rows]),
    "openai_batch": lambda rows: as_job(openai_batch, rows),
    "anthropic_batch": lambda rows: as_job(anthropic_batch, rows),
    "envoy": lambda rows: as_json_lines([envoy._entry_of(row) for row in rows]),
    "otel": as_otel,
}


JOBS: dict[str, Any] = {"openai_batch": openai_batch, "anthropic_batch": anthropic_batch}


def as_carried(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return what is left of a row after a trip through a format."""
    left = {column: value for column, value in row.items() if column not in log_formats()[name].never}
    if name == "bedrock":
        left |= {"time": row["time"].replace(microsecond=0), "surface": "bedrock"}
    if name == "anthropic":
        left |= {"choice_count": 1, "logprobs": False}
    if name in JOBS:
        left = JOBS[name].carried(row)
    if name == "envoy":
        left["time"] = row["time"].replace(microsecond=row["time"].microsecond // 1_000 * 1_000)
    if name == "otel":
        left.pop("request_id")
    return left


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_simulated_requests_survive_the_trip_through_a_format(
    name: str, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    rows = simulated(300, 7)
    path = tmp_path / "log"
    path.write_bytes(WRITERS[name](rows))
    found, summary, rejected = read(path)
    assert rejected.total == 0
    assert summary.formats == {name: len(rows)}
    expected = [as_carried(name, row) for row in rows]
    assert [
        {column: filled(row).get(column) for column in want}
        for row, want in zip(found, expected, strict=True)
    ] == expected
    assert all(
        not set(filled(row)) - set(want) - {"request_id"} for row, want in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"parquet", "csv", "otel"}))
def test_one_array_of_records_reads_like_their_lines(
    name: str, indent: int | None, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    lines = WRITERS[name](simulated(20, 7))
    (tmp_path / "lines").write_bytes(lines)
    records = [json.loads(line) for line in lines.splitlines()]
    (tmp_path / "array").write_text(json.dumps(records, indent=indent))
    found, summary, rejected = read(tmp_path / "array")
    assert list(summary.formats) == [name]
    assert rejected.total == 0
    assert [without_id(row) for row in found] == [without_id(row) for row in read(tmp_path / "lines")[0]]


def without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in row.items() if column != "request_id"}
