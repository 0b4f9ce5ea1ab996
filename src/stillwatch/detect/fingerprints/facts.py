"""The fingerprint stage: canonical requests in, facts out. No text leaves it.

A fact is one request as a row of small values. Facts are all that is kept of the logs; everything later is
computed from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detect.fingerprints import kernel
from stillwatch.detect.fingerprints.columns import Coded, hash_column, hash_rows, network_of, text_buffers

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _always(name: str, kind: pa.DataType) -> pa.Field:
    """Make a field that is never null, which takes less to write and to read."""
    return pa.field(name, kind, nullable=False)


FACTS: pa.Schema = pa.schema(
    [
        _always("request", pa.int64()),  # hash of the request id
        _always("time_us", pa.int64()),
        _always("day", pa.int32()),  # since 1970
        _always("hour", pa.int32()),  # since 1970
        _always("account_id", pa.string()),
        _always("account", pa.int64()),  # hash of the account id
        _always("content", pa.int64()),  # exact content of the prompt, 0 = no text
        _always("system", pa.int64()),  # exact content of the system instructions
        _always(
            "keys", pa.list_(_always("element", pa.int64()))
        ),  # template shingles; the lowest bit marks system instructions
        _always("elicitation", pa.uint32()),  # one bit for each kind
        _always("client", pa.int64()),  # TLS fingerprint and user agent
        _always("address", pa.int64()),
        _always("network", pa.int64()),
        pa.field("asn", pa.int32()),
        pa.field("country", pa.string()),
        _always("conversation", pa.int64()),
        _always("user", pa.int64()),
        _always("sampling", pa.int64()),
        pa.field("model", pa.string()),
        pa.field("surface", pa.string()),
        _always("input_tokens", pa.int32()),
        _always("output_tokens", pa.int32()),
        _always("reasoning_tokens", pa.int32()),
        pa.field("single_turn", pa.bool_()),
        _always("tools", pa.bool_()),
        _always("harvest", pa.bool_()),  # several choices or log-probabilities asked for
        _always("saturated", pa.bool_()),  # the answer ran into its token limit
        _always("failed", pa.bool_()),
        _always("limited", pa.bool_()),  # refused for its rate
        _always("text_tokens", pa.int32()),
    ]
)
"""One row per request, after fingerprinting."""

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
SINGLE_TURN_MESSAGES = 2  # system instructions and one user message
CLIENT_SEPARATOR = "\x1f"
TOO_MANY_REQUESTS = 429  # RFC 6585
FIRST_ERROR_STATUS = 400  # RFC 9110


class Matcher(Protocol):
    """What the fingerprint stage needs of the elicitation rules."""

    def match(
        self,
        prompt: pa.Array,
        system: pa.Array,
        choice_count: pa.Array | None = None,
        logprobs: pa.Array | None = None,
        top_logprobs: pa.Array | None = None,
    ) -> NDArray[np.uint32]:
        """Return one bit per kind for each request; the system text may be coded as a dictionary."""
        ...


@dataclass(frozen=True)
class Origins:
    """Where requests came from, each distinct value looked at once.

    Args:
        client: TLS fingerprint and user agent.
        address: The client's address.
        networks: `(n_distinct,)` string, the network of each address.
    """

    client: Coded
    address: Coded
    networks: pa.Array

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> Origins:
        """Find the distinct values of a batch."""
        tls, agent = Coded.of(batch.column("tls_ja4")), Coded.of(batch.column("user_agent"))
        address = Coded.of(batch.column("client_address"))
        networks = pa.array([network_of(one) for one in address.values.to_pylist()], pa.string())
        return cls(Coded.of_pairs(tls, agent, CLIENT_SEPARATOR), address, networks)


def fingerprint(batch: pa.RecordBatch, matcher: Matcher, origins: Origins | None = None) -> pa.RecordBatch:
    """Reduce one canonical batch to facts.

    Args:
        batch: Rows of `stillwatch.domain.requests.REQUESTS`.
        matcher: The elicitation rules.
        origins: Of the batch, where they were found before.

    Returns:
        Rows of `FACTS`, in the same order.
    """
    origins = origins or Origins.of(batch)
    rows = batch.num_rows
    prompt, system = batch.column("prompt"), batch.column("system_instructions").dictionary_encode()
    content, key_offsets, keys, sizes = kernel.fingerprint_texts(*text_buffers(prompt))
    system_content, system_offsets, system_keys = _system_fingerprints(system)
    merged = kernel.merge_keys(key_offsets, keys, system_offsets, system_keys)
    time_us = pc.cast(batch.column("time"), pa.int64()).to_numpy()
    choices, logprobs = batch.column("choice_count"), batch.column("logprobs")
    finish = batch.column("finish_reason")
    status = batch.column("status")
    messages = batch.column("message_count")
    columns = {
        "request": hash_column(batch.column("request_id")),
        "time_us": time_us,
        "day": (time_us // DAY_US).astype(np.int32),
        "hour": (time_us // HOUR_US).astype(np.int32),
        "account_id": batch.column("account_id"),
        "account": hash_column(batch.column("account_id")),
        "content": (content >> np.uint64(1)).astype(np.int64),
        "system": system_content,
        "keys": pa.ListArray.from_arrays(
            pa.array(merged[0], pa.int32()), pa.array(merged[1]), FACTS.field("keys").type
        ),
        "elicitation": matcher.match(prompt, system, choices, logprobs, batch.column("top_logprobs")),
        "client": origins.client.spread(hash_column(origins.client.values)),
        "address": origins.address.spread(hash_column(origins.address.values)),
        "network": origins.address.spread(hash_column(origins.networks)),
        "asn": batch.column("client_asn"),
        "country": batch.column("client_country"),
        "conversation": hash_column(batch.column("conversation_id")),
        "user": hash_column(batch.column("user_id")),
        "sampling": hash_rows([batch.column(name) for name in SAMPLING_COLUMNS]),
        "model": batch.column("model"),
        "surface": batch.column("surface"),
        "input_tokens": pc.fill_null(batch.column("input_tokens"), 0),
        "output_tokens": pc.fill_null(batch.column("output_tokens"), 0),
        "reasoning_tokens": pc.fill_null(batch.column("reasoning_tokens"), 0),
        "single_turn": pc.less_equal(messages, SINGLE_TURN_MESSAGES),
        "tools": pc.fill_null(pc.greater(batch.column("tool_count"), 0), False),
        "harvest": pc.or_(pc.fill_null(logprobs, False), pc.fill_null(pc.greater(choices, 1), False)),
        "saturated": pc.fill_null(pc.is_in(finish, pa.array(["length", "max_tokens"])), False),
        "failed": pc.fill_null(pc.greater_equal(status, FIRST_ERROR_STATUS), False),
        "limited": pc.fill_null(pc.equal(status, TOO_MANY_REQUESTS), False),
        "text_tokens": sizes,
    }
    arrays = [
        pa.array(columns[field.name], type=field.type, from_pandas=False)
        if isinstance(columns[field.name], np.ndarray)
        else columns[field.name]
        for field in FACTS
    ]
    facts = pa.RecordBatch.from_arrays(arrays, schema=FACTS)
    if facts.num_rows != rows:
        raise RuntimeError(f"fingerprinting {rows} rows gave {facts.num_rows}")
    return facts


SAMPLING_COLUMNS = (
    "temperature",
    "top_p",
    "choice_count",
    "max_tokens",
    "top_logprobs",
    "reasoning_effort",
    "response_format",
)


def _system_fingerprints(
    system: pa.DictionaryArray,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
    """Fingerprint each distinct system text once and spread the result over the rows."""
    content, offsets, keys, _ = kernel.fingerprint_texts(*text_buffers(system.dictionary))
    index = pc.fill_null(system.indices, -1).to_numpy(zero_copy_only=False)
    contents = np.append((content >> np.uint64(1)).astype(np.int64), np.int64(0))[index]
    row_offsets, row_keys = kernel.spread_keys(index, offsets, keys)
    return contents, row_offsets, row_keys
