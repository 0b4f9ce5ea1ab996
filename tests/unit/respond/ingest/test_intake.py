"""Every delivery gets its own receipt, and only for what is on disk."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from stillwatch.detect.logs.reading.rejected import Reason
from stillwatch.detect.logs.reading.rows import Row
from stillwatch.domain.requests import REQUESTS
from stillwatch.errors import OverloadedError, SpoolFullError
from stillwatch.respond.ingest.counters import IngestCounters
from stillwatch.respond.ingest.intake import Intake
from stillwatch.respond.ingest.received import Delivery, Receipt, Refused

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Slow:
    """A disk that takes nothing before it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.taken: list[str] = []
        self.writes = 0
        self.failure: Exception | None = None

    def append(self, records: Sequence[bytes]) -> None:
        assert self.go.wait(30)
        if self.failure is not None:
            raise self.failure
        self.writes += 1
        for record in records:
            batch = pa.ipc.read_record_batch(pa.py_buffer(record[8:]), REQUESTS)
            self.taken += batch.column("request_id").to_pylist()


@pytest.fixture
def disk() -> Slow:
    return Slow()


@pytest.fixture
def intake(disk: Slow) -> Iterator[Intake]:
    made = Intake(disk, lambda: NOW, IngestCounters(), max_waiting_bytes=1_000)
    yield made
    disk.go.set()
    made.close()


def delivery(*names: str, size_bytes: int = 10, **more: object) -> Delivery:
    rows = [Row(request_id=name, time=NOW.isoformat(), account_id="a", **more) for name in names]
    return Delivery("test", rows, list(range(1, len(rows) + 1)), size_bytes=size_bytes)


def test_a_receipt_comes_after_the_disk_has_it(disk: Slow, intake: Intake) -> None:
    receipt = intake.submit(delivery("a", "b"))
    assert not receipt.done()
    disk.go.set()
    assert receipt.result(30) == Receipt(2)
    assert disk.taken == ["a", "b"]


def test_what_waits_is_written_together(disk: Slow, intake: Intake) -> None:
    receipts = [intake.submit(delivery(f"r{place}")) for place in range(20)]
    disk.go.set()
    assert [receipt.result(30).accepted for receipt in receipts] == [1] * 20
    assert disk.writes <= 2
    assert disk.taken == [f"r{place}" for place in range(20)]


def test_each_sender_is_told_about_its_own_lines(disk: Slow, intake: Intake) -> None:
    bad = delivery("c", "d")
    bad.rows[1].account_id = None
    bad.lines = [4, 7]
    bad.refused = [Refused(5, Reason.BROKEN_JSON)]
    receipts = [intake.submit(each) for each in (delivery("a"), bad, delivery("e"))]
    disk.go.set()
    first, second, third = (receipt.result(30) for receipt in receipts)
    assert (first, third) == (Receipt(1), Receipt(1))
    assert second == Receipt(
        1, (Refused(5, Reason.BROKEN_JSON), Refused(7, Reason.MISSING_FIELD, "account_id"))
    )
    assert disk.taken == ["a", "c", "e"]


def test_a_full_disk_fails_those_that_were_not_written_and_no_others(disk: Slow, intake: Intake) -> None:
    disk.failure = SpoolFullError("full")
    lost = intake.submit(delivery("a"))
    disk.go.set()
    with pytest.raises(SpoolFullError):
        lost.result(30)
    disk.failure = None
    assert intake.submit(delivery("b")).result(30) == Receipt(1)


def test_a_bug_reaches_the_sender_and_the_thread_goes_on(disk: Slow, intake: Intake) -> None:
    disk.go.set()
    disk.failure = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        intake.submit(delivery("a")).result(30)
    disk.failure = None
    assert intake.submit(delivery("b")).result(30) == Receipt(1)


def test_a_sender_who_goes_away_disturbs_nobody(disk: Slow, intake: Intake) -> None:
    async def impatient() -> None:
        waiting = asyncio.wrap_future(intake.submit(delivery("a")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting, 0.05)

    asyncio.run(impatient())
    disk.go.set()
    assert intake.submit(delivery("b")).result(30) == Receipt(1)
    assert disk.taken == ["a", "b"]


def test_too_much_at_once_is_turned_away(disk: Slow, intake: Intake) -> None:
    taken: list[Future[Receipt]] = [intake.submit(delivery("first", size_bytes=1_000))]
    while True:  # the first one may be in the hands of the disk already
        try:
            taken.append(intake.submit(delivery(f"r{len(taken)}", size_bytes=400)))
        except OverloadedError:
            break
    assert len(taken) <= 5
    disk.go.set()
    assert [receipt.result(30).accepted for receipt in taken] == [1] * len(taken)


def test_stopping_finishes_what_was_taken_and_takes_nothing_more(disk: Slow, intake: Intake) -> None:
    receipt = intake.submit(delivery("a"))
    disk.go.set()
    intake.close()
    assert receipt.result(0) == Receipt(1)
    with pytest.raises(OverloadedError, match="stopping"):
        intake.submit(delivery("b"))


@settings(max_examples=30)
@given(sizes=st.lists(st.lists(st.booleans(), max_size=5), min_size=1, max_size=30))
def test_every_good_line_is_written_once_and_counted_once(sizes: list[list[bool]]) -> None:
    disk, counters = Slow(), IngestCounters()
    disk.go.set()
    made = Intake(disk, lambda: NOW, counters)
    deliveries = []
    for number, goods in enumerate(sizes):
        one = delivery(*(f"{number}-{place}" for place in range(len(goods))))
        for row, good in zip(one.rows, goods, strict=True):
            row.account_id = "a" if good else None
        deliveries.append(one)
    receipts = [made.submit(one).result(30) for one in deliveries]
    made.close()
    assert [receipt.accepted for receipt in receipts] == [sum(goods) for goods in sizes]
    assert len(disk.taken) == len(set(disk.taken)) == sum(map(sum, sizes)) == counters.accepted["test"]
