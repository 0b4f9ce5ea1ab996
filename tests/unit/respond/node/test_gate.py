"""The gate lets in who may, as often as agreed, and slows down who guesses."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from stillwatch.errors import RateLimitError, TokenError
from stillwatch.respond.node.gate import Bucket, Gate
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.web.interface import Scope


class Time:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def book(tmp_path: Path) -> TokenBook:
    return TokenBook(tmp_path, lambda: datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def gate(book: TokenBook, time: Time) -> Gate:
    return Gate(book, time)


def call(text: str | None, address: str = "192.0.2.1", scheme: str = "Bearer") -> dict[str, Any]:
    headers = [] if text is None else [(b"authorization", f"{scheme} {text}".encode())]
    return {"headers": headers, "client": (address, 1234)}


def test_a_caller_is_known_by_the_token(gate: Gate, book: TokenBook) -> None:
    made, text = book.add("gateway", [Scope.INGEST])
    assert gate.admit(call(text), Scope.INGEST) == made


@pytest.mark.parametrize("connection", [call(None), call("x" * 20, scheme="Basic")])
def test_without_a_token_nobody_comes_in(gate: Gate, connection: dict[str, Any]) -> None:
    with pytest.raises(TokenError, match="there is no token"):
        gate.admit(connection, Scope.INGEST)


def test_another_scope_is_forbidden(gate: Gate, book: TokenBook) -> None:
    _, text = book.add("gateway", [Scope.INGEST])
    with pytest.raises(TokenError) as caught:
        gate.admit(call(text), Scope.ANALYST)
    assert caught.value.status == 403
    assert gate.refused == {403: 1}


def test_a_rate_holds_for_the_token_and_comes_back_with_time(gate: Gate, book: TokenBook, time: Time) -> None:
    _, text = book.add("gateway", [Scope.INGEST], rate_per_s=5.0)
    for _ in range(10):  # two seconds' worth at once
        gate.admit(call(text), Scope.INGEST)
    with pytest.raises(RateLimitError) as caught:
        gate.admit(call(text, "192.0.2.2"), Scope.INGEST)
    assert caught.value.retry_after_s == 1
    time.now_s += 0.2
    gate.admit(call(text), Scope.INGEST)


def test_who_tries_wrong_tokens_is_slowed_down_and_nobody_else(gate: Gate, book: TokenBook) -> None:
    _, text = book.add("gateway", [Scope.INGEST])
    for _ in range(20):
        with pytest.raises(TokenError):
            gate.admit(call("swt_wrong"), Scope.INGEST)
    with pytest.raises(RateLimitError):
        gate.admit(call("swt_wrong"), Scope.INGEST)
    gate.admit(call(text), Scope.INGEST)
    with pytest.raises(TokenError):
        gate.admit(call("swt_wrong", "192.0.2.2"), Scope.INGEST)


def test_many_guessing_addresses_need_bounded_memory(gate: Gate) -> None:
    for number in range(10_500):
        with pytest.raises(TokenError):
            gate.admit(call("swt_wrong", f"address-{number}"), Scope.INGEST)
    assert len(gate._failures) == 10_000


@given(
    rate=st.floats(0.1, 1_000),
    waits=st.lists(st.floats(0, 3), min_size=1, max_size=100),
)
def test_no_more_pass_than_the_rate_and_the_burst_allow(rate: float, waits: list[float]) -> None:
    size = max(1.0, 2 * rate)
    bucket = Bucket(rate, size, size, 0.0)
    now_s, passed = 0.0, 0
    for wait in waits:
        now_s += wait
        passed += bucket.take(now_s) == 0.0
    assert passed <= size + rate * now_s + 1e-6


@given(rate=st.floats(0.1, 1_000))
def test_whoever_waits_as_long_as_told_passes(rate: float) -> None:
    bucket = Bucket(rate, 1.0, 1.0, 0.0)
    assert bucket.take(0.0) == 0.0
    wait_s = bucket.take(0.0)
    assert bucket.take(wait_s + 1e-9) == 0.0
