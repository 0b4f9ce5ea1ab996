"""The bounds within which a log is believed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much of a log is taken at its word, and how much memory reading may use.

    Args:
        max_prompt_bytes: Longest prompt or system text of one request, in bytes of UTF-8.
        max_line_bytes: Longest line of a text format, in bytes. A longer one is dropped while it streams past.
        earliest: A request before this instant is a broken clock; hosted model APIs are younger.
        future_tolerance: How far a clock may run ahead of the scan.
        batch_rows: Most rows in one yielded batch.
        batch_bytes: Most bytes of text gathered before a batch is yielded.
        max_joined_rows: Most batch-job answers held in memory while they wait for their questions.
    """

    max_prompt_bytes: int = 1 << 20
    max_line_bytes: int = 64 << 20
    earliest: datetime = datetime(2015, 1, 1, tzinfo=UTC)
    future_tolerance: timedelta = timedelta(days=1)
    batch_rows: int = 131_072
    batch_bytes: int = 128 << 20
    max_joined_rows: int = 2_000_000
