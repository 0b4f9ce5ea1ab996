"""Files that only make sense together, read twice: first the answers, then the questions."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from stillwatch.detect.logs.reading.batch_jobs import (
    Half,
    HeldAnswers,
    hold_answers,
    join_questions,
    lone_answers,
)
from stillwatch.detect.logs.reading.formats import LogFormat, Reading
from stillwatch.detect.logs.reading.opened import OpenedFile, open_source
from stillwatch.detect.logs.reading.rejected import Place, RejectedLog
from stillwatch.detect.logs.reading.sources import Source, partition_of
from stillwatch.detect.logs.reading.summary import ReadSummary


def joined(files: Sequence[Source], log_format: LogFormat, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield canonical batches of batch-job files, with each question beside its answer.

    Args:
        files: All files of one format.
        log_format: A format with `parse_half`.
        reading: What the reader was given.
    """
    if log_format.parse_half is None:
        return
    parse: Callable[[bytes], Half] = log_format.parse_half
    answers = HeldAnswers()
    for source in files:
        with closing(open_source(source)) as opened:
            # The second pass sees every line again and counts; the first must leave no trace.
            silent = replace(
                reading, rejected=RejectedLog(), summary=ReadSummary(), partition=partition_of(source)
            )
            hold_answers(opened, silent, parse, answers)
    for source in files:
        with closing(open_source(source)) as opened:
            yield from join_questions(
                opened, replace(reading, partition=partition_of(source)), parse, answers
            )
            refuse_damage(opened, reading)
    yield from lone_answers(reading, answers)


def refuse_damage(opened: OpenedFile, reading: Reading) -> None:
    """Say why a file ended early.

    Args:
        opened: The file, read to its end.
        reading: What the reader was given.
    """
    for damage in opened.damage:
        reading.refuse(Place(opened.source.name), damage.reason, detail=damage.detail)


def rereadable(opened: OpenedFile, reading: Reading, stack: ExitStack) -> Source:
    """Return a source that can be opened again: itself, or a temporary copy of a pipe.

    Args:
        opened: The file; a pipe is read to its end.
        reading: What the reader was given; damage of a pipe cannot be seen a second time.
        stack: Removes the copy when everything is read.
    """
    if opened.source.seekable:
        return opened.source
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "pipe"
    with copy.open("wb") as file:
        file.writelines(opened.chunks)
    refuse_damage(opened, reading)

    def reopened() -> Any:
        return pa.OSFile(str(copy))

    return replace(opened.source, open=reopened, seekable=True)
