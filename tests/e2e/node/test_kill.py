"""A node that is killed at any moment loses nothing that it acknowledged, and counts nothing twice."""

import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.node.conftest import MakeNode
from tests.e2e.node.running import RunningNode
from tests.e2e.node.traffic import requests, tables_of, write_lines

from stillwatch.cli import main

ROUNDS = 10
RESTART_S = 20.0  # five on a quiet machine, which the benchmark measures; here others work as well


class Sender(threading.Thread):
    """Delivers its requests until each is acknowledged, as any at-least-once sender does."""

    def __init__(self, node: RunningNode, rows: Sequence[dict[str, Any]], seed: int) -> None:
        super().__init__(daemon=True)
        self.node = node
        self.todo = list(rows)
        self.rng = random.Random(seed)
        self.acknowledged: list[dict[str, Any]] = []
        self.problems: list[str] = []

    def run(self) -> None:
        self.rng.shuffle(self.todo)  # late and out of order, over two days
        while self.todo:
            time.sleep(self.rng.uniform(0, 0.25))
            part = self.todo[: self.rng.randrange(1, 40)]
            try:
                answer = self.node.send(part)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            if answer.status != 200 or answer.json()["rejected"]:
                self.problems.append(f"{answer.status}: {answer.body[:200]!r}")
                time.sleep(0.1)
                continue
            self.acknowledged += part
            self.todo = self.todo[len(part) :]
            if self.rng.random() < 0.2:  # an answer that got lost on its way
                self.todo += part


def clean_scan(rows: list[dict[str, Any]], folder: Path) -> Path:
    """Scan the same requests from a file and return the state."""
    folder.mkdir()
    logs = write_lines(folder / "requests.jsonl", rows)
    words = [
        "scan",
        str(logs),
        "--state",
        str(folder / "state"),
        "--out",
        str(folder / "out"),
        "--no-exit-codes",
    ]
    assert main(words) == 0
    return folder / "state"


@pytest.mark.slow
def test_ten_kills_lose_nothing_and_count_nothing_twice(make_node: MakeNode, tmp_path: Path) -> None:
    node = make_node(every="1s")
    rows = requests(6_000)
    senders = [Sender(node, rows[start::3], seed=start) for start in range(3)]
    for sender in senders:
        sender.start()
    rng = random.Random(7)
    slowest = 0.0
    for _ in range(ROUNDS):
        time.sleep(rng.uniform(0.1, 2.5))
        node.kill()
        slowest = max(slowest, node.start())
    for sender in senders:
        sender.join(timeout=120)
    assert [sender.problems for sender in senders] == [[], [], []]
    assert {row["request_id"] for sender in senders for row in sender.acknowledged} == {
        row["request_id"] for row in rows
    }
    node.settled()
    assert node.stop() == 0
    assert tables_of(node.data / "state") == tables_of(clean_scan(rows, tmp_path / "scan"))
    assert slowest < RESTART_S


def test_a_node_whose_detection_is_killed_starts_it_again(make_node: MakeNode) -> None:
    node = make_node(every="1s")
    node.until("rounds_total", 1)
    children = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text().split()  # type: ignore[union-attr]

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
