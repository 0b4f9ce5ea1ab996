"""Run a program and measure it whole: wall time, processor time, and the peak memory of its process tree."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_S = 0.05
_FINDINGS_EXIT_CODES = range(11, 15)  # findings by severity, which are no failure


class MeasurementError(RuntimeError):
    """The measured program failed, so there is nothing to report."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run cost.

    Args:
        wall_s: Seconds from start to end.
        cpu_s: Seconds of processor time, all processes together.
        peak_bytes: Most resident memory at one moment, all processes together.
        stdout: What it printed.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    stdout: str


def measure(command: Sequence[str], *, cwd: Path | None = None) -> Measured:
    """Run a command to its end.

    Raises:
        MeasurementError: It failed. Exit codes that stand for findings are no failure.
    """
    before, started = _children_cpu_s(), time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watch = _MemoryWatch(process.pid)
    watch.start()
    stdout, stderr = process.communicate()
    wall_s = time.perf_counter() - started
    watch.stop()
    if process.returncode != 0 and process.returncode not in _FINDINGS_EXIT_CODES:
        raise MeasurementError(f"{' '.join(command)} ended with {process.returncode}\n{stderr}")
    return Measured(wall_s, _children_cpu_s() - before, watch.peak_bytes, stdout)


class _MemoryWatch(threading.Thread):
    """Adds up the resident memory of a process and its descendants, twenty times a second."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._done = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._done.wait(_SAMPLE_S):
            self.peak_bytes = max(self.peak_bytes, sum(map(_resident_bytes, _tree(self._root))))

    def stop(self) -> None:
        """End the sampling."""
        self._done.set()
        self.join()


def _tree(root: int) -> list[int]:
    """Process ids of a process and everything it started, from /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        parent = _parent(entry) if entry.name.isdigit() else None
        if parent is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(children.get(found[-1], []))
    return found


def _parent(entry: Path) -> int | None:
    try:
        # The name in parentheses may hold spaces; the parent is the second field after it.
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):  # it ended meanwhile
        return None


def _resident_bytes(process: int) -> int:
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except (OSError, IndexError):  # it ended meanwhile
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
