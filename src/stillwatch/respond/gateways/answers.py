"""Answers on their way to the customer: watched for the record, and filtered where something is withheld."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from starlette.types import Message, Send

from stillwatch.domain.actions import Withheld
from stillwatch.domain.calls import Outcome
from stillwatch.respond.gateways.exchange import answer_columns
from stillwatch.respond.gateways.withholding import EventFilter, stripped_json

_MOST_KEPT: Final = 4 << 20
_EVENTS: Final = b"text/event-stream"


def kind_of(message: Message) -> bytes:
    """Return the media type of an answer that starts."""
    for name, value in message.get("headers", ()):
        if name.lower() == b"content-type":
            return bytes(value).partition(b";")[0].strip().lower()
    return b""


class WatchedAnswer:
    """Passes everything on at once, and keeps what tells the usage.

    Args:
        send: Where it goes.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._kind = b""
        self._status: int | None = None
        self._kept = bytearray()
        self._usage = b""

    async def __call__(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start":
            self._status, self._kind = message["status"], kind_of(message)
        elif message["type"] == "http.response.body":
            self._keep(message.get("body", b""))
        await self._send(message)

    def outcome(self, latency_ms: int, columns: dict[str, Any]) -> Outcome:
        """Return how the call ended.

        Args:
            latency_ms: Milliseconds it took.
            columns: What is known of the request.
        """
        raw = self._usage if self._kind == _EVENTS else bytes(self._kept)
        told = answer_columns(raw, self._status or 0) if raw else {}
        return Outcome(status=self._status, latency_ms=latency_ms, request={**columns, **told})

    def _keep(self, chunk: bytes) -> None:
        """Keep a whole answer, or of a stream the last event that tells tokens."""
        if self._kind != _EVENTS:
            if len(self._kept) + len(chunk) <= _MOST_KEPT:
                self._kept += chunk
            return
        whole, newline, rest = (bytes(self._kept) + chunk).rpartition(b"\n")
        self._kept = bytearray(rest[-_MOST_KEPT:])
        if newline and b'"usage"' in whole:
            for line in whole.split(b"\n"):
                if line.startswith(b"data:") and b'"usage"' in line:
                    self._usage = line[5:].strip()


class FilteredAnswer:
    """Takes out what is withheld: event by event from a stream, at the end from a whole answer.

    Args:
        send: Where it goes.
        withheld: What is taken out.
    """

    def __init__(self, send: Send, withheld: Iterable[Withheld]) -> None:
        self._send = send
        self._withheld = frozenset(withheld)
        self._start: Message | None = None
        self._events: EventFilter | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._events is not None:
            await self._pass_events(message, self._events)
        else:
            await self._gather(message)

    async def _begin(self, message: Message) -> None:
        if kind_of(message) == _EVENTS:
            self._events = EventFilter(self._withheld)
            await self._send({**message, "headers": _without_length(message)})
        else:
            self._start = message

    async def _pass_events(self, message: Message, events: EventFilter) -> None:
        body = events.feed(message.get("body", b""))
        more = message.get("more_body", False)
        if not more:
            body += events.end()
        if body or not more:
            await self._send({**message, "body": body})

    async def _gather(self, message: Message) -> None:
        """Wait for the whole answer: its length changes."""
        self._body += message.get("body", b"")
        if message.get("more_body", False) or self._start is None:
            return
        body = stripped_json(bytes(self._body), self._withheld)
        headers = [*_without_length(self._start), (b"content-length", str(len(body)).encode())]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _without_length(message: Message) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"content-length"]
