"""A node in a process of its own, as a user starts it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.web.interface import Scope

START_S = 60.0  # a machine under load; the benchmark measures the time to restart
_ADDRESS = re.compile(r"address='https?://[^:]+:(\d+)'")


def cpu_s(process: int) -> float:
    """Return the processor time that a process has used, without its children."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class RunningNode:
    """Starts, asks, kills and starts again."""

    def __init__(self, data: Path, *words: str, every: str = "1s") -> None:
        self.data = data
        self.words = words
        self.every = every
        self.listen = "127.0.0.1:0"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data.parent / f"{data.name}.log"
        self.token = self.new_token(Scope.ADMIN)

    def new_token(self, *scopes: Scope, rate_per_s: float = 100_000.0) -> str:
        book = TokenBook(self.data, lambda: datetime.now(UTC))
        return book.add("test", scopes, rate_per_s=rate_per_s)[1]

    def start(self) -> float:
        """Start it and return the seconds until it answered."""
        began = time.monotonic()
        before = len(self.text())
        with self.log.open("a", encoding="utf-8") as log:
            process = self.process = subprocess.Popen(
                [sys.executable, "-m", "stillwatch", "node", "--data", str(self.data), "--every", self.every,
                 "--listen", self.listen, *self.words],
                stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )  # fmt: skip
        while time.monotonic() < began + START_S:
            found = _ADDRESS.findall(self.text()[before:])
            if found:
                self.port = int(found[-1])
                break
            if process.poll() is not None:
                break
            time.sleep(0.02)
        else:
            self.kill()
        if not self.port or process.poll() is not None:
            raise AssertionError(f"the node did not start:\n{self.text()[-3000:]}")
        assert self.get("/healthz", token="").status == 200
        return time.monotonic() - began

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def kill(self) -> None:
        """`kill -9`, in the middle of whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=30)

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> Answer:
        given = self.token if token is None else token
        more = {"Authorization": f"Bearer {given}"} if given else {}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, {**more, **(headers or {})})
            answer = connection.getresponse()
            return Answer(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
            )

    def get(self, path: str, *, token: str | None = None) -> Answer:
        return self.ask("GET", path, token=token)

    def send(self, rows: Sequence[Mapping[str, Any]], **headers: str) -> Answer:
        """Send canonical requests as JSON lines."""
        body = b"\n".join(json.dumps(row).encode() for row in rows)
        return self.ask("POST", "/v1/requests", body, {"Content-Type": "application/x-ndjson", **headers})

    def metric(self, name: str) -> float:
        """Return the sum of one metric over its labels."""
        lines = self.get("/metrics").body.decode().splitlines()
        values = [line.rsplit(" ", 1)[1] for line in lines if re.match(rf"stillwatch_{name}[{{ ]", line)]
        return sum(map(float, values))

    def until(self, name: str, value: float, *, seconds: float = 300.0) -> None:
        """Wait until a metric has reached a value."""
        end = time.monotonic() + seconds
        while self.metric(name) < value:
            if time.monotonic() > end:
                raise AssertionError(f"{name} stays at {self.metric(name)}:\n{self.text()[-3000:]}")
            time.sleep(0.1)

    def settled(self) -> None:
        """Wait until everything that was acknowledged is in the profiles."""
        self.until("rounds_total", self.metric("rounds_total") + 2)
        assert self.metric("spool_bytes") == 0
