"""Bad input never stops a run and never vanishes."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from stillwatch.detect.logs import ReadLimits, RejectedLog, read_requests
from stillwatch.domain.requests import REQUESTS
from stillwatch.errors import (
    InputError,
    MissingColumnsError,
    NothingToReadError,
    UnknownLogFormatError,
    UsageError,
)

Read = Callable[..., Any]
NOW = datetime(2026, 11, 20, tzinfo=UTC)
GOOD = {
    "request_id": "r1",
    "time": "2026-03-02T10:00:00Z",
    "account_id": "acct-1",
    "prompt": "Where is the hoe?",
    "input_tokens": 5,
}


def line(**changes: Any) -> bytes:
    record = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return json.dumps(record).encode()


def reasons(path: Path, read: Read, **options: Any) -> list[tuple[int | None, str, str]]:
    """Return line, reason and column of everything that was refused."""
    out = path.with_suffix(".rejected")
    with RejectedLog(out) as rejected:
        read(path, rejected=rejected, **options)
    entries = [json.loads(each) for each in out.read_bytes().splitlines()]
    return [
        (entry.get("line", entry.get("row")), entry["reason"], entry.get("column", "")) for entry in entries
    ]


BAD_LINES = {
    "broken JSON": (b'{"request_id": "r2", ', "broken_json", ""),
    "no object": (b'["r2"]', "wrong_type", ""),
    "a bare word": (b"hello", "broken_json", ""),
    "missing id": (line(request_id=...), "missing_field", "request_id"),
    "null id": (line(request_id=None), "missing_field", "request_id"),
    "empty account": (line(account_id=""), "missing_field", "account_id"),
    "missing time": (line(time=...), "missing_field", "time"),
    "account of wrong type": (line(account_id={"id": 1}), "wrong_type", "account_id"),
    "prompt of wrong type": (line(prompt=["a"]), "wrong_type", "prompt"),
    "prompt as number": (line(prompt=1.5), "wrong_type", "prompt"),
    "tokens of wrong type": (line(input_tokens="many"), "wrong_type", "input_tokens"),
    "half a token": (line(input_tokens=1.5), "wrong_type", "input_tokens"),
    "tokens as truth value": (line(input_tokens=True), "wrong_type", "input_tokens"),
    "negative tokens": (line(input_tokens=-1), "out_of_range", "input_tokens"),
    "too many tokens": (line(input_tokens=10**30), "out_of_range", "input_tokens"),
    "infinite tokens": (line(input_tokens=float("inf")), "out_of_range", "input_tokens"),
    "stream of wrong type": (line(stream="maybe"), "wrong_type", "stream"),
    "no time at all": (line(time="yesterday"), "bad_time", "time"),
    "time as truth value": (line(time=True), "bad_time", "time"),
    "far future": (line(time="2199-01-01T00:00:00Z"), "time_in_future", "time"),
    "two days ahead": (line(time=(NOW + timedelta(days=2)).isoformat()), "time_in_future", "time"),
    "before there were hosted models": (line(time="1999-12-31T00:00:00Z"), "time_too_early", "time"),
    "invalid UTF-8": (line(prompt="X").replace(b"X", b"\xff\xfe"), "invalid_utf8", ""),
    "half a character": (line(prompt="X").replace(b"X", b"\\ud800"), "", "prompt"),
    "a prompt of 2 MiB": (line(prompt="x" * (2 << 20)), "text_too_long", "prompt"),
    "deep nesting": (b'{"extra": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep", ""),
}


@pytest.mark.parametrize("case", sorted(BAD_LINES))
def test_a_bad_line_is_refused_with_its_place_and_reason_and_its_neighbors_are_read(
    case: str, tmp_path: Path, read: Read
) -> None:
    bad, reason, column = BAD_LINES[case]
    path = tmp_path / "log.jsonl"
    path.write_bytes(line() + b"\n" + bad + b"\n" + line(request_id="r3") + b"\n")
    found = reasons(path, read)
    rows, summary, rejected = read(path)
    assert [row["request_id"] for row in rows] == ["r1", "r3"]
    assert summary.rejected == rejected.total == 1
    assert [each[0] for each in found] == [2]
    if reason:
        assert found == [(2, reason, column)]


def test_the_rejected_log_never_holds_the_prompt(tmp_path: Path, read: Read) -> None:
    secret = "buried treasure"
    bad = [line(prompt=secret, time="never"), line(prompt=secret)[:-9], line(prompt={"text": secret})]
    bad += [line(prompt=secret * 100_000), line(prompt=secret, account_id=[secret])]
    path = tmp_path / "log.jsonl"
    path.write_bytes(line() + b"\n" + b"\n".join(bad))
    out = tmp_path / "rejected.jsonl"
    with RejectedLog(out) as rejected:
        read(path, rejected=rejected)
    assert rejected.total == len(bad)
    assert secret not in out.read_text()


def test_a_half_written_last_line_is_refused_and_the_rest_is_read(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line() + b"\n" + line(request_id="r2")[:30])
    assert reasons(path, read) == [(2, "broken_json", "")]
    assert len(read(path)[0]) == 1


def test_a_line_longer_than_the_limit_is_dropped_while_it_streams(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line() + b"\n" + line(prompt="x" * 3_000_000) + b"\n" + line(request_id="r3"))
    limits = ReadLimits(max_line_bytes=1 << 20)
    assert reasons(path, read, limits=limits) == [(2, "line_too_long", "")]
    assert len(read(path, limits=limits)[0]) == 2


def test_a_line_at_the_limit_is_read(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line() + b"\n")
    assert len(read(path, limits=ReadLimits(max_line_bytes=len(line())))[0]) == 1
    assert len(read(path, log_format="jsonl", limits=ReadLimits(max_line_bytes=len(line()) - 1))[0]) == 0


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"input_tokens": "17"}, "input_tokens", 17),
        ({"input_tokens": 17.0}, "input_tokens", 17),
        ({"input_tokens": float("nan")}, "input_tokens", None),
        ({"temperature": float("nan")}, "temperature", None),
        ({"temperature": "0.5"}, "temperature", 0.5),
        ({"temperature": 1}, "temperature", 1.0),
        ({"stream": "true"}, "stream", True),
        ({"stream": 0}, "stream", False),
        ({"account_id": 42}, "account_id", "42"),
        ({"max_tokens": 10**12}, "max_tokens", 2**31 - 1),
        ({"max_tokens": -5}, "max_tokens", 0),
        ({"client_asn": 4_200_000_000}, "client_asn", None),
        ({"time": 1772445600}, "time", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ({"time": 1772445600.25}, "time", datetime(2026, 3, 2, 10, 0, 0, 250_000, tzinfo=UTC)),
        ({"time": 1772445600123}, "time", datetime(2026, 3, 2, 10, 0, 0, 123_000, tzinfo=UTC)),
        ({"time": 1772445600123456}, "time", datetime(2026, 3, 2, 10, 0, 0, 123_456, tzinfo=UTC)),
        ({"time": "1772445600123456789"}, "time", datetime(2026, 3, 2, 10, 0, 0, 123_456, tzinfo=UTC)),
        ({"time": "2026-03-02T12:00:00+02:00"}, "time", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ({"time": "2026-03-02 10:00:00"}, "time", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ({"time": "2026-03-02 10:00:00.5 UTC"}, "time", datetime(2026, 3, 2, 10, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_values_that_are_only_written_differently_are_read(
    changes: dict[str, Any], column: str, value: Any, tmp_path: Path, read: Read
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line(**changes) + b"\n" + line(request_id="r2"))
    rows, _, rejected = read(path)
    assert rejected.total == 0
    assert rows[0][column] == value


def test_a_truncated_gzip_file_gives_what_it_holds_and_says_so(tmp_path: Path, read: Read) -> None:
    lines = b"".join(line(request_id=f"r{index}") + b"\n" for index in range(5_000))
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(lines)[:-200])
    rows, summary, rejected = read(path)
    assert 3_000 < len(rows) < 5_000
    assert rejected.by_reason["truncated"] == 1
    assert summary.rejected == rejected.total <= 2


def test_a_truncated_zstd_file_gives_what_it_holds_and_says_so(tmp_path: Path, read: Read) -> None:
    lines = b"".join(line(request_id=f"r{index * 7919}") + b"\n" for index in range(50_000))
    path = tmp_path / "log.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(lines)[:-200])
    rows, _, rejected = read(path)
    assert len(rows) > 10_000
    assert rejected.by_reason["truncated"] == 1


def test_a_damaged_gzip_file_gives_what_it_holds_and_says_so(tmp_path: Path, read: Read) -> None:
    packed = bytearray(
        gzip.compress(b"".join(line(request_id=f"r{index * 7919}") + b"\n" for index in range(50_000)))
    )
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "log.gz"
    path.write_bytes(packed)
    rows, _, rejected = read(path)
    assert len(rows) > 1_000
    assert rejected.by_reason["broken_compression"] == 1


def parquet_bytes(**columns: Any) -> bytes:
    base = {"request_id": ["r1", "r2"], "time": [NOW, NOW], "account_id": ["a", "b"]}
    sink = io.BytesIO()
    kept = {name: values for name, values in {**base, **columns}.items() if values is not None}
    pq.write_table(pa.table(kept), sink)
    return sink.getvalue()


def test_a_file_that_only_says_it_is_parquet_is_refused_and_the_others_are_read(
    tmp_path: Path, read: Read
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + b"\x00" * 100 + b"PAR1")
    (tmp_path / "b.parquet").write_bytes(parquet_bytes())
    rows, _, rejected = read(tmp_path)
    assert len(rows) == 2
    assert rejected.by_reason == {"broken_parquet": 1}


def test_a_damaged_row_group_costs_its_own_rows_only(tmp_path: Path, read: Read) -> None:
    schema = pa.schema([REQUESTS.field(name) for name in ("request_id", "time", "account_id")])
    table = pa.table(
        {
            "request_id": [f"r{index}" for index in range(3_000)],
            "time": pa.array([NOW] * 3_000, schema.field("time").type),
            "account_id": ["a"] * 3_000,
        },
        schema=schema,
    )
    path = tmp_path / "log.parquet"
    pq.write_table(table, path, row_group_size=1_000, compression="gzip", use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    content = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    content[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(content)
    rows, summary, rejected = read(path)
    assert {row["request_id"] for row in rows} >= {"r0", "r999", "r2000", "r2999"}
    assert len(rows) + rejected.total == 3_000
    assert rejected.by_reason == {"broken_parquet": 1_000}
    assert summary.rejected == 1_000


def test_nulls_in_required_parquet_columns_are_refused_row_by_row(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.parquet"
    path.write_bytes(parquet_bytes(account_id=pa.array([None, "b"])))
    assert reasons(path, read) == [(1, "missing_field", "account_id")]
    assert len(read(path)[0]) == 1


@pytest.mark.parametrize(
    ("column", "values", "row", "reason"),
    [
        ("input_tokens", [1.0, -1.0], 2, "out_of_range"),
        ("input_tokens", [float("inf"), 1.0], 1, "out_of_range"),
        ("input_tokens", [2**40, 1], 1, "out_of_range"),
        ("input_tokens", ["x", "1"], 1, "wrong_type"),
        ("prompt", [[1], None], 1, "wrong_type"),
        ("prompt", ["x" * (2 << 20), "y"], 1, "text_too_long"),
        ("time", [NOW, NOW + timedelta(days=9)], 2, "time_in_future"),
        ("time", [datetime(1970, 1, 1, tzinfo=UTC), NOW], 1, "time_too_early"),
        ("time", ["never", "2026-03-02"], 1, "bad_time"),
        ("prompt", pa.array([b"\xff", b"ok"], pa.binary()), 1, "invalid_utf8"),
    ],
)
def test_a_bad_parquet_value_costs_its_row_only(
    column: str, values: Any, row: int, reason: str, tmp_path: Path, read: Read
) -> None:
    path = tmp_path / "log.parquet"
    path.write_bytes(parquet_bytes(**{column: values}))
    assert reasons(path, read) == [(row, reason, column)]
    assert len(read(path)[0]) == 1


def test_text_that_is_no_utf8_is_found_although_parquet_says_it_is_text(tmp_path: Path, read: Read) -> None:
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff\xfe", b"ok"], pa.binary()).buffers())
    path = tmp_path / "log.parquet"
    path.write_bytes(parquet_bytes(prompt=broken))
    assert reasons(path, read) == [(1, "invalid_utf8", "prompt")]


def test_neighbors_with_one_reason_share_an_entry(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line() + b"\n" + b"\n".join([b"{"] * 1_000))
    out = tmp_path / "rejected.jsonl"
    with RejectedLog(out) as rejected:
        read(path, rejected=rejected)
    assert rejected.total == 1_000
    assert [json.loads(each)["count"] for each in out.read_bytes().splitlines()] == [1_000]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_missing_required_column_names_the_columns_found_and_how_to_map_them(
    ending: str, tmp_path: Path, read: Read
) -> None:
    path = tmp_path / f"log.{ending}"
    if ending == "csv":
        path.write_text("request_id,org,time\nr1,a,2026-03-02\n")
    else:
        path.write_bytes(parquet_bytes(account_id=None, org=["a", "b"]))
    with pytest.raises(MissingColumnsError) as raised:
        read(path)
    assert raised.value.message == f"{path} lacks account_id; found org, request_id, time"
    assert "--columns" in raised.value.hint
    rows, _, _ = read(path, columns_map={"account_id": "org"})
    assert rows[0]["account_id"] == "a"


def test_a_json_field_can_be_mapped_by_its_path(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.jsonl"
    record = {"request_id": "r1", "time": GOOD["time"], "who": {"org": "acct-9"}}
    path.write_bytes(json.dumps(record).encode())
    rows, _, _ = read(path, columns_map={"account_id": "who.org"})
    assert rows[0]["account_id"] == "acct-9"


def test_values_in_the_path_fill_columns_that_the_rows_lack(tmp_path: Path, read: Read) -> None:
    folder = tmp_path / "account_id=acct-5" / "surface=batch"
    folder.mkdir(parents=True)
    (folder / "log.parquet").write_bytes(parquet_bytes(account_id=None))
    (folder / "log.jsonl").write_bytes(line(account_id=...) + b"\n" + line(surface="api"))
    rows, _, _ = read(tmp_path)
    assert [(row["account_id"], row["surface"]) for row in rows] == [
        ("acct-5", "batch"),
        ("acct-1", "api"),
        ("acct-5", "batch"),
        ("acct-5", "batch"),
    ]


def test_other_files_in_a_folder_are_passed_over_and_said(tmp_path: Path, read: Read) -> None:
    (tmp_path / "README.md").write_text("# Logs\n")
    (tmp_path / "accounts.parquet").write_bytes(parquet_bytes(request_id=None, time=None))
    (tmp_path / "log.jsonl").write_bytes(line())
    rows, summary, rejected = read(tmp_path)
    assert len(rows) == 1
    assert [Path(name).name for name in summary.skipped] == ["README.md", "accounts.parquet"]
    assert rejected.by_reason == {"not_a_log": 2}


def test_a_named_file_of_unknown_format_is_an_error_that_shows_its_fields(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"when": 1, "what": 2}\n')
    with pytest.raises(UnknownLogFormatError, match="holds the fields what, when"):
        read(path)


def test_nothing_to_read_is_an_error_of_its_own(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    for sources in ([tmp_path / "*.none"], [empty]):
        with pytest.raises(NothingToReadError) as raised:
            list(read_requests(sources, rejected=RejectedLog(), now=NOW))
        assert raised.value.exit_code == 3


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.jsonl cannot be read"):
        read_requests([tmp_path / "absent.jsonl"], rejected=RejectedLog(), now=NOW)


def test_an_unknown_format_or_column_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(line())
    for options in ({"log_format": "syslog"}, {"columns": ["colour"]}, {"columns_map": {"colour": "x"}}):
        with pytest.raises(UsageError, match="unknown"):
            read_requests([tmp_path], rejected=RejectedLog(), now=NOW, **options)


def test_only_the_wanted_columns_are_filled(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.parquet"
    path.write_bytes(parquet_bytes(prompt=["a", "b"], model=["m", "m"]))
    rows, summary, _ = read(path, columns=["model"])
    assert rows[0]["model"] == "m"
    assert rows[0]["prompt"] is None
    assert "prompt" in summary.missing_columns


def test_the_summary_says_what_the_missing_columns_cost(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line())
    _, summary, _ = read(path)
    assert "no client addresses: network links cannot be tested" in summary.missing_evidence
    assert not any(sentence.startswith("no prompts") for sentence in summary.missing_evidence)


def test_a_file_named_twice_is_read_once(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line())
    rows, _, _ = read(path, tmp_path, str(tmp_path / "*.jsonl"))
    assert len(rows) == 1


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_one_long_text_in_very_many_rows_is_read_in_small_pieces(as_dictionary: bool, tmp_path: Path) -> None:  # noqa: FBT001
    count, text = 3_000, "x" * 100_000
    prompts: Any = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([text]))
    path = tmp_path / "log.parquet"
    columns = {
        "request_id": [f"r{index}" for index in range(count)],
        "time": [NOW] * count,
        "account_id": ["a"] * count,
        "prompt": prompts if as_dictionary else prompts.dictionary_decode(),
    }
    pq.write_table(pa.table(columns), path)
    limits = ReadLimits(batch_bytes=10 << 20)
    batches = list(read_requests([path], rejected=RejectedLog(), now=NOW, limits=limits))
    assert sum(batch.num_rows for batch in batches) == count
    assert max(batch.num_rows for batch in batches) * len(text) <= 2 * limits.batch_bytes


@pytest.mark.parametrize("first", [b"[1, 2]", b"[", b'["r1", {'])
def test_a_bad_first_line_that_looks_like_an_array_costs_only_itself(
    first: bytes, tmp_path: Path, read: Read
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(first + b"\n" + line() + b"\n" + line(request_id="r2"))
    rows, _, rejected = read(path)
    assert len(rows) == 2
    assert rejected.total == 1


def test_a_folder_whose_only_file_has_other_columns_is_an_error_that_names_them(
    tmp_path: Path, read: Read
) -> None:
    (tmp_path / "log.parquet").write_bytes(parquet_bytes(request_id=None, account_id=None, org=["a", "b"]))
    with pytest.raises(MissingColumnsError, match="lacks account_id, request_id; found org, time"):
        read(tmp_path)


def test_a_folder_without_any_log_is_an_error_that_says_so(tmp_path: Path, read: Read) -> None:
    (tmp_path / "README.md").write_text("# Logs")
    with pytest.raises(UnknownLogFormatError, match=r"README\.md is in no log format"):
        read(tmp_path)
