"""Arbitrary bytes: every line is a row, a refusal, or counted as something else; nothing else ever happens."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stillwatch.detect.logs import ReadLimits, RejectedLog, log_formats
from stillwatch.errors import StillwatchError

Read = Callable[..., Any]

LIMITS = ReadLimits(max_line_bytes=4_096, max_prompt_bytes=512, batch_rows=7, batch_bytes=2_000)
JOBS = ["openai_batch", "anthropic_batch"]
ONE_PER_LINE = ["jsonl", "litellm", "openai", "anthropic", "bedrock", "envoy", *JOBS]
EXAMPLES = {name: log_format.get_examples()[0].content for name, log_format in log_formats().items()}

words = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b",",
        b"\n",
        b"\\",
        b"null",
        b"NaN",
        b"1e999",
        b"-1",
        b"\xff",
        b"\x00",
        b"\r",
    ]
)
junk = st.one_of(st.binary(max_size=400), st.lists(words, max_size=60).map(b"".join))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["type", "text", "role", "content", "body", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """Cut, overwrite and repeat parts of a valid log."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        size = draw(st.integers(0, 40))
        data[start : start + size] = draw(junk)
    return bytes(data)


def checked_read(path: Path, read: Read, **options: Any) -> tuple[int, int, int]:
    """Read and return rows, refusals and other lines; a clean error counts as nothing read."""
    out = path.with_name("rejected.jsonl")
    try:
        with RejectedLog(out) as rejected:
            rows, summary, _ = read(path, rejected=rejected, limits=LIMITS, **options)
    except StillwatchError:
        return 0, 0, 0
    entries = [json.loads(each) for each in out.read_bytes().splitlines()]
    assert sum(entry["count"] for entry in entries) == rejected.total == summary.rejected
    assert len(rows) == summary.rows
    return len(rows), summary.rejected, summary.ignored


def lines_in(content: bytes) -> int:
    lines = content.split(b"\n")
    return len(lines) - (not lines[-1])


@pytest.mark.parametrize("name", sorted(EXAMPLES))
@settings(max_examples=60)
@given(data=st.data())
def test_no_bytes_get_past_a_reader(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, read: Read
) -> None:
    content = data.draw(st.one_of(junk, mutated(EXAMPLES[name])))
    path = tmp_path_factory.mktemp("fuzz") / "log"
    path.write_bytes(content)
    rows, refused, others = checked_read(path, read, log_format=name)
    if name in ONE_PER_LINE and not content.lstrip().startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"[")):
        assert rows + refused + others == lines_in(content)


@settings(max_examples=150)
@given(content=junk)
def test_no_bytes_get_past_the_recognition(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, read: Read
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "log"
    path.write_bytes(content)
    checked_read(path, read)


def replaced(record: Any, path: list[int], value: Any) -> Any:
    """Return a copy of a JSON value with one of its parts exchanged."""
    if not path or not isinstance(record, dict | list) or not record:
        return value
    keys = list(record) if isinstance(record, dict) else list(range(len(record)))
    key = keys[path[0] % len(keys)]
    copy: Any = dict(record) if isinstance(record, dict) else list(record)
    copy[key] = replaced(record[key], path[1:], value)
    return copy


@pytest.mark.parametrize("name", [*ONE_PER_LINE, "otel"])
@settings(max_examples=120)
@given(path=st.lists(st.integers(0, 60), min_size=1, max_size=9), value=json_values)
def test_a_value_of_any_shape_anywhere_is_a_row_or_a_refusal(
    name: str, path: list[int], value: Any, tmp_path_factory: pytest.TempPathFactory, read: Read
) -> None:
    lines = EXAMPLES[name].splitlines()
    record = replaced(json.loads(lines[0]), path, value)
    file = tmp_path_factory.mktemp("fuzz") / "log"
    file.write_bytes(b"\n".join([json.dumps(record).encode(), *lines[1:]]) + b"\n")
    rows, refused, others = checked_read(file, read, log_format=name)
    if name != "otel":
        assert rows + refused + others == len(lines)
        assert rows >= (len(lines) - 1) // (2 if name in JOBS else 1)


@settings(max_examples=60)
@given(cut=st.integers(0, 10_000), name=st.sampled_from(sorted(EXAMPLES)))
def test_a_compressed_log_may_end_anywhere(
    cut: int, name: str, tmp_path_factory: pytest.TempPathFactory, read: Read
) -> None:
    packed = gzip.compress(EXAMPLES[name] * (1 if name == "parquet" else 20))
    path = tmp_path_factory.mktemp("fuzz") / "log.gz"
    path.write_bytes(packed[: cut % len(packed)])
    checked_read(path, read, log_format=name)
