"""Middleware before any OpenAI-compatible server that speaks ASGI.

    app = StillwatchMiddleware(app, Guard("https://node.example.com:8585", token="…"))

Verdicts come from the guard's memory, so nothing here waits for a network. A call that nothing is decided about passes
untouched, streams byte for byte as the server sends them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stillwatch.domain.calls import Call, Outcome, Verdict
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.gateways.answers import FilteredAnswer, WatchedAnswer
from stillwatch.respond.gateways.exchange import request_columns
from stillwatch.respond.gateways.identity import HeaderNames, call_of
from stillwatch.respond.gateways.refusals import refusal_of
from stillwatch.respond.gateways.withholding import strip_request

PATHS: Final = frozenset({"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"})
OURS: Final = "x-stillwatch-"
"""Headers that only this middleware may set."""

_MOST_BYTES: Final = 32 << 20
"""A longer body is not looked into; the verdict then rests on headers alone."""

_log: Final = structlog.get_logger("stillwatch.gateway")


class StillwatchMiddleware:
    """Asks a guard about each call, enforces the verdict, and records how the call ended.

    Args:
        app: The server.
        guard: Decides.
        names: Which headers to believe.
        account: Returns the account of a connection, where the server knows better than a header; None asks the headers.
        paths: Paths that lead to the model.
        text: Record prompts, which detection reads; False records everything else.
    """

    def __init__(
        self,
        app: ASGIApp,
        guard: Guard,
        *,
        names: HeaderNames | None = None,
        account: Callable[[Scope], str | None] | None = None,
        paths: Collection[str] = PATHS,
        text: bool = True,
    ) -> None:
        self._app = app
        self._guard = guard
        self._names = names or HeaderNames()
        self._account = account
        self._paths = frozenset(paths)
        self._text = text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, changed or not, or refuse it."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        raw, pending = await _body(receive)
        body = _parsed(raw)
        call = self._call(scope, body)
        verdict = self._guard.decide(call)
        if verdict.refused:
            await _refuse(send, verdict, scope["path"])
            self._guard.record(call, Outcome(status=refusal_of(verdict).status, request=self._columns(raw)))
            return
        columns = self._columns(raw)
        marked = _marked(scope, verdict)
        if verdict.withheld and body and strip_request(body, verdict.withheld):
            raw = msgspec.json.encode(body)
            marked = _resized(marked, len(raw))
        await self._pass_on(marked, _replayed(raw, pending, receive), send, verdict, call, columns)

    async def _pass_on(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        verdict: Verdict,
        call: Call,
        columns: dict[str, Any],
    ) -> None:
        """Call the server and watch what it answers."""
        started = time.monotonic()
        watched = WatchedAnswer(send)
        sender = FilteredAnswer(watched, verdict.withheld) if verdict.withheld else watched
        try:
            await self._app(scope, receive, sender)
        finally:
            latency_ms = int((time.monotonic() - started) * 1_000)
            self._guard.record(call, watched.outcome(latency_ms, columns))

    def _call(self, scope: Scope, body: dict[str, Any]) -> Call:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope.get("client")
        call = call_of(headers, body, self._names, client[0] if client else None)
        account = self._account(scope) if self._account is not None else None
        if account:
            call.account_id = account
        return call

    def _columns(self, raw: bytes) -> dict[str, Any]:
        """Return what detection reads of a request; nothing when it cannot be read or nobody wants it."""
        if not self._guard.records:
            return {}
        try:
            return request_columns(raw, text=self._text)
        except Exception:  # noqa: BLE001 - a record is never worth a call
            _log.exception("request not understood")
            return {}


async def _body(receive: Receive) -> tuple[bytes, Message | None]:
    """Read the body up to the limit; return it and the message that came after it, if one did."""
    kept = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(kept), message
        kept += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(kept), None
        if len(kept) > _MOST_BYTES:
            return bytes(kept), {"type": "http.request", "body": b"", "more_body": True}


def _replayed(raw: bytes, pending: Message | None, receive: Receive) -> Receive:
    """Return a receiver that gives the body again, then whatever else comes."""
    more = pending is not None and pending["type"] == "http.request"
    waiting: list[Message] = [{"type": "http.request", "body": raw, "more_body": more}]
    if pending is not None and not more:
        waiting.append(pending)

    async def again() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return again


def _parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > _MOST_BYTES:
        return {}
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _marked(scope: Scope, verdict: Verdict) -> Scope:
    """Tell the server what it should know, and let nobody else pretend to."""
    kept = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(OURS.encode())]
    if verdict.tags:
        kept.append((f"{OURS}tags".encode(), ",".join(verdict.tags).encode("latin-1", "replace")))
    if verdict.verify:
        kept.append((f"{OURS}verify".encode(), b"1"))
    if verdict.withheld:
        kept = [(name, value) for name, value in kept if name.lower() != b"accept-encoding"]
        kept.append((f"{OURS}withhold".encode(), ",".join(verdict.withheld).encode()))
    return {**scope, "headers": kept}


def _resized(scope: Scope, length: int) -> Scope:
    kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"content-length"]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


async def _refuse(send: Send, verdict: Verdict, path: str) -> None:
    refusal = refusal_of(verdict, path)
    headers = {**refusal.headers, "content-length": str(len(refusal.body))}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": encoded})
    await send({"type": "http.response.body", "body": refusal.body})
