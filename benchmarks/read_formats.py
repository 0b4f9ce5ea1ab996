"""Measures what reading costs per format, beside the floor of the parser alone, in the same run and on the same bytes.

Usage: python benchmarks/read_formats.py [--rows 200000] [--json-rows 40000]

`floor` is PyArrow's plain read for Parquet and msgspec's decoding of each line into nothing but an empty structure
for JSON: what no reader can be faster than. Rates are rows per second of CPU time on one core.
"""

import argparse
import io
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.detect.logs import RejectedLog, bedrock, envoy, litellm, openai, otel, read_requests
from stillwatch.domain.requests import REQUESTS

NOW = datetime(2026, 11, 20, tzinfo=UTC)
START = datetime(2026, 3, 2, tzinfo=UTC)
WORDS = [
    "spade",
    "hoe",
    "rake",
    "seed",
    "bulb",
    "row",
    "shed",
    "frost",
    "loam",
    "mulch",
    "graft",
    "prune",
    "vine",
    "stake",
    "twine",
    "pot",
]
LITELLM_LINE_BYTES = 12_000  # a real line, measured on litellm 1.106


class _Nothing(msgspec.Struct):
    """Decoding into this skips every field."""


def request(rng: random.Random, index: int) -> dict[str, Any]:
    """Make one request with a prompt of about 300 characters."""
    return {
        "request_id": f"req-{index:09d}",
        "time": START + timedelta(microseconds=rng.randrange(14 * 86_400 * 10**6)),
        "account_id": f"acct-{rng.randrange(5_000)}",
        "api_key_id": f"key-{rng.randrange(9_000)}",
        "client_address": f"198.51.100.{rng.randrange(256)}",
        "client_asn": 64_496,
        "client_country": "NL",
        "tls_ja4": "t13d1516h2_8daaf6152771_02713d6af862",
        "user_agent": "example-sdk/2.1",
        "surface": "api",
        "model": "example-large",
        "operation": "chat",
        "system_instructions": "You sort garden tools.",
        "prompt": " ".join(rng.choices(WORDS, k=55)),
        "message_count": 1,
        "tool_count": 0,
        "temperature": 0.5,
        "choice_count": 1,
        "max_tokens": 256,
        "logprobs": False,
        "stream": True,
        "input_tokens": 80,
        "output_tokens": rng.randrange(900),
        "reasoning_tokens": 0,
        "finish_reason": "stop",
        "status": 200,
        "latency_ms": rng.randrange(20, 9_000),
    }


def litellm_line(row: Mapping[str, Any]) -> bytes:
    """Write one line as long as real ones, with a price list that nobody wants."""
    payload = litellm._payload_of(row)  # noqa: SLF001 - the format's own example writer
    prices = {f"input_cost_per_token_above_{step}k_tokens": step * 1.5e-7 for step in range(200)}
    payload["model_map_information"] = {"model_map_key": row["model"], "model_map_value": prices}
    line = msgspec.json.encode(payload)
    payload["hidden_params"] = {
        "additional_headers": {"x": "h" * max(0, LITELLM_LINE_BYTES - len(line) - 50)}
    }
    return msgspec.json.encode(payload)


def lines(records: Iterator[Any]) -> bytes:
    """Write JSON lines."""
    return b"\n".join(
        record if isinstance(record, bytes) else msgspec.json.encode(record) for record in records
    )


def logs(rows: list[dict[str, Any]]) -> dict[str, bytes]:
    """Write the same requests in every JSON format."""
    spans = [otel._span_of(index, row) for index, row in enumerate(rows)]  # noqa: SLF001 - as above
    documents = (
        {"resourceSpans": [{"scopeSpans": [{"spans": spans[start : start + 500]}]}]}
        for start in range(0, len(spans), 500)
    )
    return {
        "jsonl": lines({**row, "time": row["time"].isoformat()} for row in rows),
        "litellm": lines(litellm_line(row) for row in rows),
        "openai": lines(openai._pair_of(row) for row in rows),  # noqa: SLF001 - as above
        "bedrock": lines(bedrock._record_of(row) for row in rows),  # noqa: SLF001 - as above
        "envoy": lines(envoy._entry_of(row) for row in rows),  # noqa: SLF001 - as above
        "otel": lines(iter(documents)),
    }


def cpu_s(work: Callable[[], Any], repeats: int = 3) -> float:
    """Return the least CPU time of a few runs, in seconds."""
    best = float("inf")
    for _ in range(repeats):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return best


def read(path: Path) -> int:
    """Read through the readers."""
    return sum(batch.num_rows for batch in read_requests([path], rejected=RejectedLog(), now=NOW))


def plain_parquet(path: Path) -> int:
    """Read Parquet with nothing around it."""
    with pq.ParquetFile(path, pre_buffer=True) as parquet:
        return sum(batch.num_rows for batch in parquet.iter_batches(batch_size=131_072, use_threads=False))


def plain_json(content: bytes) -> int:
    """Find each line and decode it into nothing."""
    decode = msgspec.json.Decoder(_Nothing).decode
    view, start, count = memoryview(content), 0, 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        decode(view[start:end])
        start, count = end + 1, count + 1
    return count


def report(name: str, rows: int, size: int, floor_s: float, reader_s: float) -> None:
    """Print one line of the table."""
    beyond = rows / max(reader_s - floor_s, 1e-9)
    print(
        f"{name:<10}{rows:>10,}{size / rows:>10,.0f}{rows / floor_s:>14,.0f}{rows / reader_s:>14,.0f}{beyond:>16,.0f}",
        flush=True,
    )


def csv_bytes(rows: list[dict[str, Any]]) -> bytes:
    """Write the requests as CSV."""
    sink = io.BytesIO()
    names = REQUESTS.names
    sink.write((",".join(names) + "\n").encode())
    for row in rows:
        sink.write((",".join(json.dumps(str(row.get(name, ""))) for name in names) + "\n").encode())
    return sink.getvalue()


def main() -> None:
    """Measure every format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="requests in Parquet")
    parser.add_argument("--json-rows", type=int, default=20_000, help="requests in the other formats")
    options = parser.parse_args()
    pa.set_cpu_count(1)
    rng = random.Random(1)
    rows = [request(rng, index) for index in range(options.rows)]
    print(f"{'format':<10}{'rows':>10}{'bytes/row':>10}{'floor/s':>14}{'reader/s':>14}{'beyond floor/s':>16}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), path, compression="zstd")
        read(path)
        floor, reader = cpu_s(partial(plain_parquet, path)), cpu_s(partial(read, path))
        report("parquet", len(rows), path.stat().st_size, floor, reader)
        few = rows[: options.json_rows]
        for name, content in {**logs(few), "csv": csv_bytes(few)}.items():
            path.write_bytes(content)
            plain = partial(content.split, b"\n") if name == "csv" else partial(plain_json, content)
            report(name, len(few), len(content), cpu_s(plain), cpu_s(partial(read, path)))


if __name__ == "__main__":
    main()
