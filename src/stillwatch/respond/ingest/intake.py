"""The way in: deliveries are checked and put on disk together, and each sender gets a receipt of its own.

One thread does the work. While it waits for the disk, further deliveries gather; the next write takes all of them,
so that many small senders cost hardly more than one large one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from stillwatch.detect.logs.reading.admission import Admission, Refusal
from stillwatch.detect.logs.reading.limits import ReadLimits
from stillwatch.detect.logs.reading.rows import Row, columns_of
from stillwatch.errors import OverloadedError, StillwatchError
from stillwatch.respond.ingest.counters import IngestCounters
from stillwatch.respond.ingest.received import Delivery, Receipt, Refused
from stillwatch.respond.ingest.segment import encoded

MAX_GROUP_ROWS: Final = 4_096  # checked and written at once; about ten milliseconds
_LIMITS: Final = ReadLimits()


class Disk(Protocol):
    """Where records go; the spool."""

    def append(self, records: Sequence[bytes]) -> None:
        """Write records and return when they are on the disk."""
        ...


@dataclass(slots=True)
class _Waiting:
    """A delivery and whoever waits for its receipt."""

    delivery: Delivery
    receipt: Future[Receipt]


class Intake:
    """Checks deliveries and spools them.

    Args:
        disk: Where accepted requests go.
        clock: Tells the time; a request may not come from much later.
        counters: What is counted.
        max_waiting_bytes: Bodies held in memory at once; further ones are refused until there is room.
    """

    def __init__(
        self,
        disk: Disk,
        clock: Callable[[], datetime],
        counters: IngestCounters,
        *,
        max_waiting_bytes: int = 256 << 20,
    ) -> None:
        """Start the thread."""
        self._disk = disk
        self._clock = clock
        self._counters = counters
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def submit(self, delivery: Delivery) -> Future[Receipt]:
        """Hand a delivery in.

        Returns:
            Its receipt, as soon as its requests are on disk. Fails with `SpoolFullError` if they cannot be.

        Raises:
            OverloadedError: Too much waits already, or the node is stopping.
        """
        receipt: Future[Receipt] = Future()
        receipt.set_running_or_notify_cancel()  # a sender who goes away cannot take back what is being written
        with self._changed:
            if self._closed:
                raise OverloadedError("the node is stopping")
            if self._waiting and self._waiting_bytes + delivery.size_bytes > self._max_waiting_bytes:
                self._counters.overloads += 1
                raise OverloadedError("too many requests wait for the disk")
            self._waiting_bytes += delivery.size_bytes
            self._waiting.append(_Waiting(delivery, receipt))
            self._changed.notify()
        return receipt

    def close(self) -> None:
        """Finish what was handed in, then stop."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                group = self._next_group()
            try:
                receipts = self._store(group)
            except StillwatchError as error:
                self._fail(group, error)
            except BaseException as error:  # noqa: BLE001 - a bug must reach the senders, not end the thread in silence
                self._fail(group, error)
            else:
                for one, receipt in zip(group, receipts, strict=True):
                    one.receipt.set_result(receipt)
            with self._changed:
                self._waiting_bytes -= sum(one.delivery.size_bytes for one in group)

    def _next_group(self) -> list[_Waiting]:
        """Take as many deliveries as make one good write; a larger one goes alone."""
        group = [self._waiting.popleft()]
        rows = len(group[0].delivery.rows)
        while self._waiting and rows + len(self._waiting[0].delivery.rows) <= MAX_GROUP_ROWS:
            group.append(self._waiting.popleft())
            rows += len(group[-1].delivery.rows)
        return group

    def _fail(self, group: list[_Waiting], error: BaseException) -> None:
        self._counters.storage_failures += len(group)
        for one in group:
            one.receipt.set_exception(error)

    def _store(self, group: list[_Waiting]) -> list[Receipt]:
        """Check a group's requests and write them in one go."""
        admission = Admission(_LIMITS, self._clock())
        rows = [row for one in group for row in one.delivery.rows]
        records, refusals = [], []
        for start in range(0, len(rows), MAX_GROUP_ROWS):
            part = rows[start : start + MAX_GROUP_ROWS]
            record, refused = _admitted(admission, part)
            refusals += [(start + one.index, one) for one in refused]
            if record:
                records.append(record)
        if records:
            self._disk.append(records)
        return self._receipts(group, refusals)

    def _receipts(self, group: list[_Waiting], refusals: list[tuple[int, Refusal]]) -> list[Receipt]:
        """Tell each sender about its own requests."""
        receipts = []
        place, start = 0, 0
        for one in group:
            delivery, end = one.delivery, start + len(one.delivery.rows)
            own = list(delivery.refused)
            while place < len(refusals) and refusals[place][0] < end:
                index, refusal = refusals[place]
                own.append(Refused(delivery.lines[index - start], refusal.reason, refusal.column))
                place += 1
            own.sort(key=lambda each: each.line)
            accepted = len(delivery.rows) - (len(own) - len(delivery.refused))
            self._counters.count(delivery.source, accepted, own, delivery.ignored)
            receipts.append(Receipt(accepted, tuple(own), delivery.ignored))
            start = end
        return receipts


def _admitted(admission: Admission, rows: list[Row]) -> tuple[bytes, list[Refusal]]:
    """Return the record of those rows that are let in, empty if none is, and the refusals."""
    batch, refusals = admission.admit(columns_of(rows, {}), len(rows))
    return (encoded(batch) if batch.num_rows else b""), refusals
