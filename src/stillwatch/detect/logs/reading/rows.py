"""One request as a reader of JSON gathers it, and batches of them."""

from collections.abc import Iterator, Mapping
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
    """Gathers rows and yields canonical batches of those that are let in.

    Args:
        reading: What the reader was given.
    """

    reading: Reading
    _rows: list[Row] = field(default_factory=list)
    _places: list[Place] = field(default_factory=list)
    _bytes: int = 0

    def add(self, row: Row, place: Place, size_bytes: int) -> Iterator[pa.RecordBatch]:
        """Take one row; yield a batch when enough are gathered.

        Args:
            row: The request.
            place: Where it stood.
            size_bytes: At least the bytes of its texts.
        """
        self._rows.append(row)
        self._places.append(place)
        self._bytes += size_bytes
        limits = self.reading.limits
        if len(self._rows) >= min(limits.batch_rows, _ROWS_PER_BATCH) or self._bytes >= limits.batch_bytes:
            yield from self.flush()

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Yield what is gathered."""
        if not self._rows:
            return
        columns = columns_of(self._rows, self.reading.partition)
        batch, refusals = self.reading.admission.admit(columns, len(self._rows))
        for refusal in refusals:
            self.reading.refuse(self._places[refusal.index], refusal.reason, column=refusal.column)
        self._rows, self._places, self._bytes = [], [], 0
        yield batch


def columns_of(rows: list[Row], partition: Mapping[str, str]) -> dict[str, tuple[Any, ...]]:
    """Turn rows into columns, with what the file's path says where the rows say nothing."""
    columns = dict(
        zip(Row.__struct_fields__, zip(*map(msgspec.structs.astuple, rows), strict=True), strict=True)
    )
    for name, value in partition.items():
        columns[name] = tuple(value if each is None else each for each in columns[name])
    return columns
