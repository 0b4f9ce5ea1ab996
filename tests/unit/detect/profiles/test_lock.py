"""Two scans never write to one state folder, and a crash locks nobody out."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stillwatch.detect.profiles.lock import LOCK_FILE, held
from stillwatch.detect.profiles.state import State
from stillwatch.errors import OutputError, StateError, StateInUseError

SINCE = datetime(2026, 3, 2, 4, 5, tzinfo=UTC)
HOLDER = """
import sys, time
from pathlib import Path
from stillwatch.detect.profiles.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_holder_is_told_who_was_first(tmp_path: Path) -> None:
    with held(tmp_path, now=SINCE), pytest.raises(StateInUseError) as caught, held(tmp_path):
        pass
    assert "process " in caught.value.message
    assert "since 2026-03-02T04:05:00+00:00" in caught.value.message
    assert "wait" in caught.value.hint


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(3):
        with held(tmp_path):
            pass


def test_the_folder_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArithmeticError), held(tmp_path):
        raise ArithmeticError
    with held(tmp_path):
        pass


def test_a_process_that_is_killed_leaves_the_folder_free(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StateInUseError, match=f"process {other.pid} on "), held(tmp_path):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert json.loads((tmp_path / LOCK_FILE).read_text())["process"] == other.pid
    with held(tmp_path):
        pass


def test_several_may_read_a_baseline_but_nobody_writes_to_it_meanwhile(tmp_path: Path) -> None:
    with held(tmp_path, shared=True), held(tmp_path, shared=True), pytest.raises(StateInUseError) as caught:
        held(tmp_path).__enter__()
    assert "in use by another scan" in caught.value.message
    with held(tmp_path), pytest.raises(StateInUseError), held(tmp_path, shared=True):
        pass


def test_a_locked_folder_is_still_empty_to_a_new_state(tmp_path: Path) -> None:
    with held(tmp_path / "state"):
        assert State(tmp_path / "state", rules_digest="rules-1").days() == []
    with held(tmp_path / "state"):
        State(tmp_path / "state", rules_digest="rules-1")


def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with held(tmp_path), pytest.raises(StateError, match="no state folder"):
        State(tmp_path, rules_digest="rules-1")
    assert [one.name for one in tmp_path.iterdir()] == ["letters"]


def test_a_folder_that_cannot_be_made_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError), held(tmp_path / "file" / "state"):
        pass
