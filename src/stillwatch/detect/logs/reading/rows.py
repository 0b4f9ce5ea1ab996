"""One request as a reader of JSON gathers it, and batches of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.formats import Reading
from stillwatch.detect.logs.reading.rejected import Place

_ROWS_PER_BATCH = 32_768  # Python objects of one batch stay below about 100 MB


class Row(msgspec.Struct, gc=False):
    """One request with the canonical names, as loosely typed as logs are. The admission checks it."""

    request_id: Any = None
    time: Any = None
    account_id: Any = None
    api_key_id: Any = None
    user_id: Any = None
    conversation_id: Any = None
    client_address: Any = None
    client_asn: Any = None
    client_country: Any = None
    tls_ja4: Any = None
    user_agent: Any = None
    surface: Any = None
    model: Any = None
    operation: Any = None
    system_instructions: Any = None
    prompt: Any = None
    message_count: Any = None
    tool_count: Any = None
    temperature: Any = None
    top_p: Any = None
    choice_count: Any = None
    max_tokens: Any = None
    logprobs: Any = None
    top_logprobs: Any = None
    stream: Any = None
    reasoning_effort: Any = None
    response_format: Any = None
    input_tokens: Any = None
    output_tokens: Any = None
    reasoning_tokens: Any = None
    finish_reason: Any = None
    status: Any = None
    latency_ms: Any = None


@dataclass(slots=True)
class RowBatches:
    """Gathers rows and makes canonical batches of those that are let in.

    Args:
        reading: What the reader was given.
        file: The file, for the log of what is refused.
    """

    reading: Reading
    file: str
    _rows: list[Row] = field(default_factory=list)
    _numbers: list[int] = field(default_factory=list)
    _items: dict[int, int] = field(default_factory=dict)
    _bytes: int = 0
    _most_rows: int = 0

    def __post_init__(self) -> None:
        """Settle how many rows make a batch."""
        self._most_rows = min(self.reading.limits.batch_rows, _ROWS_PER_BATCH)

    def add(self, row: Row, number: int, size_bytes: int, item: int | None = None) -> bool:
        """Take one row.

        Args:
            row: The request.
            number: Its line.
            size_bytes: At least the bytes of its texts.
            item: Which of several requests in that line, from 1.

        Returns:
            Whether enough is gathered for a batch.
        """
        if item is not None:
            self._items[len(self._rows)] = item
        self._rows.append(row)
        self._numbers.append(number)
        self._bytes += size_bytes
        return len(self._rows) >= self._most_rows or self._bytes >= self.reading.limits.batch_bytes

    def flush(self) -> pa.RecordBatch:
        """Return what is gathered, without what is refused."""
        columns = columns_of(self._rows, self.reading.partition)
        batch, refusals = self.reading.admission.admit(columns, len(self._rows))
        for refusal in refusals:
            number, item = self._numbers[refusal.index], self._items.get(refusal.index)
            self.reading.refuse(Place(self.file, number, item=item), refusal.reason, column=refusal.column)
        self._rows, self._numbers, self._items, self._bytes = [], [], {}, 0
        return batch


def columns_of(rows: list[Row], partition: Mapping[str, str]) -> dict[str, tuple[Any, ...]]:
    """Turn rows into columns, with what the file's path says where the rows say nothing."""
    if not rows:
        return {}
    columns = dict(
        zip(Row.__struct_fields__, zip(*map(msgspec.structs.astuple, rows), strict=True), strict=True)
    )
    for name, value in partition.items():
        columns[name] = tuple(value if each is None else each for each in columns[name])
    return columns
