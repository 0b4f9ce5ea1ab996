"""A running node: its parts, in the order in which they start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette

from stillwatch.errors import NodeError, UsageError
from stillwatch.respond.access.http import routes as routes_of_access
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.cases.http import routes as routes_of_cases
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.http import routes as routes_of_decisions
from stillwatch.respond.gateways.http import routes as routes_of_gateways
from stillwatch.respond.ingest.counters import IngestCounters
from stillwatch.respond.ingest.following import FolderFollower
from stillwatch.respond.ingest.http import Receivers
from stillwatch.respond.ingest.intake import Intake
from stillwatch.respond.ingest.jetstream import StreamConsumer, StreamOptions
from stillwatch.respond.ingest.offsets import Offsets
from stillwatch.respond.ingest.spool import OWNER_ONLY, OWNER_ONLY_FOLDER, Spool
from stillwatch.respond.node.app import build_app
from stillwatch.respond.node.clock import SteadyClock
from stillwatch.respond.node.gate import Gate
from stillwatch.respond.node.monitoring import Monitoring, guard_metrics
from stillwatch.respond.node.options import LOOPBACK, NodeOptions
from stillwatch.respond.node.rounds import Rounds
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.store import open_store

log = structlog.get_logger()

_SWITCH_S: Final = (
    0.001  # parsing yields to the event loop after a millisecond, so that decisions do not wait
)
_DRAIN_S: Final = 10  # open requests may end when the node stops
_BACKLOG: Final = 1_024
_FIRST_LOAD_S: Final = 2.0  # calls pass unchecked, and counted, if everything is not loaded by then


def serve(options: NodeOptions) -> None:
    """Run a node until it is told to stop.

    Args:
        options: What it was told.

    Raises:
        UsageError: It would talk to other machines in the clear, only half of TLS was named, or a folder is none.
        NodeError: The folder is in use, or the address cannot be listened on.
        StillwatchError: A part of it cannot start.
    """
    check(options)
    sys.setswitchinterval(_SWITCH_S)
    with only_node(options.data), listening(options) as listener:
        node = Node(options)
        gc.freeze()
        # The server raises a signal that it was stopped by once more when it has ended; stopping is no failure.
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGINT, lambda *_: None)
        log.info("listening", address=address_of(options, listener))
        server = uvicorn.Server(
            uvicorn.Config(
                node.app,
                log_config=None,
                access_log=False,
                server_header=False,
                ssl_certfile=options.tls_certificate,
                ssl_keyfile=options.tls_key,
                timeout_graceful_shutdown=_DRAIN_S,
                backlog=_BACKLOG,
            )
        )
        server.run(sockets=[listener])
        if not server.started:
            raise NodeError("the node did not start", hint="its log says why")


class Node:
    """The parts of a node.

    Args:
        options: What it was told.
    """

    def __init__(self, options: NodeOptions) -> None:
        """Open the spool, and put the application together."""
        self._options = options
        clock = SteadyClock()
        self.counters = IngestCounters()
        self.spool = Spool(
            options.detector.spool, max_bytes=options.spool_bytes, min_free_bytes=options.min_free_bytes
        )
        self.intake = Intake(self.spool, clock, self.counters)
        self.receivers = Receivers(self.intake, self.counters)
        self._consumer = self._stream_consumer()
        self._follower = self._folder_follower(clock)
        self.rounds = Rounds(options.detector, self.spool, options.every_s)
        self.gate = Gate(TokenBook(options.data, clock))
        self.store = open_store(options.detector.database_url)
        self.guard = Guard(options.detector.database_url, wait_s=_FIRST_LOAD_S)
        monitoring = Monitoring(
            self.spool, self.counters, self.rounds.counters, self.gate, (lambda: guard_metrics(self.guard),)
        )
        trail = AuditTrail(self.store, clock)
        deciding = [*routes_of_decisions(self.guard, trail, clock), *routes_of_gateways(self.guard)]
        self.app = build_app(
            [
                *deciding,
                *routes_of_cases(trail, clock),
                *routes_of_access(trail, clock),
                *self.receivers.routes(),
                *monitoring.routes(),
            ],
            self.gate,
            lifespan=self._running,
        )

    def _stream_consumer(self) -> StreamConsumer | None:
        options = self._options
        if not options.broker:
            return None
        where = StreamOptions(options.broker, options.stream, options.subject)
        return StreamConsumer(where, self.intake, self.counters)

    def _folder_follower(self, clock: SteadyClock) -> FolderFollower | None:
        options = self._options
        if not options.watch:
            return None
        offsets = Offsets(options.data / "followed.json")
        return FolderFollower(options.watch, offsets, self.spool, clock, self.counters, options.columns)

    @asynccontextmanager
    async def _running(self, _app: Starlette) -> AsyncIterator[None]:
        """Run what is beside the application; it stops after the last answer."""
        async with AsyncExitStack() as stack:
            stack.callback(self.store.close)
            stack.callback(self.guard.close)
            stack.push_async_callback(self.rounds.stop)
            stack.callback(self.spool.close)
            stack.callback(self.intake.close)
            stack.callback(self.receivers.close)
            for name, task in self._tasks():
                stack.push_async_callback(_cancelled, asyncio.create_task(task, name=name))
            yield
            log.info("stopping")

    def _tasks(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        yield "rounds", self.rounds.run()
        if self._consumer is not None:
            yield "broker", self._consumer.run()
        if self._follower is not None:
            yield "folders", self._follower.run()


async def _cancelled(task: asyncio.Task[None]) -> None:
    """End a task and wait until it has."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def check(options: NodeOptions) -> None:
    """Refuse what would be unsafe.

    Raises:
        UsageError: See `serve`.
    """
    if (options.tls_certificate is None) != (options.tls_key is None):
        raise UsageError("TLS needs a certificate and its key", hint="name both --tls-cert and --tls-key")
    for path in (options.tls_certificate, options.tls_key):
        if path is not None and not path.is_file():
            raise UsageError(f"{path} is no file", hint="name PEM files with --tls-cert and --tls-key")
    for folder in options.watch:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder", hint="name folders with --watch")
    if options.host not in LOOPBACK and options.tls_certificate is None and not options.insecure:
        raise UsageError(
            f"{options.host} can be reached from other machines, and tokens would travel in the clear",
            hint="name --tls-cert and --tls-key, or say --insecure behind a proxy that speaks TLS",
        )


