"""Run the fingerprint stage over batches, on several threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detect.fingerprints.columns import joined, network_of
from stillwatch.detect.fingerprints.exemplars import NAMES, template_names, value_names
from stillwatch.detect.fingerprints.facts import Matcher, fingerprint


def fingerprinted(
    batches: Iterable[pa.RecordBatch], matcher: Matcher, *, threads: int
) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
    """Reduce batches to facts and names; at most two batches more than there are threads are held at a time.

    Args:
        batches: Canonical batches.
        matcher: The elicitation rules.
        threads: Worker threads; the compiled parts release the interpreter lock.

    Yields:
        Facts (`FACTS`) and names (`NAMES`) of each batch, in order.
    """
    waiting: deque[Future[tuple[pa.RecordBatch, pa.Table]]] = deque()
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="fingerprint") as pool:
        for batch in batches:
            waiting.append(pool.submit(_reduce, batch, matcher))
            if len(waiting) > threads + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _reduce(batch: pa.RecordBatch, matcher: Matcher) -> tuple[pa.RecordBatch, pa.Table]:
    facts = fingerprint(batch, matcher)
    clients = joined([batch.column("tls_ja4"), batch.column("user_agent")])
    clients = pc.replace_substring(clients, "\x1f", " ")
    networks = _networks(batch.column("client_address"))
    names = pa.concat_tables(
        [
            value_names("client", facts.column("client").to_numpy(), clients),
            value_names("network", facts.column("network").to_numpy(), networks),
            template_names(batch.column("prompt"), batch.column("account_id"), facts.column("keys")),
        ]
    )
    return facts, names.cast(NAMES)


def _networks(addresses: pa.Array) -> pa.Array:
    encoded = addresses.dictionary_encode()
    named = pa.array([network_of(one) for one in encoded.dictionary.to_pylist()], pa.string())
    return named.take(encoded.indices)
