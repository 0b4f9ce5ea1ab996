"""What the spool has taken is on disk, whatever happens next."""

import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.unit.respond.ingest.test_segment import batch_of, ids_in

from stillwatch.errors import SpoolError, SpoolFullError
from stillwatch.respond.ingest.segment import encoded, header
from stillwatch.respond.ingest.spool import Spool


def all_ids(segments: list[Path]) -> list[str]:
    return [name for segment in segments for name in ids_in(segment)]


def test_what_was_appended_is_in_the_sealed_segments(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([encoded(batch_of("a")), encoded(batch_of("b"))])
    spool.append([encoded(batch_of("c"))])
    assert all_ids(spool.rotate()) == ["a", "b", "c"]


def test_nothing_new_seals_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.rotate() == []
    spool.append([encoded(batch_of("a"))])
    assert len(spool.rotate()) == 1
    assert len(spool.rotate()) == 1


def test_a_full_segment_is_sealed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=len(header()) + 1)
    for name in "abc":
        spool.append([encoded(batch_of(name))])
    assert len(list(tmp_path.glob("*.seg"))) == 3
    assert all_ids(spool.rotate()) == ["a", "b", "c"]


def test_prompts_on_disk_are_for_their_owner_only(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append([encoded(batch_of("a"))])
    [path] = spool.rotate()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_torn_tail_is_cut_off_at_the_next_start(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([encoded(batch_of("a"))])
    [path] = tmp_path.glob("*.open")
    with path.open("ab") as file:
        file.write(encoded(batch_of("b"))[:-3])
    again = Spool(tmp_path)
    again.append([encoded(batch_of("c"))])
    assert all_ids(again.rotate()) == ["a", "c"]


def test_a_segment_with_nothing_but_a_torn_header_goes(tmp_path: Path) -> None:
    (tmp_path / "0000000000000004.open").write_bytes(header()[:20])
    spool = Spool(tmp_path)
    assert list(tmp_path.iterdir()) == []
    spool.append([encoded(batch_of("a"))])
    assert all_ids(spool.rotate()) == ["a"]


def test_names_go_on_after_those_that_are_there(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.append([encoded(batch_of("a"))])
    first.close()
    second = Spool(tmp_path)
    second.append([encoded(batch_of("b"))])
    assert all_ids(second.rotate()) == ["a", "b"]


def test_a_full_spool_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    record = encoded(batch_of("a"))
    spool = Spool(tmp_path, max_bytes=len(header()) + 2 * len(record))
    spool.append([record])
    with pytest.raises(SpoolFullError) as caught:
        spool.append([encoded(batch_of("b"))] * 3)
    assert caught.value.status == 507
    assert all_ids(spool.rotate()) == ["a"]


def test_a_spool_that_was_read_has_room_again(tmp_path: Path) -> None:
    record = encoded(batch_of("a"))
    spool = Spool(tmp_path, max_bytes=len(header()) + len(record) + 10)
    spool.append([record])
    with pytest.raises(SpoolFullError):
        spool.append([record])
    for segment in spool.rotate():
        segment.unlink()
    spool.append([record])
    assert all_ids(spool.rotate()) == ["a"]


def test_nothing_is_taken_when_the_disk_is_almost_full(tmp_path: Path) -> None:
    spool = Spool(tmp_path, min_free_bytes=1 << 60)
    with pytest.raises(SpoolFullError):
        spool.append([encoded(batch_of("a"))])
    assert list(tmp_path.iterdir()) == []


@contextmanager
def files_no_longer_than(size_bytes: int) -> Iterator[None]:
    """Let the kernel refuse longer files, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_the_disk_refuses_halfway_leaves_nothing_half_written(tmp_path: Path) -> None:
    record = encoded(batch_of(*(f"r{place}" for place in range(200))))
    spool = Spool(tmp_path)
    spool.append([encoded(batch_of("a"))])
    size = next(tmp_path.glob("*.open")).stat().st_size
    with files_no_longer_than(size + len(record) // 2), pytest.raises(SpoolFullError):
        spool.append([record])
    assert [path.stat().st_size for path in tmp_path.glob("*.seg")] == [size]
    spool.append([encoded(batch_of("b"))])
    assert all_ids(spool.rotate()) == ["a", "b"]


def test_a_disk_that_refuses_even_a_new_segment_is_asked_again_later(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with files_no_longer_than(10), pytest.raises(SpoolFullError):
        spool.append([encoded(batch_of("a"))])
    spool.append([encoded(batch_of("b"))])
    assert all_ids(spool.rotate()) == ["b"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="cannot be used"):
        Spool(tmp_path / "file" / "spool")


def test_the_size_counts_what_is_not_yet_read(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.size_bytes == 0
    spool.append([encoded(batch_of("a"))])
    held = spool.size_bytes
    assert held == sum(path.stat().st_size for path in tmp_path.iterdir())
