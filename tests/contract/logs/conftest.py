"""Made-up requests and a small way to read them, for the contract tests of the log readers."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stillwatch.detect.logs import ReadLimits, ReadSummary, RejectedLog, read_requests
from stillwatch.errors import NothingToReadError

NOW = datetime(2026, 11, 20, tzinfo=UTC)
START = datetime(2026, 3, 2, tzinfo=UTC)
TEXTS = (
    "Which bulbs go in first?",
    'He said "dig", then\nleft; 50 % of it, done.',
    "請把這些工具分類。",
    "Стих про лопату 🌱",
    "{'not': json} \\ \t tabs",
)


def _simulated(count: int, seed: int) -> list[dict[str, Any]]:
    """Return canonical rows without nulls for values that every chat interface has."""
    rng = random.Random(seed)
    return [_one(rng, index) for index in range(count)]


def _one(rng: random.Random, index: int) -> dict[str, Any]:
    messages = rng.choice((1, 1, 1, 3, 7))
    row = {
        "request_id": f"req-{index:06d}",
        "time": START + timedelta(microseconds=rng.randrange(14 * 86_400 * 10**6)),
        "account_id": f"acct-{rng.randrange(40)}",
        "api_key_id": f"key-{rng.randrange(60)}",
        "user_id": rng.choice((None, f"user-{rng.randrange(9)}")),
        "conversation_id": rng.choice((None, f"conv-{rng.randrange(9)}")),
        "client_address": f"198.51.100.{rng.randrange(256)}",
        "client_asn": rng.choice((64_496, 64_511, 2**31 - 1)),
        "client_country": rng.choice(("NL", "JP", "BR")),
        "tls_ja4": rng.choice((None, "t13d1516h2_8daaf6152771_02713d6af862")),
        "user_agent": rng.choice(("example-sdk/2.1", "curl/8.9")),
        "surface": "api",
        "model": rng.choice(("example-large", "example-small")),
        "operation": "chat",
        "system_instructions": rng.choice((None, "You sort garden tools.", "Sei knapp.")),
        "prompt": f"{rng.choice(TEXTS)} {index}",
        "message_count": messages,
        "tool_count": rng.choice((0, 0, 3)),
        "temperature": rng.choice((None, 0.5, 1.0)),
        "top_p": rng.choice((None, 0.75)),
        "choice_count": rng.choice((1, 1, 4)),
        "max_tokens": rng.choice((None, 256, 32_000)),
        "logprobs": rng.choice((False, True)),
        "top_logprobs": rng.choice((None, 5)),
        "stream": rng.choice((False, True)),
        "reasoning_effort": rng.choice((None, "low", "high")),
        "response_format": rng.choice((None, "json_object", "json_schema")),
        "input_tokens": rng.randrange(1, 50_000),
        "output_tokens": rng.randrange(5_000),
        "reasoning_tokens": rng.choice((0, 120)),
        "finish_reason": rng.choice(("stop", "length")),
        "status": 200,
        "latency_ms": rng.randrange(20, 90_000),
    }
    return {name: value for name, value in row.items() if value is not None}


def _read(
    *sources: str | Path,
    limits: ReadLimits | None = None,
    rejected: RejectedLog | None = None,
    **options: Any,
) -> tuple[list[dict[str, Any]], ReadSummary, RejectedLog]:
    """Read everything; no request at all is an empty list here."""
    rejected = rejected if rejected is not None else RejectedLog()
    batches = read_requests(sources, rejected=rejected, now=NOW, limits=limits or ReadLimits(), **options)
    rows: list[dict[str, Any]] = []
    try:
        for batch in batches:
            batch.validate(full=True)
            rows += batch.to_pylist()
    except NothingToReadError:
        assert not rows
    return rows, batches.summary, rejected


@pytest.fixture(scope="session")
def simulated() -> Callable[[int, int], list[dict[str, Any]]]:
    """Make canonical rows: how many, and which seed."""
    return _simulated


@pytest.fixture(scope="session")
def read() -> Callable[..., tuple[list[dict[str, Any]], ReadSummary, RejectedLog]]:
    """Read sources into rows, a summary and the log of what was refused."""
    return _read
