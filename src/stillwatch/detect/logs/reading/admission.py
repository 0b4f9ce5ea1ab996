"""Which rows of a batch are let in, and why the others are not."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detect.logs.reading.columns import coerce, column_of
from stillwatch.detect.logs.reading.limits import ReadLimits
from stillwatch.detect.logs.reading.rejected import Reason
from stillwatch.detect.logs.reading.times import micros_of
from stillwatch.domain.requests import REQUESTS, REQUIRED_REQUEST_COLUMNS, TEXT_COLUMNS


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row that is not let in."""

    index: int
    reason: Reason
    column: str


class Admission:
    """Turns columns of any type into canonical batches and refuses what cannot be right.

    Args:
        limits: What is believed.
        now: The moment of the scan; nothing happens much later.
        wanted: Canonical columns to fill; the others stay null. None fills all.
    """

    def __init__(self, limits: ReadLimits, now: datetime, wanted: Collection[str] | None = None) -> None:
        self.limits = limits
        self._earliest = micros_of(limits.earliest)
        self._latest = micros_of(now + limits.future_tolerance)
        keep = set(REQUESTS.names) if wanted is None else set(wanted) | set(REQUIRED_REQUEST_COLUMNS)
        self.wanted = tuple(name for name in REQUESTS.names if name in keep)

    def admit(
        self, columns: Mapping[str, pa.Array | Sequence[Any]], row_count: int
    ) -> tuple[pa.RecordBatch, list[Refusal]]:
        """Check every row once.

        Args:
            columns: By canonical name, `(row_count,)` arrays or lists of any type. Absent ones are null.
            row_count: Rows in the batch.

        Returns:
            The rows that are let in, in order, as a canonical batch, and one refusal for each of the others.
        """
        arrays: list[pa.Array] = []
        refused: dict[int, Refusal] = {}
        for field in REQUESTS:
            values = columns.get(field.name) if field.name in self.wanted else None
            arrays.append(self._canonical(values, field, row_count, refused))
        batch = pa.RecordBatch.from_arrays(arrays, schema=REQUESTS)
        for name, check in self._checks():
            if columns.get(name) is not None or name in REQUIRED_REQUEST_COLUMNS:
                check(batch.column(name), name, refused)
        return self._without(batch, refused), [refused[index] for index in sorted(refused)]

    def _canonical(
        self,
        values: pa.Array | Sequence[Any] | None,
        field: pa.Field,
        row_count: int,
        refused: dict[int, Refusal],
    ) -> pa.Array:
        """Bring one column to its canonical type."""
        if values is None:
            return pa.nulls(row_count, field.type)
        array, problems = coerce(values, field) if isinstance(values, pa.Array) else column_of(values, field)
        for index, reason in problems:
            refused.setdefault(index, Refusal(index, reason, field.name))
        return array

    def _checks(self) -> list[tuple[str, Callable[[pa.Array, str, dict[int, Refusal]], None]]]:
        """List the checks that a row must pass beyond its types."""
        return [
            ("request_id", self._check_present),
            ("account_id", self._check_present),
            ("time", self._check_time),
            *((name, self._check_length) for name in TEXT_COLUMNS),
        ]

    def _check_present(self, array: pa.Array, name: str, refused: dict[int, Refusal]) -> None:
        """Refuse rows without a required text; an empty one names nobody."""
        lengths = pc.binary_length(array)
        if array.null_count == 0 and (pc.min(lengths).as_py() or 0) > 0:
            return
        _refuse(pc.fill_null(pc.equal(lengths, 0), True), Reason.MISSING_FIELD, name, refused)

    def _check_time(self, array: pa.Array, name: str, refused: dict[int, Refusal]) -> None:
        """Refuse rows without a time and with one that no request can have."""
        micros = array.view(pa.int64())
        span = pc.min_max(micros).as_py()
        if array.null_count:
            _refuse(pc.is_null(array), Reason.MISSING_FIELD, name, refused)
        if span["max"] is not None and span["max"] > self._latest:
            _refuse(pc.greater(micros, self._latest), Reason.TIME_IN_FUTURE, name, refused)
        if span["min"] is not None and span["min"] < self._earliest:
            _refuse(pc.less(micros, self._earliest), Reason.TIME_TOO_EARLY, name, refused)

    def _check_length(self, array: pa.Array, name: str, refused: dict[int, Refusal]) -> None:
        """Refuse texts that no model would have read."""
        lengths = pc.binary_length(array)
        if (pc.max(lengths).as_py() or 0) > self.limits.max_prompt_bytes:
            _refuse(pc.greater(lengths, self.limits.max_prompt_bytes), Reason.TEXT_TOO_LONG, name, refused)

    def _without(self, batch: pa.RecordBatch, refused: Collection[int]) -> pa.RecordBatch:
        """Drop the refused rows."""
        if not refused:
            return batch
        keep = np.ones(batch.num_rows, dtype=bool)
        keep[list(refused)] = False
        return batch.filter(pa.array(keep))


def _refuse(mask: pa.Array, reason: Reason, column: str, refused: dict[int, Refusal]) -> None:
    """Note every row that the mask marks, unless it was refused already."""
    for index in pc.indices_nonzero(mask).to_pylist():
        refused.setdefault(index, Refusal(index, reason, column))
