"""The detection process of a node: `python -m stillwatch.respond.node.detecting`, fed by `rounds`.

Its first line of input holds its options, each further line asks for a round, and the end of the input ends it at
once, also when the node was killed: two processes never work on one state.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from stillwatch.errors import StateError, StillwatchError
from stillwatch.respond.node.options import DetectorOptions
from stillwatch.respond.node.rounds import RoundReport

if TYPE_CHECKING:
    from stillwatch.respond.node.detection import Detection

LOCK_NAME: Final = "state.lock"
_LOCK_WAIT_S: Final = 30.0  # the process of a killed node ends as soon as it notices
_LOCK_STEP_S: Final = 0.05


@contextmanager
def sole_owner(data: Path, wait_s: float = _LOCK_WAIT_S) -> Iterator[None]:
    """Hold the state folder of a node; wait for a predecessor that is about to end.

    Args:
        data: The node's folder.
        wait_s: How long.

    Raises:
        StateError: Another process holds it.
    """
    data.mkdir(parents=True, exist_ok=True)
    handle = os.open(data / LOCK_NAME, os.O_CREAT | os.O_RDWR, 0o600)
    deadline = time.monotonic() + wait_s
    try:
        while not _locked(handle):
            if time.monotonic() > deadline:
                raise StateError(
                    f"another process works on {data}",
                    hint="stop the other node, or name another --data folder",
                )
            time.sleep(_LOCK_STEP_S)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main() -> int:
    """Answer each line of input with one line of output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node decides when this ends
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    questions = _questions(sys.stdin.buffer)
    options = msgspec.convert(msgspec.json.decode(questions.get()), DetectorOptions)
    with sole_owner(Path(options.data)):
        run = _Opened(options)
        while True:
            question = msgspec.json.decode(questions.get())
            report = reported(question["round"], question["crashes"], run)
            answers.write(msgspec.json.encode(report) + b"\n")
            answers.flush()


class _Opened:
    """Detection that is opened in its first round, and again in the next one if that failed."""

    def __init__(self, options: DetectorOptions) -> None:
        self._options = options
        self._detection: Detection | None = None
        self._held = ExitStack()
        self._is_held = False

    def __call__(self, report: RoundReport, now: datetime) -> None:
        """Run one round."""
        from stillwatch.detect.profiles.lock import held  # noqa: PLC0415 - a second that the lock need not wait
        from stillwatch.respond.node import detection  # noqa: PLC0415

        if not self._is_held:  # against scans that name the same folder; kept until the process ends
            self._held.enter_context(held(self._options.state))
            self._is_held = True
        opened, self._detection = self._detection, None  # what a failed round leaves in memory is not trusted
        opened = opened or detection.Detection(self._options)
        opened.round(report, now)
        self._detection = opened


def reported(number: int, crashes: int, run: Callable[[RoundReport, datetime], None]) -> RoundReport:
    """Run one round and say what came of it, also when it failed.

    Args:
        number: Of the round.
        crashes: How often in a row this process has died.
        run: Fills the report.
    """
    report = RoundReport(number, crashes=crashes, seconds={})
    try:
        run(report, datetime.now(UTC))
    except StillwatchError as error:
        report.error = f"{error.message}; {error.hint}"
    except OSError as error:
        report.error = f"the state cannot be written: {error.strerror}"
    except MemoryError:
        report.error = "there is not enough memory for a round"
    report.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return report


def _questions(source: BinaryIO) -> SimpleQueue[bytes]:
    """Read lines beside the work; the end of the input ends the process in the middle of it."""
    lines: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        for line in source:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, name="questions", daemon=True).start()
    return lines


if __name__ == "__main__":
    try:
        main()
    except BaseException:  # noqa: BLE001 - whatever it was: say it, and do not wait for the thread that reads
        traceback.print_exc()
        os._exit(1)
