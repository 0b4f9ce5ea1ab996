"""Ingest: acknowledged requests per second of a node on one core, durable, by interface.

python -m benchmarks.ingest                 ten seconds for each interface
python -m benchmarks.ingest --seconds 60

The node runs as a user starts it, with all of its processes on one core and detection every ten seconds; the sender
has the other core. Judged by the processor time of the node, since others may use the machine as well: the receivers
alone, and together with everything detection does with the same requests. Every body is on the disk before it is
acknowledged.
"""

import argparse
import gzip
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import zstandard
from tests.e2e.node.running import RunningNode, cpu_s

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.load_requests import MARK, otlp_json, otlp_protobuf, requests
from benchmarks.results import write_section

MUST_PER_S = 20_000
_BODY_ROWS = 500  # what collectors send at once is 512 to 8,192
_SECONDS = 10.0
_NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Interface:
    """One way to send.

    Args:
        name: For the table.
        path: Of the endpoint.
        headers: Of each body.
        encode: Turns rows into a body.
        rows: Requests in a body.
        compress: Undone by the node.
        connections: Senders at once.
    """

    name: str
    path: str
    headers: dict[str, str]
    encode: Callable[[Sequence[dict[str, object]]], bytes]
    rows: int = _BODY_ROWS
    compress: Callable[[bytes], bytes] | None = None
    connections: int = 4


def _lines(rows: Sequence[dict[str, object]]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


INTERFACES = (
    Interface("/v1/requests, JSON lines", "/v1/requests", _NDJSON, _lines),
    Interface(
        "/v1/requests, gzip",
        "/v1/requests",
        {**_NDJSON, "Content-Encoding": "gzip"},
        _lines,
        compress=gzip.compress,
    ),
    Interface(
        "/v1/requests, zstd",
        "/v1/requests",
        {**_NDJSON, "Content-Encoding": "zstd"},
        _lines,
        compress=zstandard.compress,
    ),
    Interface("/v1/requests, one request in a body", "/v1/requests", _NDJSON, _lines, rows=1, connections=32),
    Interface(
        "/v1/traces, protobuf", "/v1/traces", {"Content-Type": "application/x-protobuf"}, otlp_protobuf
    ),
    Interface("/v1/traces, JSON", "/v1/traces", {"Content-Type": "application/json"}, otlp_json),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """What was measured of one interface.

    Args:
        sent: Requests acknowledged.
        wall_s: Seconds from the first to the last acknowledgment.
        receiver_cpu_s: Processor time of the process that acknowledges.
        detection_cpu_s: Processor time of detection until it had everything.
    """

    sent: int
    wall_s: float
    receiver_cpu_s: float
    detection_cpu_s: float

    @property
    def per_core_s(self) -> float:
        """Requests that one core acknowledges in a second."""
        return self.sent / self.receiver_cpu_s

    @property
    def whole_per_core_s(self) -> float:
        """Requests that one core acknowledges and detects in a second."""
        return self.sent / (self.receiver_cpu_s + self.detection_cpu_s)


def main(arguments: Sequence[str] = ()) -> int:
    """Measure every interface; 1 if the claim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=_SECONDS)
    parser.add_argument("--only", default="", help="interfaces whose name holds this")
    options = parser.parse_args(list(arguments))
    claims = []
    for number, interface in enumerate(INTERFACES):
        if options.only not in interface.name:
            continue
        with tempfile.TemporaryDirectory() as folder, _running(Path(folder)) as node:
            rate = measure(node, interface, options.seconds)
        claims.append(_claim(interface, rate, gated=number == 0))
        print(f"{interface.name}: {claims[-1].measured}", flush=True)
    if not options.only:
        write_section("ingest", "Ways into the node", claims_markdown(claims))
    return print_claims(claims)


def _claim(interface: Interface, rate: Rate, *, gated: bool) -> Claim:
    return Claim(
        f"{interface.name}: ≥ {MUST_PER_S:,} requests/s on one core, durable" if gated else interface.name,
        f"{rate.per_core_s:,.0f}/s of processor time, {rate.sent / rate.wall_s:,.0f}/s by the clock; "
        f"{rate.whole_per_core_s:,.0f}/s with detection on the same core",
        rate.per_core_s >= MUST_PER_S if gated else None,
    )


@contextmanager
def _running(folder: Path) -> Iterator[RunningNode]:
    """Start a node with all of its processes on the last core, and keep the others for the sender."""
    cores = sorted(os.sched_getaffinity(0))
    node = RunningNode(folder / "node", every="10s")
    os.sched_setaffinity(0, {cores[-1]})  # the node inherits it
    try:
        node.start()
    finally:
        os.sched_setaffinity(0, set(cores[:-1]) or set(cores))
    try:
        node.until("rounds_total", 1)
        yield node
    finally:
        node.kill()
        os.sched_setaffinity(0, set(cores))


def measure(node: RunningNode, interface: Interface, seconds: float) -> Rate:
    """Send for some seconds over several connections, and wait until detection has everything.

    Args:
        node: A running node.
        interface: How to send.
        seconds: For how long.
    """
    body = interface.encode(requests(interface.rows, datetime.now(UTC)))
    before, children_before = cpu_s(node.pid), _children_cpu_s(node.pid)
    started = time.perf_counter()
    sent = [0] * interface.connections
    senders = [
        threading.Thread(target=_send, args=(node, interface, body, started + seconds, sent, place))
        for place in range(interface.connections)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    wall_s = time.perf_counter() - started
    receiver_cpu_s = cpu_s(node.pid) - before
    node.until("requests_detected_total", sum(sent), seconds=600)
    return Rate(sum(sent), wall_s, receiver_cpu_s, _children_cpu_s(node.pid) - children_before)


def _send(
    node: RunningNode, interface: Interface, body: bytes, until_s: float, sent: list[int], place: int
) -> None:
    """Send one body after the other over one connection, each with request ids of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    headers = {**interface.headers, "Authorization": f"Bearer {node.token}"}
    number = place
    while time.perf_counter() < until_s:
        fresh = body.replace(MARK, f"{number:0{len(MARK)}x}".encode())
        number += interface.connections
        if interface.compress is not None:
            fresh = interface.compress(fresh)
        connection.request("POST", interface.path, fresh, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the node answered {answer.status}")
        sent[place] += interface.rows
    connection.close()


def _children_cpu_s(process: int) -> float:
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return sum(cpu_s(int(child)) for child in children)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
