"""Each line of a body is a request or a refusal with its line number."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.logs.reading.rejected import Reason
from stillwatch.respond.ingest.json_requests import MAX_LINE_BYTES, delivered


def line_of(name: str, **more: Any) -> bytes:
    return json.dumps({"request_id": name, "time": 1_772_445_600, "account_id": "acct", **more}).encode()


def test_lines_are_requests_in_their_order() -> None:
    found = delivered(b"\n".join(line_of(name) for name in "abc"), "test")
    assert [row.request_id for row in found.rows] == ["a", "b", "c"]
    assert found.lines == [1, 2, 3]
    assert found.refused == []


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n \n"])
def test_blank_lines_and_line_ends_do_not_count(end: bytes) -> None:
    found = delivered(line_of("a") + b"\n\n" + line_of("b") + end, "test")
    assert [row.request_id for row in found.rows] == ["a", "b"]
    assert found.lines == [1, 3]


def test_an_array_is_as_good_as_lines() -> None:
    found = delivered(b" [" + line_of("a") + b",\n" + line_of("b") + b"]", "test")
    assert [row.request_id for row in found.rows] == ["a", "b"]


BROKEN = [
    (b"{", Reason.BROKEN_JSON),
    (b'{"request_id": "a"', Reason.BROKEN_JSON),
    (b"[1]", Reason.WRONG_TYPE),
    (b'"text"', Reason.WRONG_TYPE),
    (b"null", Reason.WRONG_TYPE),
    (b'{"prompt": "\xff\xfe"}', Reason.INVALID_UTF8),
    (b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", Reason.TOO_DEEP),
    (b'{"prompt": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", Reason.TOO_DEEP),
    (b'{"unknown": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", Reason.TOO_DEEP),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN, ids=[f"{n}-{one[1]}" for n, one in enumerate(BROKEN)])
def test_a_broken_line_is_refused_alone_and_by_its_number(line: bytes, reason: Reason) -> None:
    found = delivered(line_of("a") + b"\n" + line + b"\n" + line_of("b") + b"\n", "test")
    assert [row.request_id for row in found.rows] == ["a", "b"]
    assert found.lines == [1, 3]
    assert [(one.line, one.reason) for one in found.refused] == [(2, reason)]


def test_a_huge_line_is_refused_alone() -> None:
    found = delivered(
        line_of("a") + b"\n" + line_of("h", prompt="x" * MAX_LINE_BYTES) + b"\n" + line_of("b"), "test"
    )
    assert found.lines == [1, 3]
    assert [(one.line, one.reason) for one in found.refused] == [(2, Reason.LINE_TOO_LONG)]


def test_line_numbers_hold_across_the_slices_of_a_large_body() -> None:
    lines = [line_of(f"r{place}", prompt="x" * 900) for place in range(2_000)]
    lines[1_500] = b"{broken"
    found = delivered(b"\n".join(lines), "test")
    assert [one.line for one in found.refused] == [1_501]
    assert found.lines == [number for number in range(1, 2_001) if number != 1_501]
    assert [row.request_id for row in found.rows] == [f"r{number - 1}" for number in found.lines]


def test_an_array_that_is_none_is_one_refusal() -> None:
    assert [one.reason for one in delivered(b"[{]", "test").refused] == [Reason.BROKEN_JSON]


def test_a_refusal_says_nothing_that_stood_in_the_line() -> None:
    found = delivered(b'{"prompt": "a secret of somebody"', "test")
    assert b"secret" not in msgspec.json.encode([one.as_json() for one in found.refused])


@given(body=st.binary(max_size=400))
def test_any_bytes_are_taken_or_refused_and_raise_nothing(body: bytes) -> None:
    found = delivered(body, "test")
    assert len(found.rows) == len(found.lines)
