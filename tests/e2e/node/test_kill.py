"""A node that is killed at any moment loses nothing that it acknowledged, and counts nothing twice."""

import os
import signal
from pathlib import Path

import pytest
from tests.e2e.node.conftest import MakeNode
from tests.e2e.node.killing import kill_everything
from tests.e2e.node.traffic import requests, write_lines

from stillwatch.cli import main

ROUNDS = 10
RESTART_S = 5.0  # of processor time: others may use the machine as well


@pytest.mark.slow
def test_ten_kills_of_node_broker_and_database_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    outcome = kill_everything(tmp_path, rounds=ROUNDS, seed=20261121)
    assert sum(outcome.kills.values()) == ROUNDS
    assert outcome.problems == []
    assert outcome.profiles_equal
    assert outcome.trail_holds
    assert outcome.decisions > 0
    assert outcome.lost_decisions == 0
    assert max(outcome.restarts_cpu_s) < RESTART_S


def test_a_node_whose_detection_is_killed_starts_it_again(make_node: MakeNode) -> None:
    node = make_node(every="1s")
    node.until("rounds_total", 1)
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()

    for child in children:
        os.kill(int(child), signal.SIGKILL)
    assert node.send(requests(10)).json()["accepted"] == 10
    node.until("detection_restarts_total", 1)
    node.until("requests_detected_total", 10)


def test_a_full_spool_is_said_and_nothing_is_lost_when_there_is_room_again(make_node: MakeNode) -> None:
    node = make_node("--spool-mib", "1", every="1h")
    rows = requests(12_000)
    answers = [node.send(rows[start : start + 100]) for start in range(0, 12_000, 100)]
    assert {answer.status for answer in answers} == {200, 507}
    refused = next(answer for answer in answers if answer.status == 507)
    assert "no room" in refused.json()["detail"]
    kept = sum(answer.json()["accepted"] for answer in answers if answer.status == 200)
    node.stop()
    node.words, node.every = (), "1s"
    node.start()
    node.until("requests_detected_total", kept)
    assert node.send(rows[:100]).status == 200


def test_a_scan_does_not_touch_the_state_of_a_running_node(
    make_node: MakeNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_node(every="1s")
    node.until("rounds_total", 1)
    logs = write_lines(tmp_path / "requests.jsonl", requests(10))
    words = ["scan", str(logs), "--state", str(node.data / "state"), "--out", str(tmp_path / "out")]
    assert main(words) == 1
    assert "in use" in capsys.readouterr().err


def test_a_state_that_cannot_be_used_is_said_and_requests_are_kept(make_node: MakeNode) -> None:
    node = make_node(start=False)
    (node.data / "state").mkdir(parents=True)
    (node.data / "state" / "manifest.json").write_text('{"state_version": 1, "rules": "others"}')
    node.start()
    assert node.send(requests(10)).json()["accepted"] == 10
    node.until("rounds_failed_total", 2)
    assert node.get("/healthz", token="").json()["status"] == "degraded"
    assert "was written by another version" in node.text()
    (node.data / "state" / "manifest.json").unlink()
    node.until("requests_detected_total", 10)
    assert node.get("/healthz", token="").json()["status"] == "ok"
