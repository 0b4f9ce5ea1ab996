"""One file of the spool: canonical requests, one record per group commit.

    magic "SWSPOOL1" | schema record | batch record | batch record | …
    record = length u32 LE | CRC-32 of the payload u32 LE | payload

Payloads are Arrow IPC messages: the schema once, so that another version of the program can read the file, then
record batches, compressed with LZ4 unless they are small. Whatever follows the last whole record was never acknowledged.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from stillwatch.domain.requests import REQUESTS

MAGIC = b"SWSPOOL1"
_HEAD = struct.Struct("<II")
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")
_WORTH_COMPRESSING = 32  # rows; below, compressing 33 columns costs more time than it saves space
_END_OF_STREAM = 8  # bytes that close an IPC stream
MAX_RECORD_BYTES = 1 << 30
"""A longer record was never written; the length is damaged."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a segment is whole.

    Args:
        good_bytes: Length up to the end of the last whole record.
        rows: Requests in whole records.
        total_bytes: Length of the file.
    """

    good_bytes: int
    rows: int
    total_bytes: int

    @property
    def is_whole(self) -> bool:
        """Say whether nothing follows the last whole record."""
        return self.good_bytes == self.total_bytes


def framed(payload: bytes) -> bytes:
    """Put length and checksum before a payload."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


@cache
def header() -> bytes:
    """Return what every segment begins with."""
    return MAGIC + framed(REQUESTS.serialize().to_pybytes())


@cache
def _stream_prefix_bytes() -> int:
    """Measure what an IPC stream holds before its first batch."""
    sink = pa.BufferOutputStream()
    pa.ipc.new_stream(sink, REQUESTS, options=_OPTIONS).close()
    return int(sink.getvalue().size) - _END_OF_STREAM


def encoded(batch: pa.RecordBatch) -> bytes:
    """Write one canonical batch as a framed record.

    Args:
        batch: Rows of `REQUESTS`.
    """
    if batch.num_rows < _WORTH_COMPRESSING:
        return framed(batch.serialize().to_pybytes())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, REQUESTS, options=_OPTIONS) as writer:
        writer.write_batch(batch)
    stream = memoryview(sink.getvalue())
    return framed(bytes(stream[_stream_prefix_bytes() : -_END_OF_STREAM]))


def batches_of(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the canonical batches of a segment, up to its last whole record.

    Args:
        path: The segment.
    """
    with path.open("rb") as file:
        payloads = _payloads(file)
        first = next(payloads, None)
        if first is None:
            return
        schema = pa.ipc.read_schema(pa.py_buffer(first))
        for payload in payloads:
            yield _canonical(pa.ipc.read_record_batch(pa.py_buffer(payload), schema))


def extent_of(path: Path) -> Extent:
    """Measure how much of a segment is whole.

    Args:
        path: The segment.
    """
    total = path.stat().st_size
    good = rows = 0
    with path.open("rb") as file:
        payloads = _payloads(file)
        first = next(payloads, None)
        if first is None:
            return Extent(0, 0, total)
        schema = pa.ipc.read_schema(pa.py_buffer(first))
        good = file.tell()
        for payload in payloads:
            rows += pa.ipc.read_record_batch(pa.py_buffer(payload), schema).num_rows
            good = file.tell()
    return Extent(good, rows, total)


def _payloads(file: BinaryIO) -> Iterator[bytes]:
    """Yield whole payloads; stop before the first that is not."""
    if file.read(len(MAGIC)) != MAGIC:
        return
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        length, checksum = _HEAD.unpack(head)
        if length > MAX_RECORD_BYTES:
            return
        payload = file.read(length)
        if len(payload) != length or zlib.crc32(payload) != checksum:
            return
        yield payload


def _canonical(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Bring a batch of another version's schema to today's: new columns are null, old ones go."""
    if batch.schema.equals(REQUESTS):
        return batch
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in REQUESTS
    ]
    return pa.RecordBatch.from_arrays(columns, schema=REQUESTS)
