"""A segment gives back what was written, and nothing that was not written whole."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from stillwatch.domain.requests import REQUESTS
from stillwatch.respond.ingest.segment import MAGIC, batches_of, encoded, extent_of, framed, header

START = datetime(2026, 3, 2, tzinfo=UTC)


def batch_of(*names: str) -> pa.RecordBatch:
    rows = [
        {
            "request_id": name,
            "time": START + timedelta(seconds=place),
            "account_id": "acct",
            "prompt": f"tell {name}",
        }
        for place, name in enumerate(names)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=REQUESTS)


def ids_in(path: Path) -> list[str]:
    return [name for batch in batches_of(path) for name in batch.column("request_id").to_pylist()]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "1.seg"
    first, second = batch_of("a", "b"), batch_of("c")
    path.write_bytes(header() + encoded(first) + encoded(second))
    assert list(batches_of(path)) == [first, second]
    assert extent_of(path).rows == 3
    assert extent_of(path).is_whole


@settings(max_examples=60)
@given(cut=st.integers(min_value=0), data=st.data())
def test_whatever_is_cut_off_the_whole_records_before_it_are_read(
    tmp_path_factory: pytest.TempPathFactory, cut: int, data: st.DataObject
) -> None:
    records = [encoded(batch_of(f"r{place}")) for place in range(4)]
    whole = header() + b"".join(records)
    kept = cut % (len(whole) + 1)
    path = tmp_path_factory.mktemp("cut") / "1.seg"
    tail = data.draw(st.binary(max_size=20))
    path.write_bytes(whole[:kept] + (tail if kept < len(whole) else b""))
    edges = [len(header()) + sum(map(len, records[:count])) for count in range(5)]
    complete = max((count for count, edge in enumerate(edges) if edge <= kept), default=0)
    assert ids_in(path) == [f"r{place}" for place in range(complete)]
    assert extent_of(path).good_bytes == (edges[complete] if kept >= edges[0] else 0)


@given(place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_is_noticed(tmp_path_factory: pytest.TempPathFactory, place: int, bit: int) -> None:
    whole = bytearray(header() + encoded(batch_of("a")) + encoded(batch_of("b")))
    place %= len(whole)
    whole[place] ^= 1 << bit
    path = tmp_path_factory.mktemp("flip") / "1.seg"
    path.write_bytes(bytes(whole))
    assert not extent_of(path).is_whole
    assert ids_in(path) in ([], ["a"])


def test_a_segment_of_another_version_is_read_by_name(tmp_path: Path) -> None:
    old = pa.schema(
        [field for field in REQUESTS if field.name != "latency_ms"] + [pa.field("gone", pa.int8())]
    )
    batch = pa.RecordBatch.from_pylist([{"request_id": "a", "account_id": "x", "gone": 1}], schema=old)
    message = batch.serialize().to_pybytes()
    path = tmp_path / "1.seg"
    path.write_bytes(MAGIC + framed(old.serialize().to_pybytes()) + framed(message))
    [found] = batches_of(path)
    assert found.schema == REQUESTS
    assert found.column("request_id").to_pylist() == ["a"]
    assert found.column("latency_ms").to_pylist() == [None]