@contextmanager
def only_node(data: Path) -> Iterator[None]:
    """Make sure that one node works in a folder.

    Args:
        data: The node's folder; made if it is not there.

    Raises:
        NodeError: Another node does, or the folder cannot be used.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
        handle = os.open(data / "node.lock", os.O_CREAT | os.O_RDWR, OWNER_ONLY)
    except OSError as error:
        raise NodeError(
            f"{data} cannot be used: {error.strerror}", hint="name a folder of yours with --data"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise NodeError(
            f"a node runs in {data} already", hint="stop it, or name another --data folder"
        ) from error
    finally:
        os.close(handle)


@contextmanager
def listening(options: NodeOptions) -> Iterator[socket.socket]:
    """Take the address.

    Args:
        options: Host and port.

    Raises:
        NodeError: It cannot be had.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((options.host, options.port))
            listener.listen(_BACKLOG)  # whoever comes from now on is answered as soon as everything runs
        except OSError as error:
            raise NodeError(
                f"{options.host}:{options.port} cannot be listened on: {error.strerror}",
                hint="name another address with --listen",
            ) from error
        yield listener


def address_of(options: NodeOptions, listener: socket.socket) -> str:
    """Return the URL that the node answers on."""
    scheme = "https" if options.tls_certificate else "http"
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"
