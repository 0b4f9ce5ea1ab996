"""The parts that all readers share."""

import json
import zlib
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, strategies as st
from pyarrow import fs as pafs

from stillwatch.detect.logs.reading.columns import coerce, column_of, kind_of
from stillwatch.detect.logs.reading.lines import LongLine, lines_of
from stillwatch.detect.logs.reading.network import address_of, forwarded_address
from stillwatch.detect.logs.reading.opened import open_source
from stillwatch.detect.logs.reading.rejected import SENTENCES, Place, Reason, RejectedLog
from stillwatch.detect.logs.reading.sources import find_sources
from stillwatch.detect.logs.reading.summary import EVIDENCE, NO_CLIENTS, ReadSummary
from stillwatch.detect.logs.reading.times import micros_of
from stillwatch.detect.logs.reading.values import PARSERS
from stillwatch.domain.requests import REQUESTS, REQUIRED_REQUEST_COLUMNS
from stillwatch.errors import InputError, NothingToReadError, OutputError

MOMENT = datetime(2026, 3, 2, 10, 15, 30, 250_000, tzinfo=UTC)
MICROS = 1_772_446_530_250_000


@pytest.mark.parametrize(
    "written",
    [
        MOMENT,
        MOMENT.replace(tzinfo=None),
        MOMENT.astimezone(timezone(timedelta(hours=9))),
        "2026-03-02T10:15:30.25Z",
        "2026-03-02T10:15:30.250000000Z",
        "2026-03-02T19:15:30.25+09:00",
        "2026-03-02 10:15:30.25",
        "2026-03-02 10:15:30.25 UTC",
        " 2026-03-02T10:15:30.25 ",
        1_772_446_530.25,
        1_772_446_530_250,
        MICROS,
        MICROS * 1_000,
        "1772446530.25",
        "1772446530250",
        str(MICROS * 1_000),
        Decimal("1772446530.25"),
    ],
)
def test_one_instant_is_understood_however_it_is_written(written: Any) -> None:
    assert micros_of(written) == MICROS


@pytest.mark.parametrize(
    "written", [None, True, "", "soon", float("nan"), float("inf"), "1e400", [], "2026-02-31"]
)
def test_what_is_no_time_is_refused(written: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the readers only need the kind
        micros_of(written)


def test_a_date_is_its_first_instant() -> None:
    assert micros_of(date(2026, 3, 2)) == micros_of("2026-03-02") == micros_of("20260302")


FIRST, LAST = (moment.replace(tzinfo=None) for moment in (MOMENT.replace(2015), MOMENT.replace(2100)))


@given(st.datetimes(FIRST, LAST, timezones=st.timezones()))
def test_iso_text_survives_the_trip(moment: datetime) -> None:
    seconds = int(micros_of(moment)) / 1e6
    assert micros_of(moment.astimezone(UTC).isoformat()) == micros_of(moment)
    assert abs(micros_of(seconds) - micros_of(moment)) <= 1


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 40))
def test_lines_do_not_depend_on_how_the_bytes_arrive(chunks: list[bytes], limit: int) -> None:
    whole = b"".join(chunks)
    expected = whole.split(b"\n")
    if not expected[-1]:
        expected.pop()
    found = list(lines_of(iter(chunks), limit))
    assert len(found) == len(expected)
    for line, want in zip(found, expected, strict=True):
        assert line == (want if len(want) <= limit else LongLine(len(want)))


def test_long_lines_are_split_like_short_ones() -> None:
    content = b"\n".join([b"x" * 5_000, b"", b"y" * 3, b"z" * 9_000])
    assert list(lines_of(iter([content]), 1 << 20)) == content.split(b"\n")


FIELDS = {name: REQUESTS.field(name) for name in ("prompt", "input_tokens", "temperature", "stream", "time")}
ARRAYS = {
    "prompt": st.lists(st.none() | st.text(max_size=5)).map(
        lambda values: pa.array(values, pa.large_string())
    ),
    "input_tokens": st.lists(st.none() | st.integers(-3, 2**40)).map(
        lambda values: pa.array(values, pa.int64())
    ),
    "temperature": st.lists(st.none() | st.floats(width=32)).map(
        lambda values: pa.array(values, pa.float64())
    ),
    "stream": st.lists(st.none() | st.integers(-1, 3)).map(lambda values: pa.array(values, pa.int32())),
    "time": st.lists(st.none() | st.integers(-(10**12), 10**19 // 2)).map(
        lambda values: pa.array(values, pa.int64())
    ),
}


@pytest.mark.parametrize("name", sorted(FIELDS))
@given(data=st.data())
def test_the_fast_way_and_value_by_value_agree(name: str, data: st.DataObject) -> None:
    array = data.draw(ARRAYS[name])
    fast, problems = coerce(array, FIELDS[name])
    slow, slow_problems = column_of([*array.to_pylist(), object()], FIELDS[name])
    refused = {index for index, _ in problems}
    if not pa.types.is_null(array.type) and len(array):
        assert slow_problems[-1][0] == len(array)
        assert refused == {index for index, _ in slow_problems} - {len(array)}
    assert fast.type == FIELDS[name].type
    assert fast.equals(slow.slice(0, len(fast)))


@given(
    st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)), max_size=12
    )
)
def test_any_mix_of_values_fits_or_is_refused_by_its_row(values: list[Any]) -> None:
    for field in REQUESTS:
        array, problems = column_of(values, field)
        array.validate(full=True)
        assert array.type == field.type
        assert len(array) == len(values)
        assert all(array[index].as_py() is None for index, _ in problems)
        assert kind_of(field) in PARSERS


