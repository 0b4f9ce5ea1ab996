"""Requests from a NATS JetStream: a durable pull consumer that acknowledges what is on disk.

A message holds canonical requests as JSON lines, or an OTLP export request when its `Content-Type` says protobuf
(`application/x-protobuf`) or OTLP/JSON (`application/json` with `resourceSpans`). `Content-Encoding` may be gzip or
zstd. A message that can never be used is terminated, counted, and not delivered again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from stillwatch.errors import BodyError, NodeError, UsageError
from stillwatch.respond.ingest import json_requests, otlp_requests
from stillwatch.respond.ingest.body import BodyLimits, decompressed
from stillwatch.respond.ingest.counters import IngestCounters
from stillwatch.respond.ingest.intake import Intake
from stillwatch.respond.ingest.received import Delivery, Receipt

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

log = structlog.get_logger()

SOURCE: Final = "jetstream"
_DURABLE: Final = "stillwatch-node"
_BATCH: Final = 256  # messages asked for at once
_PATIENCE_S: Final = 1.0
_ACK_WAIT_S: Final = 10.0  # a message that is not acknowledged by then, as after a kill, is delivered again
_PAUSE_S: Final = 2.0
_LIMITS: Final = BodyLimits()


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Where the messages are.

    Args:
        url: URL of the server.
        stream: Name of the stream; made if it is not there.
        subject: Subject of the messages.
    """

    url: str
    stream: str
    subject: str


class StreamConsumer:
    """Takes messages from a stream into the intake.

    Args:
        options: Where the messages are.
        intake: Where deliveries go.
        counters: What is counted.

    Raises:
        UsageError: The client library is not installed.
    """

    def __init__(self, options: StreamOptions, intake: Intake, counters: IngestCounters) -> None:
        """Find the client library before anything starts."""
        try:
            import nats  # noqa: F401, PLC0415 - an optional part
        except ImportError as error:
            raise UsageError("--broker needs nats-py", hint="install stillwatch[nats]") from error
        self._options = options
        self._intake = intake
        self._counters = counters

    async def run(self) -> None:
        """Consume until cancelled; a server that goes away is waited for."""
        import nats.errors  # noqa: PLC0415 - an optional part
        import nats.js.errors  # noqa: PLC0415

        while True:
            try:
                await self._connected()
            except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
                log.warning("broker not reached", error=type(error).__name__, again_in_s=_PAUSE_S)
                await asyncio.sleep(_PAUSE_S)

    async def _connected(self) -> None:
        client = await self._connect()
        try:
            await self._consume(client, client.jetstream())
        finally:
            with contextlib.suppress(Exception):  # whatever it was, the connection is given up
                await client.close()

    async def _connect(self) -> Client:
        import nats  # noqa: PLC0415 - an optional part

        async def on_error(error: Exception) -> None:
            log.warning("broker", error=type(error).__name__)

        return await nats.connect(
            self._options.url,
            name="stillwatch node",
            connect_timeout=5,
            allow_reconnect=False,  # `run` connects again, with a new subscription
            error_cb=on_error,
        )

    async def _consume(self, client: Client, stream: JetStreamContext) -> None:
        import nats.errors  # noqa: PLC0415 - an optional part
        from nats.js.api import AckPolicy, ConsumerConfig  # noqa: PLC0415
        from nats.js.errors import NotFoundError  # noqa: PLC0415

        try:
            await stream.stream_info(self._options.stream)
        except NotFoundError:
            await stream.add_stream(name=self._options.stream, subjects=[self._options.subject])
        config = ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT, ack_wait=_ACK_WAIT_S, max_ack_pending=8 * _BATCH
        )
        consumer = await stream.pull_subscribe(
            self._options.subject, durable=_DURABLE, stream=self._options.stream, config=config
        )
        log.info("broker connected", stream=self._options.stream)
        while client.is_connected:
            try:
                messages = await consumer.fetch(_BATCH, timeout=_PATIENCE_S)
            except (TimeoutError, nats.errors.TimeoutError):
                continue
            await self._take(messages)

    async def _take(self, messages: Sequence[Msg]) -> None:
        """Store messages together, then acknowledge them. What cannot be stored now is delivered again later."""
        taken: list[tuple[Msg, asyncio.Future[Receipt]]] = []
        for message in messages:
            try:
                delivery = await asyncio.to_thread(delivered, message.data, dict(message.headers or {}))
                taken.append((message, asyncio.wrap_future(self._intake.submit(delivery))))
            except BodyError as error:
                self._counters.bodies_refused[error.status] += 1
                await message.term()
            except NodeError:
                await message.nak(delay=_PAUSE_S)
        for message, receipt in taken:
            try:
                await receipt
            except NodeError:
                await message.nak(delay=_PAUSE_S)
            else:
                await message.ack()


def delivered(data: bytes, headers: dict[str, str]) -> Delivery:
    """Parse one message.

    Args:
        data: Its payload.
        headers: Its headers, if there are any.

    Raises:
        BodyError: It can never be used.
    """
    said = {name.lower(): value for name, value in headers.items()}
    body = decompressed(data, said.get("content-encoding", ""), _LIMITS)
    media = said.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/x-protobuf":
        return otlp_requests.delivered_protobuf(body, SOURCE)
    if body[:64].lstrip().startswith(b'{"resourceSpans"'):
        return otlp_requests.delivered_json(body, SOURCE)
    return json_requests.delivered(body, SOURCE)
