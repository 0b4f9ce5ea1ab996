"""Files are followed while they grow, rotate and restart, and each line is read."""

import gzip
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from stillwatch.detect.logs import log_formats
from stillwatch.domain.requests import REQUESTS
from stillwatch.errors import SpoolFullError
from stillwatch.respond.ingest.counters import IngestCounters
from stillwatch.respond.ingest.following import SOURCE, FolderFollower
from stillwatch.respond.ingest.offsets import Offsets


class Memory:
    """A disk that keeps the ids of what it was given."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.is_full = False

    def append(self, records: Sequence[bytes]) -> None:
        if self.is_full:
            raise SpoolFullError("full")
        for record in records:
            batch = pa.ipc.read_record_batch(pa.py_buffer(record[8:]), REQUESTS)
            self.ids += batch.column("request_id").to_pylist()


class Following:
    """A followed folder, and what came of it."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "logs"
        self.folder.mkdir()
        self.root = root
        self.disk = Memory()
        self.counters = IngestCounters()
        self.later = timedelta()
        self.restart()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def restart(self) -> None:
        offsets = Offsets(self.root / "followed.json")
        self.follower = FolderFollower([self.folder], offsets, self.disk, self.now, self.counters, {})

    def look(self) -> list[str]:
        """Look until there is nothing new, and return what came since the last time."""
        before = len(self.disk.ids)
        while self.follower.look():
            pass
        return self.disk.ids[before:]


@pytest.fixture
def following(tmp_path: Path) -> Following:
    return Following(tmp_path)


def line(name: str, **more: Any) -> bytes:
    return (
        json.dumps(
            {"request_id": name, "time": datetime.now(UTC).isoformat(), "account_id": "a", **more}
        ).encode()
        + b"\n"
    )


def test_lines_are_read_once_as_a_file_grows(following: Following) -> None:
    path = following.folder / "requests.jsonl"
    path.write_bytes(line("a") + line("b"))
    assert following.look() == ["a", "b"]
    assert following.look() == []
    with path.open("ab") as file:
        file.write(line("c"))
    assert following.look() == ["c"]


def test_half_a_line_waits_for_its_other_half(following: Following) -> None:
    path = following.folder / "requests.jsonl"
    whole = line("b")
    path.write_bytes(line("a") + whole[:20])
    assert following.look() == ["a"]
    with path.open("ab") as file:
        file.write(whole[20:])
    assert following.look() == ["b"]
    assert following.counters.rejected.total() == 0


def test_a_last_line_without_a_line_feed_is_read_when_nobody_writes_any_more(following: Following) -> None:
    (following.folder / "requests.jsonl").write_bytes(line("a") + line("b").rstrip())
    assert following.look() == ["a"]
    following.later = timedelta(minutes=1)
    assert following.look() == ["b"]


def test_a_restart_goes_on_where_it_stopped(following: Following) -> None:
    path = following.folder / "requests.jsonl"
    path.write_bytes(line("a"))
    following.look()
    with path.open("ab") as file:
        file.write(line("b"))
    following.restart()
    assert following.look() == ["b"]


def test_a_file_that_is_rotated_by_renaming_is_read_to_its_end_and_the_new_one_from_its_start(
    following: Following,
) -> None:
    path = following.folder / "requests.jsonl"
    path.write_bytes(line("a"))
    following.look()
    with path.open("ab") as file:
        file.write(line("b"))
    path.rename(following.folder / "requests.jsonl.1")
    path.write_bytes(line("c"))
    assert sorted(following.look()) == ["b", "c"]


def test_a_file_that_was_cut_and_written_anew_is_read_again(following: Following) -> None:
    path = following.folder / "requests.jsonl"
    path.write_bytes(line("a") + line("b"))
    following.look()
    path.write_bytes(line("c"))
    assert following.look() == ["c"]


def test_a_full_spool_loses_nothing(following: Following) -> None:
    (following.folder / "requests.jsonl").write_bytes(line("a"))
    following.disk.is_full = True
    with pytest.raises(SpoolFullError):
        following.look()
    following.restart()
    following.disk.is_full = False
    assert following.look() == ["a"]


def test_large_files_are_read_piece_by_piece(following: Following) -> None:
    names = [f"r{place}" for place in range(9_000)]
    (following.folder / "requests.jsonl").write_bytes(
        b"".join(line(name, prompt="x" * 900) for name in names)
    )
    assert following.follower.look()
    assert following.disk.ids
    following.look()
    assert following.disk.ids == names


def test_a_broken_line_is_counted_and_the_others_are_read(following: Following) -> None:
    (following.folder / "requests.jsonl").write_bytes(line("a") + b"{broken\n" + line("b"))
    assert following.look() == ["a", "b"]
    assert following.counters.rejected == {(SOURCE, "broken_json"): 1}


def test_a_line_longer_than_any_is_refused_and_the_others_are_read(following: Following) -> None:
    (following.folder / "requests.jsonl").write_bytes(
        line("a") + b'{"prompt":"' + b"x" * (40 << 20) + b'"}\n' + line("b")
    )
    assert following.look() == ["a", "b"]
    assert following.counters.rejected.total() >= 1


def test_files_that_are_no_lines_are_read_when_they_are_complete(following: Following) -> None:
    row = {"request_id": "p", "time": datetime.now(UTC), "account_id": "a"}
    pq.write_table(pa.Table.from_pylist([row], schema=REQUESTS), following.folder / "requests.parquet")
    (following.folder / "requests.jsonl.gz").write_bytes(gzip.compress(line("z")))
    assert following.look() == []
    following.later = timedelta(minutes=1)
    assert sorted(following.look()) == ["p", "z"]
    assert following.look() == []
    following.restart()
    assert following.look() == []


def test_hidden_files_and_files_that_are_no_logs_are_passed_over(following: Following) -> None:
    (following.folder / ".hidden.jsonl").write_bytes(line("a"))
    (following.folder / "_SUCCESS").write_bytes(b"")
    (following.folder / "notes.txt").write_text("nothing to see")
    (following.folder / "other.jsonl").write_text('{"some": "thing"}\n{"other": "thing"}\n')
    following.later = timedelta(minutes=1)
    assert following.look() == []


@pytest.mark.parametrize("name", sorted(log_formats()))
def test_every_format_is_followed_or_passed_over_without_harm(following: Following, name: str) -> None:
    log_format = log_formats()[name]
    for example in log_format.get_examples():
        (following.folder / example.file_name).write_bytes(example.content)
    following.later = timedelta(minutes=1)
    found = following.look()
    wanted = [row["request_id"] for example in log_format.get_examples() for row in example.rows]
    assert sorted(found) == (sorted(wanted) if log_format.parse_half is None else sorted(found))


@settings(max_examples=25)
@given(steps=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 60)), max_size=30))
def test_however_a_file_is_written_and_the_node_restarted_each_line_is_read(
    steps: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    following = Following(tmp_path_factory.mktemp("follow"))
    path = following.folder / "requests.jsonl"
    names = [f"r{place}" for place in range(12)]
    rest = b"".join(line(name) for name in names)
    path.write_bytes(b"")
    for act, size in steps:
        if act == 0:
            with path.open("ab") as file:
                file.write(rest[:size])
            rest = rest[size:]
        elif act == 1:
            following.look()
        else:
            following.restart()
    with path.open("ab") as file:
        file.write(rest)
    os.utime(path)
    following.look()
    assert following.disk.ids == names


def test_offsets_that_cannot_be_read_are_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "followed.json").write_bytes(b"\xff{")
    assert Offsets(tmp_path / "followed.json").get("1:2") is None
