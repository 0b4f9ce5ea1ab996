"""No body makes the node use more memory than it allows, and each refusal has the right status."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
import zstandard
from hypothesis import given, strategies as st

from stillwatch.errors import BodyError
from stillwatch.respond.ingest.body import BodyLimits, decompressed, received

LIMITS = BodyLimits(max_stored_bytes=1_000, max_bytes=2 << 20, max_ratio=50)
ENCODERS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}


@pytest.mark.parametrize("coding", ENCODERS)
@given(data=st.binary(max_size=3_000))
def test_what_was_compressed_comes_back(coding: str, data: bytes) -> None:
    assert decompressed(ENCODERS[coding](data), coding, LIMITS) == data


@pytest.mark.parametrize("coding", ENCODERS)
def test_several_members_are_one_body(coding: str) -> None:
    stored = ENCODERS[coding](b"one\n") + ENCODERS[coding](b"two\n")
    assert decompressed(stored, coding, LIMITS) == b"one\ntwo\n"


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_bomb_is_refused_before_it_goes_off(coding: str) -> None:
    bomb = ENCODERS[coding](bytes(200 << 20))
    with pytest.raises(BodyError) as caught:
        decompressed(bomb, coding, LIMITS)
    assert caught.value.status == 413


def test_a_bomb_of_many_tiny_frames_is_refused() -> None:
    frame = zstandard.ZstdCompressor().compress(bytes(128 << 10))
    with pytest.raises(BodyError) as caught:
        decompressed(frame * 1_000, "zstd", LIMITS)
    assert caught.value.status == 413


@pytest.mark.parametrize("coding", ENCODERS)
@given(data=st.binary(min_size=1, max_size=500), cut=st.integers(min_value=1, max_value=8))
def test_half_a_body_is_refused(coding: str, data: bytes, cut: int) -> None:
    with pytest.raises(BodyError) as caught:
        decompressed(ENCODERS[coding](data)[:-cut], coding, LIMITS)
    assert caught.value.status == 400


@pytest.mark.parametrize("coding", ENCODERS)
@given(data=st.binary(min_size=1, max_size=200))
def test_noise_is_refused_and_raises_nothing_else(coding: str, data: bytes) -> None:
    statuses = []
    try:
        decompressed(data, coding, LIMITS)
    except BodyError as error:
        statuses.append(error.status)
    assert set(statuses) <= {400, 413}


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "compress"])
def test_another_coding_is_not_supported(coding: str) -> None:
    with pytest.raises(BodyError) as caught:
        decompressed(b"", coding, LIMITS)
    assert caught.value.status == 415


def test_a_window_larger_than_any_real_sender_uses_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    stored = (
        zstandard.ZstdCompressor(compression_params=parameters).compressobj().compress(zlib.compress(b"x"))
    )
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    stored = stream.compress(bytes(64 << 20)) + stream.flush()
    with pytest.raises(BodyError):
        decompressed(stored, "zstd", BodyLimits())


async def _chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_a_body_is_joined() -> None:
    assert asyncio.run(received(_chunks(b"a", b"b"), "2", LIMITS)) == b"ab"


def test_a_body_that_says_it_is_too_long_is_not_even_read() -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("was read")
        yield b""

    with pytest.raises(BodyError) as caught:
        asyncio.run(received(never(), "1001", LIMITS))
    assert caught.value.status == 413


def test_a_body_that_is_longer_than_it_said_is_refused() -> None:
    with pytest.raises(BodyError) as caught:
        asyncio.run(received(_chunks(b"x" * 600, b"x" * 600), None, LIMITS))
    assert caught.value.status == 413