def test_dictionaries_views_and_decimals_are_read() -> None:
    texts = pa.array(["a", None, "a"])
    for array in (texts.dictionary_encode(), texts.cast(pa.large_string()), texts.cast(pa.string_view())):
        assert coerce(array, FIELDS["prompt"])[0].to_pylist() == ["a", None, "a"]
    tokens = pa.array([Decimal("3.00"), None], pa.decimal128(10, 2))
    assert coerce(tokens, FIELDS["input_tokens"])[0].to_pylist() == [3, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_timestamps_of_every_unit_and_zone_become_utc_microseconds(unit: str, zone: str | None) -> None:
    array = pa.array([MOMENT.replace(microsecond=0, tzinfo=None)], pa.timestamp(unit)).cast(
        pa.timestamp(unit, zone)
    )
    found, problems = coerce(array, FIELDS["time"])
    assert found.to_pylist() == [MOMENT.replace(microsecond=0)]
    assert not problems


@pytest.mark.parametrize(
    "array",
    [
        pa.array([2**60, 0], pa.timestamp("s")),
        pa.array([-(2**62), 0], pa.timestamp("ms", "UTC")),
        pa.array([2**62, 0], pa.date64()),
        pa.array([b"\xff" * 16, None], pa.binary(16)),
        pa.array([{"a": 1}, None]),
        pa.array([float("inf"), 0.0]),
        pa.array([timedelta(days=1), None]),
    ],
    ids=lambda array: str(array.type),
)
def test_values_that_no_time_or_count_can_be_are_refused_and_never_raised(array: pa.Array) -> None:
    for field in REQUESTS:
        found, _ = coerce(array, field)
        found.validate(full=True)
        assert found.type == field.type
    assert [index for index, _ in coerce(array, FIELDS["time"])[1]] == [0]


def test_the_rejected_log_appears_only_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rejected.jsonl"
    log = RejectedLog(path)
    log.add(Place("a", 3), Reason.BROKEN_JSON)
    assert not path.exists()
    log.close()
    assert json.loads(path.read_text()) == {
        "file": "a",
        "line": 3,
        "count": 1,
        "reason": "broken_json",
        "sentence": "the line is not complete, valid JSON",
    }
    assert [each.name for each in path.parent.iterdir()] == ["rejected.jsonl"]


def test_the_rejected_log_is_kept_when_the_run_fails(tmp_path: Path) -> None:
    path = tmp_path / "rejected.jsonl"
    log = RejectedLog(path)
    log.add(Place("a"), Reason.UNREADABLE)
    log.__exit__(RuntimeError, RuntimeError(), None)
    assert json.loads(path.read_text())["file"] == "a"


def test_only_rows_that_follow_each_other_share_an_entry(tmp_path: Path) -> None:
    path = tmp_path / "rejected.jsonl"
    with RejectedLog(path) as log:
        for number in (1, 2, 4):
            log.add(Place("a", number), Reason.BROKEN_JSON)
        log.add(Place("a", 5), Reason.WRONG_TYPE, column="prompt")
        log.add(Place("b", 6), Reason.WRONG_TYPE, column="prompt")
        log.add(Place("b", 7, item=1), Reason.WRONG_TYPE, column="prompt")
        log.add(Place("b", 7, item=2), Reason.WRONG_TYPE, column="prompt")
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [entry["count"] for entry in entries] == [2, 1, 1, 1, 1, 1]
    assert log.total == 7
    assert log.by_file == {"a": 4, "b": 3}


def test_a_folder_that_cannot_be_written_is_a_clean_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        RejectedLog(tmp_path / "file" / "rejected.jsonl")


def test_every_reason_has_a_sentence_and_every_optional_column_its_cost() -> None:
    assert set(SENTENCES) == set(Reason)
    assert set(EVIDENCE) == set(REQUESTS.names) - set(REQUIRED_REQUEST_COLUMNS)


def test_without_agent_and_fingerprint_one_sentence_says_that_clients_cannot_be_linked() -> None:
    summary = ReadSummary(rows=1)
    assert NO_CLIENTS in summary.missing_evidence
    assert EVIDENCE["tls_ja4"] not in summary.missing_evidence
    assert ReadSummary().missing_evidence == ()


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1, 10.0.0.2, 172.20.1.1", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        (" , ", None),
        (None, None),
    ],
)
def test_of_a_forwarding_chain_the_last_address_from_outside_counts(
    forwarded: str | None, address: str | None
) -> None:
    assert forwarded_address(forwarded) == address


