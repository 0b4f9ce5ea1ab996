"""Anthropic message batches: requests, results, or both in one file, joined on `custom_id`."""

from collections.abc import Mapping
from typing import Any

import msgspec

from stillwatch.detect.logs.anthropic import (
    answer_example,
    body_example,
    carried as carried_alone,
    fill_answer,
    fill_question,
)
from stillwatch.detect.logs.reading.batch_jobs import Half, lone_id
from stillwatch.detect.logs.reading.chat import NULL
from stillwatch.detect.logs.reading.formats import Head, LogFormat
from stillwatch.detect.logs.reading.job_lines import (
    APPROXIMATE,
    NEVER as JOB_NEVER,
    JobLine,
    Lines,
    carried_by_job,
    examples_of,
    question_line,
)
from stillwatch.detect.logs.reading.pairs import given
from stillwatch.detect.logs.reading.rows import Row

NEVER = (*JOB_NEVER, "top_logprobs", "reasoning_tokens")
_SUCCESS = 200
_FAILED = 500


class _Result(msgspec.Struct, gc=False):
    """What came of a question."""

    type: Any = None
    message: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


class _Line(JobLine, gc=False):
    """A question or a result."""

    params: msgspec.Raw = NULL
    result: _Result | None = None
    workspace_id: Any = None


_decoder = msgspec.json.Decoder(_Line)


def _parse(line: bytes) -> Half:
    """Turn one line into a question or an answer."""
    read = _decoder.decode(line)
    account = given(read.account_id, read.organization_id, read.workspace_id)
    row = Row(account_id=account, api_key_id=read.api_key_id, surface="batch", operation="chat")
    row.time = given(read.submitted_at, read.time, read.created_at)
    if read.result is not None:
        _fill_result(row, read.result)
        row.request_id = given(row.request_id, lone_id(read.custom_id, line))
        return Half(read.custom_id, row, is_answer=True)
    fill_question(row, bytes(read.params))
    row.request_id, row.stream = lone_id(read.custom_id, line), False
    return Half(read.custom_id, row, is_answer=False)


def _fill_result(row: Row, result: _Result) -> None:
    """Fill what came of a question; one that expired or was canceled has neither message nor error."""
    if result.type == "succeeded":
        fill_answer(row, bytes(result.message), _SUCCESS)
        return
    raw = bytes(result.error)
    fill_answer(row, raw, None if raw != b"null" else _FAILED)
    row.status = given(row.status, _FAILED)
    row.finish_reason = "error"


def _sniff(head: Head) -> float:
    """Look for a custom id beside parameters or a result."""
    return 0.9 if head.has("custom_id", "params") or head.has("custom_id", "result") else 0.0


def example_lines(row: Mapping[str, Any]) -> Lines:
    """Write one made-up question and its result.

    Args:
        row: The canonical row.
    """
    question = question_line(row, params=body_example(row))
    message = {**answer_example(row), "id": row["request_id"]}
    return question, {"custom_id": question["custom_id"], "result": {"type": "succeeded", "message": message}}


def carried(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left of a made-up request in a batch job.

    Args:
        row: The canonical row.
    """
    return carried_by_job(carried_alone(row), NEVER)


FORMAT = LogFormat(
    name="anthropic_batch",
    title="Anthropic message batches",
    sniff=_sniff,
    parse_half=_parse,
    get_examples=lambda: examples_of(example_lines, carried),
    never=NEVER,
    approximate={
        **APPROXIMATE,
        "request_id": "the message's id, or one made of the line for a question without a result",
        "time": "when the job was submitted, only where the exporter adds it",
        "choice_count": "always 1: the interface has no other",
        "logprobs": "always false: the interface has none",
        "input_tokens": "only in results",
        "output_tokens": "only in results",
    },
)
