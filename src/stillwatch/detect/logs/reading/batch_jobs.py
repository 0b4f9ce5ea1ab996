"""Batch jobs: questions in one file, answers in another, joined on `custom_id`.

Answers are few bytes once their text is left out, so they are read first and held; then the questions stream past.
What has no partner stands alone: a question without tokens, an answer without a prompt. Batch lines hold no customer
and mostly no time; both come from fields that the exporter added (`account_id`, `submitted_at`), from the path
(`account_id=acct_1/`), or from `--columns`.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import msgspec
import pyarrow as pa

from stillwatch.detect.logs.reading.formats import Reading
from stillwatch.detect.logs.reading.json_lines import LineProblem, apply_map, numbered_lines, parsed
from stillwatch.detect.logs.reading.opened import OpenedFile
from stillwatch.detect.logs.reading.rejected import Place
from stillwatch.detect.logs.reading.rows import Row, RowBatches

ANSWERED = ("input_tokens", "output_tokens", "reasoning_tokens", "finish_reason", "status")
"""What an answer knows and a question does not."""


@dataclass(frozen=True, slots=True)
class Half:
    """A question or an answer.

    Args:
        custom_id: The customer's own id, unique within one job.
        row: What this half knows.
        is_answer: Which half it is.
    """

    custom_id: str
    row: Row
    is_answer: bool


@dataclass(slots=True)
class _Held:
    """An answer that waits for its question."""

    half: Half
    file: str
    folder: str
    number: int
    is_used: bool = False


@dataclass(slots=True)
class HeldAnswers:
    """The answers of all batch files of one reading, by custom id."""

    by_id: dict[str, list[_Held]] = field(default_factory=dict)
    count: int = 0

    def take(self, custom_id: str, folder: str) -> _Held | None:
        """Return the one answer to a question: in its own folder, else anywhere; None when that is not clear.

        Args:
            custom_id: The question's id.
            folder: Where the question's file lies.
        """
        free = [held for held in self.by_id.get(custom_id, ()) if not held.is_used]
        near = [held for held in free if held.folder == folder]
        candidates = near or free
        if len(candidates) != 1:
            return None
        candidates[0].is_used = True
        return candidates[0]


Parse = Callable[[bytes], Half]


def hold_answers(opened: OpenedFile, reading: Reading, parse: Parse, answers: HeldAnswers) -> None:
    """Read the answers of one file. Broken lines are left to the second pass.

    Args:
        opened: The file.
        reading: What the reader was given; counts are not touched.
        parse: Turns a line into a half.
        answers: Where the answers are kept, up to `limits.max_joined_rows`.
    """
    folder = PurePosixPath(opened.source.path).parent.as_posix()
    for number, line in numbered_lines(opened, reading):
        try:
            half = parsed(parse, line)
        except LineProblem:
            continue
        if half.is_answer and answers.count < reading.limits.max_joined_rows:
            if reading.columns_map:
                apply_map(half.row, line, reading.columns_map)
            _fill_partition(half.row, reading)
            answers.by_id.setdefault(half.custom_id, []).append(
                _Held(half, opened.source.name, folder, number)
            )
            answers.count += 1


def join_questions(
    opened: OpenedFile, reading: Reading, parse: Parse, answers: HeldAnswers
) -> Iterator[pa.RecordBatch]:
    """Yield the questions of one file with their answers, and refuse broken lines.

    Args:
        opened: The file.
        reading: What the reader was given.
        parse: Turns a line into a half.
        answers: The answers of all files.
    """
    name = opened.source.name
    folder = PurePosixPath(opened.source.path).parent.as_posix()
    batches = RowBatches(reading, name)
    held = {
        (each.file, each.number)
        for several in answers.by_id.values()
        for each in several
        if each.file == name
    }
    for number, line in numbered_lines(opened, reading):
        try:
            half = parsed(parse, line)
        except LineProblem as problem:
            reading.refuse(Place(name, number), problem.reason, detail=problem.detail)
            continue
        if half.is_answer and (name, number) in held:
            continue
        if reading.columns_map:
            apply_map(half.row, line, reading.columns_map)
        partner = None if half.is_answer else answers.take(half.custom_id, folder)
        if partner is not None:
            reading.summary.ignored += 1
            _join(half.row, partner.half.row)
        if batches.add(half.row, number, len(line)):
            yield batches.flush()
    yield batches.flush()


def lone_answers(reading: Reading, answers: HeldAnswers) -> Iterator[pa.RecordBatch]:
    """Yield the answers that no question claimed.

    Args:
        reading: What the reader was given.
        answers: The answers of all files.
    """
    lone: dict[str, list[_Held]] = {}
    for several in answers.by_id.values():
        for held in several:
            if not held.is_used:
                lone.setdefault(held.file, []).append(held)
    for file, several in lone.items():
        batches = RowBatches(reading, file)
        for held in several:
            if batches.add(held.half.row, held.number, 0):
                yield batches.flush()
        yield batches.flush()
    if lone:
        count = sum(map(len, lone.values()))
        reading.summary.note(
            f"{count:,} batch answers stand without their question: the questions were not given, or a custom "
            "id stands in several jobs of one folder"
        )


def _fill_partition(row: Row, reading: Reading) -> None:
    """Fill what the path of an answer's own file says."""
    for name, value in reading.partition.items():
        if getattr(row, name) is None:
            setattr(row, name, value)


def _join(question: Row, answer: Row) -> None:
    """Move what the answer knows into the question."""
    for name in ANSWERED:
        setattr(question, name, getattr(answer, name))
    for name in msgspec.structs.asdict(question):
        if getattr(question, name) is None:
            setattr(question, name, getattr(answer, name))
    if answer.request_id is not None:
        question.request_id = answer.request_id


def lone_id(custom_id: Any, line: bytes) -> str:
    """Make an id for a question that no server has answered yet: one job's ids return in the next.

    Args:
        custom_id: The customer's own id.
        line: The whole line, so that a second reading of it gives the same id.
    """
    return f"{custom_id}-{hashlib.blake2b(line, digest_size=8).hexdigest()}"
