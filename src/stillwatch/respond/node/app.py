"""The web application: every package's routes, each behind the gate that its interface names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from stillwatch.errors import StillwatchError
from stillwatch.respond.node.gate import Gate
from stillwatch.respond.node.openapi import openapi_document
from stillwatch.respond.web.fast_paths import FastPaths
from stillwatch.respond.web.interface import interface, interface_of
from stillwatch.respond.web.problems import on_bug, on_http_exception, on_stillwatch_error, problem

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
        routes=_by_path(gate, every),
        middleware=[Middleware(FastPaths, fast=_fast(gate, every))],
        exception_handlers={
            StillwatchError: on_stillwatch_error,
            HTTPException: on_http_exception,
            Exception: _logged_bug,
        },
        lifespan=lifespan,
    )


def _by_path(gate: Gate, routes: Sequence[Route]) -> list[Route]:
    """Put the endpoints of one path together, so that a refused method is told all that are allowed."""
    paths: dict[str, dict[str, ASGIApp]] = {}
    for route in routes:
        guarded = _behind(gate, route)
        paths.setdefault(route.path, {}).update(dict.fromkeys(route.methods or (), guarded))
    return [Route(path, _Methods(methods)) for path, methods in paths.items()]


def _behind(gate: Gate, route: Route) -> ASGIApp:
    scope = interface_of(route.endpoint).scope
    return route.app if scope is None else gate.guarded(route.app, scope)


class _Methods:
    """The endpoints of one path."""

    def __init__(self, methods: Mapping[str, ASGIApp]) -> None:
        self._methods = methods
        self._allowed = ", ".join(sorted(methods))

    async def __call__(self, connection: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on by its method."""
        app = self._methods.get(connection["method"])
        if app is None:
            app = problem(405, "the path knows no such method", headers={"Allow": self._allowed})
        await app(connection, receive, send)


def _fast(gate: Gate, routes: Sequence[Route]) -> dict[tuple[str, str], ASGIApp]:
    """Return the endpoints that are bare applications, which answer their own errors, by method and path."""
    bare = [route for route in routes if not inspect.isroutine(route.endpoint) and "{" not in route.path]
    return {(method, route.path): _behind(gate, route) for route in bare for method in route.methods or ()}


async def _logged_bug(request: Request, error: Exception) -> Response:
    """Answer a bug; the log says where, never with what data."""
    log.error("bug", path=request.url.path, error=type(error).__name__)
    return await on_bug(request, error)
