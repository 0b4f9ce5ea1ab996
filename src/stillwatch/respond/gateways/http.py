"""What gateways ask of the node over HTTP."""

from __future__ import annotations

from starlette.routing import Route

from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.gateways.ext_authz import METHODS, PREFIX, ExternalAuthorization
from stillwatch.respond.gateways.guardrail import PATH, GenericGuardrail


def routes(guard: Guard) -> list[Route]:
    """Return the endpoints.

    Args:
        guard: Knows what is in force.
    """
    return [
        Route(f"{PREFIX}/{{path:path}}", ExternalAuthorization(guard), methods=METHODS),
        Route(PATH, GenericGuardrail(guard), methods=["POST"]),
    ]
