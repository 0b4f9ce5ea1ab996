"""The OpenAPI document, put together from what each endpoint says of itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from starlette.routing import Route

from stillwatch import __version__
from stillwatch.respond.web.interface import Interface, interface_of
from stillwatch.respond.web.problems import MEDIA_TYPE, SCHEMA as PROBLEM

_PARAMETER: Final = re.compile(r"{(\w+)(?::\w+)?}")
_SHARED: Final = {
    "401": "There is no valid token.",
    "403": "The token is for something else.",
    "429": "Too often; `Retry-After` says how long to wait.",
}


def openapi_document(routes: Sequence[Route]) -> dict[str, Any]:
    """Describe routes as OpenAPI 3.1.

    Args:
        routes: All endpoints, each with an interface.
    """
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"Problem": PROBLEM}
    for route in routes:
        said = interface_of(route.endpoint)
        schemas |= said.schemas
        for method in sorted(set(route.methods or ()) - {"HEAD"}):
            path = _PARAMETER.sub(r"{\1}", route.path)
            paths.setdefault(path, {})[method.lower()] = _operation(route, said, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "stillwatch node",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, said: Interface, method: str) -> dict[str, Any]:
    shared = _SHARED if said.scope is not None else {}
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}_{re.sub(r'[^a-z0-9]+', '_', route.path.lower()).strip('_')}",
        "summary": said.summary,
        "responses": {
            **{status: _refusal(text) for status, text in shared.items()},
            **{status: _described(status, response) for status, response in said.responses.items()},
        },
        "security": [] if said.scope is None else [{"token": [said.scope.value]}],
    }
    if said.request:
        operation["requestBody"] = said.request
    parameters = [*said.parameters, *_path_parameters(route, said)]
    if parameters:
        operation["parameters"] = parameters
    return operation


def _path_parameters(route: Route, said: Interface) -> list[dict[str, Any]]:
    """List the parameters in the path that the endpoint does not describe itself."""
    known = {one.get("name") for one in said.parameters}
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
        if name not in known
    ]


def _described(status: str, response: Any) -> dict[str, Any]:
    """Give a refusal the form that all refusals have."""
    if status.startswith(("4", "5")) and "content" not in response:
        return _refusal(str(response.get("description", "")))
    return dict(response)


def _refusal(text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