def test_an_address_that_a_front_proxy_sets_comes_before_the_chain() -> None:
    assert address_of({"cf-connecting-ip": "192.0.2.7", "x-forwarded-for": "203.0.113.9"}) == "192.0.2.7"


def test_folders_are_read_in_sorted_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "b/10.jsonl", "a.jsonl", "_SUCCESS", ".a.crc", "_temporary/x.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    names = [Path(source.name).relative_to(tmp_path).as_posix() for source in find_sources([tmp_path])]
    assert names == ["a.jsonl", "b/10.jsonl", "b/2.jsonl"]


@pytest.mark.parametrize("pattern", ["*/*.jsonl", "**/*.jsonl"])
def test_globs_work_on_disk_and_in_object_stores(pattern: str, tmp_path: Path) -> None:
    for name in ("day1/a.jsonl", "day2/b.jsonl", "day2/b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    for start in (str(tmp_path), tmp_path.as_uri()):
        assert [Path(source.name).name for source in find_sources([f"{start}/{pattern}"])] == [
            "a.jsonl",
            "b.jsonl",
        ]


def test_an_object_store_lists_what_lies_below_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.jsonl").write_text("{}")
    store = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())
    (source,) = find_sources(["logs"], filesystem=store)
    assert (source.name, source.explicit) == ("logs/a.jsonl", False)
    assert open_source(source).head == b"{}"


def test_a_store_without_a_disk_is_read_the_same() -> None:
    store = pafs._MockFileSystem()
    store.create_dir("bucket/logs")
    for name in ("b.jsonl", "a.jsonl", "_SUCCESS"):
        with store.open_output_stream(f"bucket/logs/{name}") as file:
            file.write(name.encode())
    sources = find_sources(["bucket/logs"], filesystem=store)
    assert [open_source(source).head for source in sources] == [b"a.jsonl", b"b.jsonl"]


def test_a_store_that_does_not_exist_is_a_clean_error() -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        find_sources(["nowhere://bucket/logs"])
    with pytest.raises(InputError, match="cannot be listed"):
        find_sources(["file:///absent/folder"])
    with pytest.raises(NothingToReadError, match="no source"):
        find_sources([])


def opened_bytes(path: Path) -> tuple[bytes, list[Reason]]:
    opened = open_source(find_sources([path])[0])
    content = b"".join(opened.chunks)
    opened.close()
    return content, [damage.reason for damage in opened.damage]


def gzipped(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush()


@given(parts=st.lists(st.binary(min_size=1, max_size=2_000), min_size=1, max_size=4))
def test_several_members_in_a_row_are_one_file(
    parts: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("packed") / "log"
    for pack in (gzipped, zstandard.ZstdCompressor().compress):
        path.write_bytes(b"".join(pack(part) for part in parts))
        assert opened_bytes(path) == (b"".join(parts), [])


@given(content=st.binary(min_size=1, max_size=3_000), cut=st.integers(5, 3_000))
def test_a_cut_file_gives_its_beginning_and_says_so(
    content: bytes, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("packed") / "log"
    for pack in (gzipped, zstandard.ZstdCompressor().compress):
        packed = pack(content)
        path.write_bytes(packed[: min(cut, len(packed) - 1)])
        found, reasons = opened_bytes(path)
        assert content.startswith(found)
        assert reasons == [Reason.TRUNCATED]


def test_zeros_after_the_end_are_padding_and_other_bytes_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(gzipped(b"x") + b"\x00" * 512)
    assert opened_bytes(path) == (b"x", [])
    path.write_bytes(gzipped(b"x") + b"tail")
    assert opened_bytes(path) == (b"x", [Reason.BROKEN_COMPRESSION])


def test_a_file_that_vanishes_before_it_is_opened_is_refused_and_not_raised(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x")
    (source,) = find_sources([path])
    path.unlink()
    opened = open_source(source)
    assert opened.head == b""
    assert [damage.reason for damage in opened.damage] == [Reason.UNREADABLE]
