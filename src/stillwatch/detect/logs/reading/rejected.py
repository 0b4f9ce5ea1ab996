"""The log of everything that could not be read: bad input never stops a run and never vanishes."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from stillwatch.errors import OutputError


class Reason(StrEnum):
    """Why a line, a row or a whole file was refused."""

    BROKEN_JSON = "broken_json"
    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    INVALID_UTF8 = "invalid_utf8"
    OUT_OF_RANGE = "out_of_range"
    BAD_TIME = "bad_time"
    TIME_IN_FUTURE = "time_in_future"
    TIME_TOO_EARLY = "time_too_early"
    TEXT_TOO_LONG = "text_too_long"
    LINE_TOO_LONG = "line_too_long"
    TOO_DEEP = "too_deep"
    WRONG_FIELD_COUNT = "wrong_field_count"
    BROKEN_CSV = "broken_csv"
    TRUNCATED = "truncated"
    BROKEN_COMPRESSION = "broken_compression"
    BROKEN_PARQUET = "broken_parquet"
    UNREADABLE = "unreadable"
    NOT_A_LOG = "not_a_log"


SENTENCES = {
    Reason.BROKEN_JSON: "the line is not complete, valid JSON",
    Reason.WRONG_TYPE: "the value has the wrong type",
    Reason.MISSING_FIELD: "a required field is missing",
    Reason.INVALID_UTF8: "the text is not valid UTF-8",
    Reason.OUT_OF_RANGE: "the number is negative, infinite or too large",
    Reason.BAD_TIME: "the time cannot be understood",
    Reason.TIME_IN_FUTURE: "the time lies in the future",
    Reason.TIME_TOO_EARLY: "the time lies before hosted model APIs existed",
    Reason.TEXT_TOO_LONG: "the text is longer than max_prompt_bytes",
    Reason.LINE_TOO_LONG: "the line is longer than max_line_bytes",
    Reason.TOO_DEEP: "the JSON is nested too deeply",
    Reason.WRONG_FIELD_COUNT: "the row has another number of fields than the header",
    Reason.BROKEN_CSV: "the quoting of the row is broken",
    Reason.TRUNCATED: "the compressed file ends in the middle; what came before was read",
    Reason.BROKEN_COMPRESSION: "the compressed file is damaged; what came before was read",
    Reason.BROKEN_PARQUET: "the Parquet file is damaged",
    Reason.UNREADABLE: "the file cannot be read",
    Reason.NOT_A_LOG: "the file is no request log in a known format",
}
"""One plain sentence per reason. Never holds a value from the log."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stood.

    Args:
        file: The file, as the user would name it; `-` for standard input.
        number: Line or row number, from 1; None for the file as a whole.
        unit: What `number` counts.
        item: Which of several requests inside one line, from 1.
    """

    file: str
    number: int | None = None
    unit: str = "line"
    item: int | None = None


@dataclass(slots=True)
class _Entry:
    """One entry that may still grow by the rows that follow it."""

    place: Place
    reason: Reason
    column: str
    detail: str
    count: int

    def absorbs(self, other: "_Entry") -> bool:
        """Say whether `other` is the next row, refused for the same reason."""
        mine, its = self.place, other.place
        return (
            mine.number is not None
            and its.number == mine.number + self.count
            and (its.file, its.unit, its.item) == (mine.file, mine.unit, None)
            and (other.reason, other.column, other.detail) == (self.reason, self.column, self.detail)
            and mine.item is None
        )


class RejectedLog:
    """Writes what was refused as JSON lines, and counts it.

    Memory stays bounded: entries go to a temporary file at once, neighbors with one reason share an entry, and
    the file takes its final name only when it is closed.

    Args:
        path: Where the log goes. None counts without writing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.total = 0
        self.by_reason: Counter[str] = Counter()
        self.by_file: Counter[str] = Counter()
        self._pending: _Entry | None = None
        self._encoder = msgspec.json.Encoder()
        self._partial = path.with_name(path.name + ".part") if path else None
        self._file: BinaryIO | None = self._open()

    def add(
        self, place: Place, reason: Reason, *, column: str = "", detail: str = "", count: int = 1
    ) -> None:
        """Record one refusal.

        Args:
            place: Where it stood.
            reason: Why it was refused.
            column: Canonical column or field path that is at fault.
            detail: What the parser said. Must not hold a value from the log.
            count: Rows or lines that this stands for, from `place` on.
        """
        self.total += count
        self.by_reason[reason.value] += count
        self.by_file[place.file] += count
        entry = _Entry(place, reason, column, detail, count)
        if self._pending is not None and self._pending.absorbs(entry):
            self._pending.count += count
            return
        self._write_pending()
        self._pending = entry

    def close(self) -> None:
        """Finish the log and give it its final name."""
        self._write_pending()
        if self._file is None or self._partial is None or self.path is None:
            return
        try:
            self._file.close()
            self._partial.replace(self.path)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}") from error
        self._file = None

    def __enter__(self) -> Self:
        """Return the log itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the log, also when the run failed: it then says why."""
        self.close()

    def _open(self) -> BinaryIO | None:
        """Open the temporary file beside the final one, so that renaming stays on one disk."""
        if self._partial is None:
            return None
        try:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            return self._partial.open("wb")
        except OSError as error:
            raise OutputError(f"{self._partial} cannot be written: {error.strerror}") from error

    def _write_pending(self) -> None:
        """Write the entry that can grow no further."""
        entry, self._pending = self._pending, None
        if entry is None or self._file is None:
            return
        record: dict[str, object] = {"file": entry.place.file}
        if entry.place.number is not None:
            record[entry.place.unit] = entry.place.number
        if entry.place.item is not None:
            record["item"] = entry.place.item
        record["count"] = entry.count
        record["reason"] = entry.reason.value
        if entry.column:
            record["column"] = entry.column
        record["sentence"] = _sentence(entry)
        try:
            self._file.write(self._encoder.encode(record) + b"\n")
        except OSError as error:
            raise OutputError(f"{self._partial} cannot be written: {error.strerror}") from error


def _sentence(entry: _Entry) -> str:
    """Say why in one plain sentence."""
    subject = f"{entry.column}: " if entry.column else ""
    tail = f" ({entry.detail})" if entry.detail else ""
    return f"{subject}{SENTENCES[entry.reason]}{tail}"
