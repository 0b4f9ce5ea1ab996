"""An open file: its first bytes for recognition, then all of its bytes once, decompressed."""

import itertools
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import pyarrow as pa
import zstandard

from stillwatch.detect.logs.reading.rejected import Reason
from stillwatch.detect.logs.reading.sources import Source

HEAD_BYTES = 256 << 10
_CHUNK_BYTES = 128 << 10  # stays in the cache of a core, and below what the allocator maps anew each time
_ZSTD_CHUNK_BYTES = 4 << 10  # one block of 4 bytes may hold 128 KiB: small bites keep a bomb below 128 MiB
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


@dataclass(slots=True)
class Damage:
    """Why a stream of bytes ended early."""

    reason: Reason
    detail: str = ""


@dataclass(slots=True)
class OpenedFile:
    """One file in the course of being read.

    Args:
        source: Where it comes from.
        stored: The bytes as stored.
        chunks: The decompressed bytes, to be taken once.
        head: The first decompressed bytes; `chunks` still holds them.
        compressed: Whether `chunks` differs from what is stored.
        damage: Filled when the bytes end early.
    """

    source: Source
    stored: Any
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))
    head: bytes = b""
    compressed: bool = False
    damage: list[Damage] = field(default_factory=list)

    @property
    def seekable(self) -> bool:
        """Say whether the stored bytes are the file's bytes and can be read in any order."""
        return not self.compressed and self.source.seekable

    def close(self) -> None:
        """Give the file back. Standard input stays open: it is not ours."""
        if self.stored is not getattr(sys.stdin, "buffer", None):
            self.stored.close()


def open_source(source: Source) -> OpenedFile:
    """Open a file and look at its first bytes.

    Args:
        source: The file.

    Returns:
        The opened file. A file that cannot even be opened has its damage noted and no bytes.
    """
    try:
        stored = source.open()
    except (OSError, pa.ArrowException) as error:
        damage = Damage(Reason.UNREADABLE, getattr(error, "strerror", None) or "")
        return OpenedFile(source, pa.BufferReader(b""), damage=[damage])
    opened = OpenedFile(source, stored)
    chunks = _decompressed(_raw_chunks(opened), opened)
    first = list(_up_to(chunks, HEAD_BYTES))
    opened.head = b"".join(first)[:HEAD_BYTES]
    opened.chunks = itertools.chain(first, chunks)
    return opened


def _up_to(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Take chunks until they hold `size` bytes."""
    taken = 0
    while taken < size and (chunk := next(chunks, None)) is not None:
        taken += len(chunk)
        yield chunk


def _raw_chunks(opened: OpenedFile) -> Iterator[bytes]:
    """Read the stored bytes; an error of the disk or the network ends them."""
    stored: IO[bytes] = opened.stored
    while True:
        try:
            chunk = stored.read(_CHUNK_BYTES)
        except (OSError, pa.ArrowException, ValueError) as error:
            opened.damage.append(Damage(Reason.UNREADABLE, getattr(error, "strerror", None) or ""))
            return
        if not chunk:
            return
        yield chunk


def _decompressed(raw: Iterator[bytes], opened: OpenedFile) -> Iterator[bytes]:
    """Undo gzip or zstd, recognized by its first bytes and not by the name."""
    first = b""
    while len(first) < len(_ZSTD) and (chunk := next(raw, None)) is not None:
        first += chunk
    stream = itertools.chain([first] if first else [], raw)
    if first.startswith(_GZIP):
        opened.compressed = True
        yield from _gunzipped(stream, opened.damage)
    elif first.startswith(_ZSTD):
        opened.compressed = True
        yield from _unzstd(stream, opened.damage)
    else:
        yield from stream


def _gunzipped(stream: Iterator[bytes], damage: list[Damage]) -> Iterator[bytes]:
    """Undo gzip, also of several members in a row, a bounded piece at a time."""
    member = zlib.decompressobj(_GZIP_WINDOW)
    pending = b""
    try:
        for chunk in stream:
            pending += chunk
            while pending:
                if member.eof:
                    if not pending.startswith(_GZIP[:1]):
                        pending = pending.lstrip(b"\x00")
                        if pending:
                            damage.append(Damage(Reason.BROKEN_COMPRESSION, "trailing bytes after the end"))
                            return
                        continue
                    member = zlib.decompressobj(_GZIP_WINDOW)
                piece = member.decompress(pending, _CHUNK_BYTES)
                pending = member.unused_data if member.eof else member.unconsumed_tail
                if piece:
                    yield piece
    except zlib.error:
        damage.append(Damage(Reason.BROKEN_COMPRESSION))
        return
    if not member.eof:
        yield from _rest(member)
        damage.append(Damage(Reason.TRUNCATED))


def _rest(member: Any) -> Iterator[bytes]:
    """Return what a truncated member still holds."""
    piece = member.flush()
    if piece:
        yield piece


def _unzstd(stream: Iterator[bytes], damage: list[Damage]) -> Iterator[bytes]:
    """Undo zstd, also of several frames in a row, a bounded piece at a time."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    started = False
    try:
        for chunk in stream:
            for start in range(0, len(chunk), _ZSTD_CHUNK_BYTES):
                pending = chunk[start : start + _ZSTD_CHUNK_BYTES]
                while pending:
                    if frame.eof:
                        frame = zstandard.ZstdDecompressor().decompressobj()
                    started = True
                    piece = frame.decompress(pending)
                    pending = frame.unused_data if frame.eof else b""
                    if piece:
                        yield piece
    except zstandard.ZstdError:
        damage.append(Damage(Reason.BROKEN_COMPRESSION))
        return
    if started and not frame.eof:
        damage.append(Damage(Reason.TRUNCATED))
