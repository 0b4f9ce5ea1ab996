"""Run the fingerprint stage over batches, on several threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detect.fingerprints.exemplars import NAMES, template_names, value_names
from stillwatch.detect.fingerprints.facts import CLIENT_SEPARATOR, Matcher, Origins, fingerprint


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
    origins = Origins.of(batch)
    facts = fingerprint(batch, matcher, origins)
    content = facts.column("content").to_numpy()
    names = pa.concat_tables(
        [
            value_names("client", origins.client, origins.client.values),
            value_names("network", origins.address, origins.networks),
            template_names(batch.column("prompt"), batch.column("account_id"), content, facts.column("keys")),
        ]
    )
    return facts, _readable(names)


def _readable(names: pa.Table) -> pa.Table:
    """Show a space where the parts of a client are kept apart."""
    text = pc.replace_substring(names["text"], CLIENT_SEPARATOR, " ")
    return names.set_column(names.schema.get_field_index("text"), "text", text).cast(NAMES)
