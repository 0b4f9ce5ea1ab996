"""The web application: every package's routes, each behind the gate that its interface names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stillwatch.errors import StillwatchError
from stillwatch.respond.node.gate import Gate
from stillwatch.respond.node.openapi import openapi_document
from stillwatch.respond.web.interface import interface, interface_of
from stillwatch.respond.web.problems import on_bug, on_http_exception, on_stillwatch_error

log = structlog.get_logger()
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def build_app(routes: Sequence[Route], gate: Gate, lifespan: Lifespan | None = None) -> Starlette:
    """Put an application together.

    Args:
        routes: Endpoints, each described with `web.interface`.
        gate: Checks tokens.
        lifespan: What runs beside the application.

    Raises:
        RuntimeError: An endpoint does not say who may call it.
    """
    document = b""

    @interface(None, "This document.", responses={"200": {"description": "OpenAPI 3.1."}})
    async def openapi(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    every = [*routes, Route("/openapi.json", openapi, methods=["GET"])]
    document = msgspec.json.encode(openapi_document(every))
    return Starlette(
        routes=[_behind(gate, route) for route in every],
        exception_handlers={
            StillwatchError: on_stillwatch_error,
            HTTPException: on_http_exception,
            Exception: _logged_bug,
        },
        lifespan=lifespan,
    )


def _behind(gate: Gate, route: Route) -> Route:
    scope = interface_of(route.endpoint).scope
    if scope is None:
        return route
    return Route(
        route.path, gate.guarded(route.app, scope), methods=sorted(route.methods or ()), name=route.name
    )


async def _logged_bug(request: Request, error: Exception) -> Response:
    """Answer a bug; the log says where, never with what data."""
    log.error("bug", path=request.url.path, error=type(error).__name__)
    return await on_bug(request, error)
