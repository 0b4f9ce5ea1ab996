"""What does one verdict over HTTP cost, beside a bare endpoint and a Redis lookup, from the same client in the same run?

    ./run bench guard_http

A thousand calls a second, in turn to each server, so that whatever else the machine does hits all alike. The 99th
percentile is the scheduler's here; it is shown and not judged.
"""

import argparse
import os
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.guard_servers import now, scratch, server
from benchmarks.results import write_section
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.web.interface import Scope

ROUNDS = 20
_CALLS = 500
_EVERY_S = 0.001
_BARE, _REDIS = 1.5, 3.0
_BODY = b'{"account_id":"org-000000000000000000000123","client_address":"192.0.2.7","user_agent":"client/1","model":"m"}'

Ask = Callable[[], object]


def over_http(connection: socket.socket, path: str, token: str) -> Ask:
    """Return a call over a connection that stays open, with the least a client can do."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    raw = head.encode() + b"Content-Length: %d\r\n\r\n" % len(_BODY) + _BODY

    def ask() -> None:
        connection.sendall(raw)
        answer = b""
        while not _whole(answer):
            chunk = connection.recv(65_536)
            if not chunk:
                raise RuntimeError("the server closed the connection")
            answer += chunk
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer[:300].decode(errors="replace"))

    return ask


def _whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(body) >= int(lines[0].partition(b":")[2])


def times_us(ask: Ask) -> list[float]:
    """Call a thousand times a second; return the microseconds of each call."""
    spent = []
    due = time.perf_counter()
    for _ in range(_CALLS):
        due += _EVERY_S
        while (left := due - time.perf_counter()) > 0:
            if left > 0.0004:
                time.sleep(left - 0.0003)
        started = time.perf_counter_ns()
        ask()
        spent.append((time.perf_counter_ns() - started) / 1_000)
    return spent


def measured(folder: Path, rounds: int) -> dict[str, list[list[float]]]:
    """Return the microseconds of every call, by server and round."""
    import redis  # noqa: PLC0415 - the peer's own client

    cores = sorted(os.sched_getaffinity(0))
    _, token = TokenBook(folder, now).add("bench", [Scope.DECIDE], rate_per_s=1e6)
    with ExitStack() as stack:
        os.sched_setaffinity(0, cores[-1:])  # the servers inherit one core, the client then takes another
        stack.callback(os.sched_setaffinity, 0, cores)
        ports = {kind: stack.enter_context(server(kind, folder)).port for kind in ("node", "bare", "redis")}
        os.sched_setaffinity(0, cores[:1])
        asks: dict[str, Ask] = {}
        for kind, path in (("node", "/v1/decide"), ("bare", "/")):
            connection = stack.enter_context(closing(socket.create_connection(("127.0.0.1", ports[kind]))))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asks[kind] = over_http(connection, path, token)
        client = stack.enter_context(closing(redis.Redis(port=ports["redis"])))
        client.set("org-1", _BODY)
        asks["redis"] = lambda: client.get("org-1")
        found: dict[str, list[list[float]]] = {kind: [] for kind in asks}
        for _ in range(rounds):
            for kind, ask in asks.items():
                found[kind].append(times_us(ask))
    return found


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print the claims and write them down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments).rounds
    with scratch() as folder:
        found = measured(folder, rounds)
    median = {kind: _median_of_medians(values) for kind, values in found.items()}
    claims = [
        Claim("/v1/decide", _said(found["node"]), None),
        Claim("a bare uvicorn JSON endpoint", _said(found["bare"]), None),
        Claim("redis-py GET", _said(found["redis"]), None),
        _ratio(
            "/v1/decide p50 ≤ 1.5 times a bare uvicorn JSON endpoint", median["node"] / median["bare"], _BARE
        ),
        _ratio("/v1/decide p50 ≤ 3 times a redis-py GET", median["node"] / median["redis"], _REDIS),
    ]
    if rounds == ROUNDS:
        write_section("guard_http", "Verdicts over HTTP", claims_markdown(claims))
    return print_claims(claims)


def _median_of_medians(values: Sequence[Sequence[float]]) -> float:
    """Return the median round's median: one round that the scheduler spoilt does not count."""
    return statistics.median(statistics.median(one) for one in values)


def _said(values: Sequence[Sequence[float]]) -> str:
    every = sorted(time_us for one in values for time_us in one)
    return f"p50 {_median_of_medians(values):.0f} µs, p99 {every[int(0.99 * len(every))]:.0f} µs"


def _ratio(sentence: str, ratio: float, most: float) -> Claim:
    return Claim(sentence, f"{ratio:.2f} times", ratio <= most)


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
