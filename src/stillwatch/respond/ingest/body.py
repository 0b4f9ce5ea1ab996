"""The body of an HTTP request or a message: within its limits, decompressed, or refused with the right status."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import zstandard

from stillwatch.errors import BodyError

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_ZSTD_WINDOW_BYTES: Final = 32 << 20  # what zstd needs at its highest ordinary level is 8 MiB
_BITE_BYTES: Final = 64 << 10
UNSUPPORTED, TOO_LARGE, BAD = 415, 413, 400  # RFC 9110


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much one sender may ask of the node at once.

    Args:
        max_stored_bytes: Longest body as it is sent.
        max_bytes: Longest body after decompression.
        max_ratio: Most bytes that one compressed byte may stand for, above the first mebibyte.
    """

    max_stored_bytes: int = 32 << 20
    max_bytes: int = 128 << 20
    max_ratio: int = 200


async def received(chunks: AsyncIterator[bytes], declared: str | None, limits: BodyLimits) -> bytes:
    """Take a body in, and stop as soon as it is too long.

    Args:
        chunks: The body as it arrives.
        declared: The `Content-Length`, if there is one.
        limits: What is allowed.

    Raises:
        BodyError: It is too long.
    """
    if declared is not None and declared.isdigit() and int(declared) > limits.max_stored_bytes:
        raise BodyError(_too_long(limits.max_stored_bytes), status=TOO_LARGE)
    kept: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limits.max_stored_bytes:
            raise BodyError(_too_long(limits.max_stored_bytes), status=TOO_LARGE)
        kept.append(chunk)
    return b"".join(kept)


def decompressed(stored: bytes, encoding: str, limits: BodyLimits) -> bytes:
    """Undo a content coding without believing what it says of its size.

    Args:
        stored: The body as it was sent.
        encoding: The value of `Content-Encoding`; empty for none.
        limits: What is allowed.

    Raises:
        BodyError: The coding is unknown, the body is damaged, or it grows beyond its limits.
    """
    coding = encoding.strip().lower()
    if coding in {"", "identity"}:
        return stored
    if coding not in {"gzip", "x-gzip", "zstd"}:
        raise BodyError(
            f"content encoding {coding[:40]!r} is not supported",
            status=UNSUPPORTED,
            hint="send gzip, zstd or identity",
        )
    most = min(limits.max_bytes, max(1 << 20, len(stored) * limits.max_ratio))
    try:
        return _unzstd(stored, most) if coding == "zstd" else _gunzip(stored, most)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise BodyError(f"the body is no complete {coding} stream", status=BAD) from error


def _gunzip(stored: bytes, most: int) -> bytes:
    """Decompress one or several gzip members."""
    parts: list[bytes] = []
    size, rest = 0, stored
    while rest:
        member = zlib.decompressobj(_GZIP_WINDOW)
        data = member.decompress(rest, most - size + 1)
        size += len(data)
        parts.append(data)
        if size > most:
            raise BodyError(_grows(most), status=TOO_LARGE)
        if not member.eof:
            raise EOFError
        rest = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _unzstd(stored: bytes, most: int) -> bytes:
    """Decompress frame after frame, in small bites: a block of four bytes may stand for 128 KiB."""
    parts: list[bytes] = []
    size, rest = 0, stored
    while rest:
        frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
        place = 0
        while place < len(rest) and not frame.eof:
            data = frame.decompress(rest[place : place + _bite(rest)])
            place += _bite(rest)
            size += len(data)
            parts.append(data)
            if size > most:
                raise BodyError(_grows(most), status=TOO_LARGE)
        if not frame.eof:
            raise EOFError
        rest = frame.unused_data + rest[place:]
    return b"".join(parts)


def _bite(rest: bytes) -> int:
    """Return how many compressed bytes to take at once: 4 KiB hold at most 128 MiB."""
    return min(len(rest), 4 << 10)


def _too_long(most: int) -> str:
    return f"the body is longer than {most:,} bytes"


def _grows(most: int) -> str:
    return f"the body decompresses to more than {most:,} bytes"
