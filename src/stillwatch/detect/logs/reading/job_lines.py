"""What the lines of every kind of batch job have in common, and made-up ones for tests and docs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from stillwatch.detect.logs.reading.examples import EXAMPLE_ROWS
from stillwatch.detect.logs.reading.formats import Example

NEVER = (
    "conversation_id", "client_address", "client_asn", "client_country", "tls_ja4", "user_agent", "latency_ms",
)  # fmt: skip
"""What no batch job tells of a request."""

APPROXIMATE = {
    "account_id": "only where the exporter adds it, or from the path",
    "api_key_id": "only where the exporter adds it, or from the path",
    "surface": "always batch",
    "stream": "always false",
}
"""What every batch job tells in its own way only."""

Lines = tuple[dict[str, Any], dict[str, Any]]
"""A question and its answer."""


class JobLine(msgspec.Struct, gc=False):
    """A question or an answer: the customer's own id, and what exporters add."""

    custom_id: str
    account_id: Any = None
    organization_id: Any = None
    api_key_id: Any = None
    time: Any = None
    submitted_at: Any = None
    created_at: Any = None


def question_line(row: Mapping[str, Any], **own: Any) -> dict[str, Any]:
    """Write a made-up question.

    Args:
        row: The canonical row.
        own: What the format adds.
    """
    return {
        "custom_id": f"task-{row['request_id']}",
        **own,
        "account_id": row["account_id"],
        "api_key_id": row["api_key_id"],
        "submitted_at": row["time"].isoformat(),
    }


def carried_by_job(row: Mapping[str, Any], never: Sequence[str]) -> dict[str, Any]:
    """Return what is left of a made-up request in a batch job.

    Args:
        row: The canonical row, as far as the format carries it outside of jobs.
        never: What the job leaves out.
    """
    left = {name: value for name, value in row.items() if name not in never}
    return {**left, "surface": "batch", "stream": False}


def examples_of(
    lines_of: Callable[[Mapping[str, Any]], Lines], carried: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> tuple[Example, ...]:
    """Write two made-up questions, then their answers in another order.

    Args:
        lines_of: Writes a question and its answer.
        carried: Says what is left of a request.
    """
    pairs = [lines_of(row) for row in EXAMPLE_ROWS]
    lines = [question for question, _ in pairs] + [answer for _, answer in reversed(pairs)]
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    return (Example("batch.jsonl", content, tuple(carried(row) for row in EXAMPLE_ROWS)),)
