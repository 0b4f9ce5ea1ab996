"""The HTTP receivers: `POST /v1/requests` (JSON lines) and `POST /v1/traces` (OTLP/HTTP)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stillwatch.errors import BodyError, NodeError, OverloadedError
from stillwatch.respond.ingest import json_requests, otlp_requests
from stillwatch.respond.ingest.body import BodyLimits, decompressed, received
from stillwatch.respond.ingest.counters import IngestCounters
from stillwatch.respond.ingest.descriptions import REQUESTS_INTERFACE, TRACES_INTERFACE
from stillwatch.respond.ingest.intake import Intake
from stillwatch.respond.ingest.otlp_answers import accepted_answer, refused_answer
from stillwatch.respond.ingest.received import Delivery, Receipt
from stillwatch.respond.web.interface import interface
from stillwatch.respond.web.problems import problem

JSON_LINES: Final = frozenset(
    {"", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines",
     "application/jsonlines", "application/json"}
)  # fmt: skip
_JSON, _PROTOBUF = "application/json", "application/x-protobuf"
_INLINE_BYTES: Final = 16 << 10  # parsed at once: shorter than handing it to another thread
_BODY_TIMEOUT_S: Final = 60.0
_UTF8: Final = frozenset({"", "utf-8", "utf8"})
_DEFAULT_LIMITS: Final = BodyLimits()
Parse = Callable[[bytes, str], Delivery]


class Receivers:
    """Takes bodies in, one at a time or many at once, within one bound on memory.

    Args:
        intake: Where deliveries go.
        counters: What is counted.
        limits: How large one body may be.
        max_held_bytes: Bodies in memory at once, compressed and decompressed together.
    """

    def __init__(
        self,
        intake: Intake,
        counters: IngestCounters,
        *,
        limits: BodyLimits = _DEFAULT_LIMITS,
        max_held_bytes: int = 512 << 20,
    ) -> None:
        self._intake = intake
        self._counters = counters
        self._limits = limits
        self._max_held_bytes = max_held_bytes
        self._held_bytes = 0
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="parse")

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/v1/requests", self.requests, methods=["POST"]),
            Route("/v1/traces", self.traces, methods=["POST"]),
        ]

    def close(self) -> None:
        """Finish what is being parsed."""
        self._pool.shutdown()

    @interface(**REQUESTS_INTERFACE)
    async def requests(self, request: Request) -> Response:
        """Take canonical requests, one JSON object per line or an array of them."""
        try:
            _media_type(request, JSON_LINES)
            receipt = await self._take(request, json_requests.delivered, "requests")
        except NodeError as error:
            self._counters.bodies_refused[error.status] += 1
            raise
        if not (receipt.accepted or receipt.refused or receipt.ignored):
            return problem(400, "the body holds no requests")
        if not receipt.accepted and receipt.refused:
            return problem(422, "none of the requests can be used", more=receipt.as_json())
        return Response(msgspec.json.encode(receipt.as_json()), media_type=_JSON)

    @interface(**TRACES_INTERFACE)
    async def traces(self, request: Request) -> Response:
        """Take an OTLP export request. Every answer is in the encoding of the question, as OTLP asks."""
        protobuf = request.headers.get("content-type", "").partition(";")[0].strip().lower() == _PROTOBUF
        parse = otlp_requests.delivered_protobuf if protobuf else otlp_requests.delivered_json
        try:
            _media_type(request, frozenset({_JSON, _PROTOBUF}))
            receipt = await self._take(request, parse, "otlp")
        except NodeError as error:
            self._counters.bodies_refused[error.status] += 1
            return refused_answer(error, protobuf=protobuf)
        return accepted_answer(receipt, protobuf=protobuf)

    async def _take(self, request: Request, parse: Parse, source: str) -> Receipt:
        """Receive, decompress, parse, check and store one body.

        Raises:
            NodeError: It was refused as a whole.
        """
        held = _Held(self)
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S):
                stored = await received(
                    held.counted(request), request.headers.get("content-length"), self._limits
                )
            encoding = request.headers.get("content-encoding", "")
            if not encoding and len(stored) <= _INLINE_BYTES:
                delivery = parse(stored, source)
            else:
                loop = asyncio.get_running_loop()
                delivery = await loop.run_in_executor(
                    self._pool, self._parsed, stored, encoding, parse, source
                )
            held.add(delivery.size_bytes)
            return await asyncio.wrap_future(self._intake.submit(delivery))
        except TimeoutError as error:
            raise BodyError(f"the body did not arrive within {_BODY_TIMEOUT_S:.0f} s", status=408) from error
        finally:
            held.release()

    def _parsed(self, stored: bytes, encoding: str, parse: Parse, source: str) -> Delivery:
        return parse(decompressed(stored, encoding, self._limits), source)

    def hold(self, size_bytes: int) -> None:
        """Count bytes that are in memory from now on.

        Raises:
            OverloadedError: There would be too many.
        """
        if self._held_bytes + size_bytes > self._max_held_bytes:
            self._counters.overloads += 1
            raise OverloadedError("too many bodies are being received")
        self._held_bytes += size_bytes

    def let_go(self, size_bytes: int) -> None:
        """Count bytes that are gone."""
        self._held_bytes -= size_bytes


class _Held:
    """The bytes that one body occupies."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
        self._size_bytes = 0

    async def counted(self, request: Request) -> AsyncIterator[bytes]:
        """Pass the body on and count it."""
        async for chunk in request.stream():
            self.add(len(chunk))
            yield chunk

    def add(self, size_bytes: int) -> None:
        """Count further bytes."""
        self._receivers.hold(size_bytes)
        self._size_bytes += size_bytes

    def release(self) -> None:
        """Give everything back."""
        self._receivers.let_go(self._size_bytes)


def _media_type(request: Request, allowed: frozenset[str]) -> None:
    """Refuse a content type that is not understood.

    Raises:
        BodyError: It is another one, or in another character set than UTF-8.
    """
    media, _, rest = request.headers.get("content-type", "").partition(";")
    charset = rest.partition("charset=")[2].partition(";")[0].strip(' "').lower()
    if media.strip().lower() in allowed and charset in _UTF8:
        return
    known = ", ".join(sorted(allowed - {""}))
    raise BodyError("the content type is not supported", status=415, hint=f"send one of {known}, in UTF-8")
