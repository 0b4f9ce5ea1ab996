"""OpenAI Batch files: requests, answers, or both in one file, joined on `custom_id`."""

from collections.abc import Mapping
from typing import Any

import msgspec

from stillwatch.detect.logs.openai import answer_example, body_example, fill_answer, fill_question
from stillwatch.detect.logs.reading.batch_jobs import Half, lone_id
from stillwatch.detect.logs.reading.chat import NULL
from stillwatch.detect.logs.reading.formats import Head, LogFormat
from stillwatch.detect.logs.reading.job_lines import (
    APPROXIMATE,
    NEVER,
    JobLine,
    Lines,
    carried_by_job,
    examples_of,
    question_line,
)
from stillwatch.detect.logs.reading.pairs import body_of, given, operation_of
from stillwatch.detect.logs.reading.rows import Row

_FAILED = 500


class _Response(msgspec.Struct, gc=False):
    """An answer's envelope."""

    status_code: Any = None
    request_id: Any = None
    body: msgspec.Raw = NULL


class _Line(JobLine, gc=False):
    """A question or an answer."""

    id: Any = None
    url: Any = None
    body: msgspec.Raw = NULL
    response: _Response | None = None
    error: msgspec.Raw = NULL


_decoder = msgspec.json.Decoder(_Line)


def _parse(line: bytes) -> Half:
    """Turn one line into a question or an answer."""
    read = _decoder.decode(line)
    is_answer = read.response is not None or bytes(read.error) != b"null" or bytes(read.body) == b"null"
    row = Row(
        account_id=given(read.account_id, read.organization_id), api_key_id=read.api_key_id, surface="batch"
    )
    if is_answer:
        _fill_answer(row, read)
        row.request_id = given(row.request_id, None if read.response else lone_id(read.custom_id, line))
    else:
        row.operation = operation_of(read.url)
        fill_question(row, body_of(read.body))
        row.request_id = lone_id(read.custom_id, line)
        row.stream = False
    row.time = given(read.submitted_at, read.time, read.created_at, row.time)
    return Half(read.custom_id, row, is_answer)


def _fill_answer(row: Row, read: _Line) -> None:
    """Fill what came of a question; one that expired has an error and no response."""
    response = read.response
    if response is None:
        fill_answer(row, b"", _FAILED)
    else:
        fill_answer(row, body_of(response.body), response.status_code)
    row.request_id = given(response.request_id if response else None, read.id, row.request_id)
    row.operation = "chat"


def _sniff(head: Head) -> float:
    """Look for a custom id beside a body or a response."""
    return 0.9 if head.has("custom_id", "body") or head.has("custom_id", "response") else 0.0


def example_lines(row: Mapping[str, Any]) -> Lines:
    """Write one made-up question and its answer.

    Args:
        row: The canonical row.
    """
    question = question_line(row, method="POST", url="/v1/chat/completions", body=body_example(row))
    answer = {
        "id": f"batch_{row['request_id']}",
        "custom_id": question["custom_id"],
        "response": {
            "status_code": row["status"],
            "request_id": row["request_id"],
            "body": answer_example(row),
        },
        "error": None,
    }
    return question, answer


def carried(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left of a made-up request in a batch job.

    Args:
        row: The canonical row.
    """
    return carried_by_job(row, NEVER)


FORMAT = LogFormat(
    name="openai_batch",
    title="OpenAI Batch files",
    sniff=_sniff,
    parse_half=_parse,
    get_examples=lambda: examples_of(example_lines, carried),
    never=NEVER,
    approximate={
        **APPROXIMATE,
        "request_id": "the server's id, or one made of the line for a question without an answer",
        "time": "when the job was submitted, where the exporter adds it; else when the answer was made",
        "input_tokens": "only in answers",
        "output_tokens": "only in answers",
    },
)
