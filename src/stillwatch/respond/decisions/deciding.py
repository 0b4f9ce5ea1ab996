"""`POST /v1/decide`: one verdict, as fast as an ASGI server can answer. And what guards need beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope as Connection, Send

from stillwatch.domain.calls import Call, Verdict
from stillwatch.errors import DecisionError
from stillwatch.respond.decisions.changes import ChangePage
from stillwatch.respond.decisions.combining import NOTHING
from stillwatch.respond.decisions.effects import Effect
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.reading import PAGE, changes_since
from stillwatch.respond.decisions.reporting import keep_effects
from stillwatch.respond.store import Store
from stillwatch.respond.web.interface import Interface, Scope, interface
from stillwatch.respond.web.problems import problem

MOST_BYTES: Final = 64 << 10
"""A call is a few hundred bytes; more is a mistake or an attack."""

_MOST_EFFECTS: Final = 8 << 20
_HEADERS: Final = [(b"content-type", b"application/json")]
_CALLS: Final = msgspec.json.Decoder(Call)
_EFFECTS: Final = msgspec.json.Decoder(list[Effect])
_ENCODER: Final = msgspec.json.Encoder()
_NOTHING: Final = _ENCODER.encode(NOTHING)

(_SCHEMAS, _COMPONENTS) = msgspec.json.schema_components(
    (Call, Verdict, ChangePage, list[Effect]), ref_template="#/components/schemas/{name}"
)
_CALL, _VERDICT, _CHANGES, _EFFECT_LIST = _SCHEMAS


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI object of a JSON body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def json_answer(description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the OpenAPI object of a JSON answer."""
    content = {"application/json": {"schema": schema if schema is not None else {"type": "object"}}}
    return {"description": description, "content": content}


class Decide:
    """The endpoint: a bare ASGI application, because each layer above costs as much as the lookup.

    Args:
        guard: Knows what is in force.
    """

    stillwatch_interface = Interface(
        scope=Scope.DECIDE,
        summary="Say what happens to one call.",
        request=json_body(_CALL),
        responses={
            "200": json_answer("The verdict.", _VERDICT),
            "413": {"description": "The body is too long."},
            "422": {"description": "The body is no call."},
        },
        schemas=_COMPONENTS,
    )

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Answer one request."""
        message = await receive()
        body: bytes = message.get("body", b"")
        while message.get("more_body", False) and len(body) <= MOST_BYTES:
            message = await receive()
            body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            await problem(413, f"a call has at most {MOST_BYTES:,} bytes")(connection, receive, send)
            return
        try:
            call = _CALLS.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            await problem(422, f"the body is no call: {error}"[:500])(connection, receive, send)
            return
        call.time_us = (
            None  # buckets go by this node's clock: one gateway with a wrong one would starve the others
        )
        verdict = self._guard.decide(call)
        raw = _NOTHING if verdict is NOTHING else _ENCODER.encode(verdict)
        headers = [*_HEADERS, (b"content-length", str(len(raw)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": raw})


class GuardRoutes:
    """What guards in other processes ask of the node.

    Args:
        guard: The node's own guard.
        store: The node's store.
    """

    def __init__(self, guard: Guard, store: Store) -> None:
        self._guard = guard
        self._store = store

    def routes(self) -> list[Route]:
        """Return the endpoints, the busiest first."""
        return [
            Route("/v1/decide", Decide(self._guard), methods=["POST"]),
            Route("/v1/changes", self.changes, methods=["GET"]),
            Route("/v1/effects", self.keep, methods=["POST"]),
        ]

    @interface(
        Scope.DECIDE,
        "Return what changed among decisions and indicators after a sequence.",
        parameters=(
            {
                "name": "since",
                "in": "query",
                "schema": {"type": "integer", "minimum": 0},
                "description": "0 for all.",
            },
        ),
        responses={"200": json_answer("Changes in order.", _CHANGES), "422": {"description": "No sequence."}},
        schemas=_COMPONENTS,
    )
    async def changes(self, request: Request) -> Response:
        """Answer a guard that polls."""
        since = number(request.query_params.get("since", "0"), "since")
        page = await run_in_threadpool(self._changes, since)
        return Response(_ENCODER.encode(page), media_type="application/json")

    def _changes(self, since: int) -> ChangePage:
        with self._store.reading() as connection:
            return changes_since(connection, since, datetime.now(UTC), PAGE)

    @interface(
        Scope.DECIDE,
        "Take what a guard counted.",
        request=json_body(_EFFECT_LIST),
        responses={
            "200": json_answer("Kept."),
            "413": {"description": "The body is too long."},
            "422": {"description": "These are no counts."},
        },
        schemas=_COMPONENTS,
    )
    async def keep(self, request: Request) -> Response:
        """Add a guard's counts."""
        body = await bounded(request, _MOST_EFFECTS)
        if body is None:
            return problem(413, "these are too many counts at once")
        counted = decoded(_EFFECTS, body)
        if any(min(one.matched, one.refused, one.would_refuse, one.withheld) < 0 for one in counted):
            raise DecisionError("counts are not negative")
        await run_in_threadpool(keep_effects, self._store, counted)
        return Response(_ENCODER.encode({"kept": len(counted)}), media_type="application/json")


async def bounded(request: Request, most: int) -> bytes | None:
    """Return the body, or None as soon as it is too long."""
    kept = bytearray()
    async for chunk in request.stream():
        kept += chunk
        if len(kept) > most:
            return None
    return bytes(kept)


def decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """Return what a body holds.

    Raises:
        DecisionError: it holds something else.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecisionError(f"the body cannot be used: {error}"[:500], hint="see /openapi.json") from error


def number(text: str, name: str) -> int:
    """Return a number of a query.

    Raises:
        DecisionError: it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise DecisionError(f"{name} is no number", hint="see /openapi.json")
    return int(text)
