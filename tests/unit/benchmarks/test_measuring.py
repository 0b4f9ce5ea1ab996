"""A measured program is measured whole, and a failed one is no measurement."""

import sys

import pytest
from benchmarks.measuring import MeasurementError, measure

_CHILD = "import time; block = bytearray(150_000_000); time.sleep(0.6)"


def test_memory_of_a_child_process_counts() -> None:
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_CHILD!r}])"
    assert measure([sys.executable, "-c", program]).peak_bytes > 150_000_000


def test_processor_time_counts_and_waiting_does_not() -> None:
    cost = measure([sys.executable, "-c", "import time; time.sleep(0.5)"])
    assert cost.wall_s >= 0.5
    assert cost.cpu_s < 0.4


def test_findings_are_no_failure() -> None:
    assert measure([sys.executable, "-c", "print(1); raise SystemExit(13)"]).stdout == "1\n"


def test_an_error_exit_is() -> None:
    with pytest.raises(MeasurementError, match="ended with 1"):
        measure([sys.executable, "-c", "raise SystemExit(1)"])
