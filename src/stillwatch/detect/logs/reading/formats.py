"""What a log format is, and how the formats are found."""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.admission import Admission
from stillwatch.detect.logs.reading.limits import ReadLimits
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rejected import Place, Reason, RejectedLog
from stillwatch.detect.logs.reading.summary import ReadSummary
from stillwatch.errors import InputError, UsageError

if TYPE_CHECKING:
    from stillwatch.detect.logs.reading.batch_jobs import Half

_SNIFFED_LINES = 20

MAP_HINT = "name your own columns with --columns, for example --columns account_id=org_id,time=created_at"
"""What to do about a file whose columns have other names."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a file, as far as they are needed to recognize it.

    Args:
        raw: The first decompressed bytes.
        columns_map: Own names of canonical columns, as the user gave them.
        records: The JSON objects among the first lines.
    """

    raw: bytes
    columns_map: Mapping[str, str] = field(default_factory=dict)
    records: tuple[dict[str, Any], ...] = ()

    def has(self, *names: str) -> bool:
        """Say whether one line holds all of these top-level fields."""
        if self.records:
            return any(all(name in record for name in names) for record in self.records)
        return all(f'"{name}"'.encode() in self.raw for name in names)


def head_of(raw: bytes, columns_map: Mapping[str, str]) -> Head:
    """Parse what can be parsed of the first lines."""
    records: list[dict[str, Any]] = []
    for line in raw.split(b"\n")[:_SNIFFED_LINES]:
        try:
            record = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return Head(raw, columns_map, tuple(records))


@dataclass(slots=True)
class Reading:
    """Everything a reader is given besides the file.

    Args:
        limits: What is believed.
        now: The moment of the scan.
        rejected: Where refusals go.
        summary: Where counts go.
        admission: Checks rows.
        columns_map: Own names of canonical columns, as the user gave them.
        partition: Canonical values that stand in the file's path, as in `account_id=acct_1/`.
        passed_over: Why files of a folder were left out; the first is the error if nothing else can be read.
    """

    limits: ReadLimits
    now: datetime
    rejected: RejectedLog
    summary: ReadSummary
    admission: Admission
    columns_map: Mapping[str, str]
    partition: Mapping[str, str] = field(default_factory=dict)
    passed_over: list[InputError] = field(default_factory=list)

    def refuse(
        self, place: Place, reason: Reason, *, column: str = "", detail: str = "", count: int = 1
    ) -> None:
        """Record a refusal and count it."""
        self.summary.rejected += count
        self.rejected.add(place, reason, column=column, detail=detail, count=count)


@dataclass(frozen=True, slots=True)
class Example:
    """A tiny made-up log, for contract tests and docs.

    Args:
        file_name: A usual name.
        content: The bytes.
        rows: The canonical rows that it must be read into, as far as they are not null.
    """

    file_name: str
    content: bytes
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class LogFormat:
    """One log format. A module of `stillwatch.detect.logs` with a `FORMAT` is found by being there.

    Args:
        name: What `--log-format` takes.
        title: For people.
        sniff: How sure the head makes it: 0 for no, the larger the surer.
        read: Yields canonical batches of admitted rows; refuses and counts the rest.
        get_examples: Small made-up logs.
        never: Canonical columns that the format cannot carry.
        approximate: What it carries with a loss, by canonical column, in plain sentences.
        parse_half: Instead of `read`, for questions and answers in separate files: turns a line into one of both.
    """

    name: str
    title: str
    sniff: Callable[[Head], float]
    get_examples: Callable[[], tuple[Example, ...]]
    read: Callable[[OpenedFile, Reading], Iterator[pa.RecordBatch]] | None = None
    never: Collection[str] = ()
    approximate: Mapping[str, str] = field(default_factory=dict)
    parse_half: "Callable[[bytes], Half] | None" = None


@cache
def log_formats() -> Mapping[str, LogFormat]:
    """Return every log format by name, in alphabetical order of the modules."""
    package = importlib.import_module("stillwatch.detect.logs")
    found: dict[str, LogFormat] = {}
    for module in pkgutil.iter_modules(package.__path__, "stillwatch.detect.logs."):
        if module.ispkg:
            continue
        log_format = getattr(importlib.import_module(module.name), "FORMAT", None)
        if isinstance(log_format, LogFormat):
            found[log_format.name] = log_format
    return found


def log_format_named(name: str) -> LogFormat:
    """Return the format that the user asked for.

    Raises:
        UsageError: There is none of that name.
    """
    formats = log_formats()
    if name not in formats:
        raise UsageError(f"unknown log format {name!r}", hint=f"known formats: {', '.join(formats)}")
    return formats[name]


def recognize(head: Head) -> LogFormat | None:
    """Return the format that fits the first bytes best, None when none fits."""
    scored = [(log_format.sniff(head), log_format) for log_format in log_formats().values()]
    best, log_format = max(scored, key=lambda pair: pair[0])
    return log_format if best > 0 else None
