"""Requests from a real NATS server with JetStream."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.node.broker import Broker
from tests.e2e.node.conftest import MakeNode
from tests.e2e.node.traffic import requests, requests_in


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "nats")
    made.start()
    yield made
    made.kill()


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


def test_messages_reach_the_profiles_and_are_acknowledged(broker: Broker, make_node: MakeNode) -> None:
    node = make_node("--broker", broker.url)
    node.until("rounds_total", 1)
    rows = requests(300)
    messages: list[tuple[bytes, dict[str, str]]] = [
        (lines(rows[at : at + 10]), {}) for at in range(0, 200, 10)
    ]
    messages += [(gzip.compress(lines(rows[200:])), {"Content-Encoding": "gzip"})]
    messages += [(b"{broken", {}), (b"no gzip", {"Content-Encoding": "gzip"})]
    broker.publish(*messages)
    node.until("requests_detected_total", 300)
    assert broker.waiting() == 0
    assert node.metric("ingest_rejected_total") == 1
    assert node.metric("ingest_bodies_refused_total") == 1


def test_messages_that_wait_while_the_node_is_away_are_taken_when_it_is_back(
    broker: Broker, make_node: MakeNode
) -> None:
    node = make_node("--broker", broker.url)
    node.until("rounds_total", 1)
    node.kill()
    rows = requests(100)
    broker.publish((lines(rows), {}), (lines(rows), {}))
    broker.kill()
    node.start()
    broker.start()
    node.until("requests_detected_total", 200)
    assert requests_in(node.data / "state") == 100
