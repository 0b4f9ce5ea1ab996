"""Envoy's external authorization over HTTP, served by the node.

Envoy asks with the method, path and headers of the original request, under a prefix of ours, and lets it through on
200. Headers of that answer may be added to the request, so that what lies behind can act on tags and on what is
withheld; the request's body is never seen. `docs/decisions.md` has the filter's configuration.
"""

from __future__ import annotations

from typing import Final

from starlette.types import Receive, Scope as Connection, Send

from stillwatch.domain.calls import Verdict
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.gateways.identity import HeaderNames, call_of
from stillwatch.respond.gateways.refusals import refusal_of
from stillwatch.respond.web.interface import Interface, Scope

PREFIX: Final = "/ext_authz"
"""What `path_prefix` is set to in Envoy."""

METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""Envoy asks with the method of the original request."""

_NOTHING: Final = Verdict()


class ExternalAuthorization:
    """The endpoint: a bare ASGI application.

    Args:
        guard: Decides.
        names: Which headers to believe. The account must come in one that Envoy itself sets: its own
            `authorization` header carries the node's token and no longer the customer's key.
    """

    stillwatch_interface = Interface(
        scope=Scope.DECIDE,
        summary="Envoy's external authorization: 200 lets the original request through.",
        responses={
            "200": {"description": "Let it through; x-stillwatch headers say what to mark and withhold."},
            "403": {"description": "Refuse it."},
            "429": {"description": "Refuse it for now."},
        },
    )

    def __init__(self, guard: Guard, names: HeaderNames | None = None) -> None:
        self._guard = guard
        self._names = names or HeaderNames()

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Answer for one request."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in connection["headers"]
        }
        headers.pop(
            "authorization", None
        )  # the node's token: whoever has it is the gateway, not the customer
        verdict = self._guard.decide(call_of(headers, {}, self._names))
        if verdict.refused:
            refusal = refusal_of(verdict, connection["path"])
            await _answer(send, refusal.status, refusal.headers, refusal.body)
        else:
            await _answer(send, 200, _marks(verdict), b"")


def _marks(verdict: Verdict) -> dict[str, str]:
    """Say what the original request should carry from here on."""
    if verdict == _NOTHING:
        return {}
    marks = {
        "x-stillwatch-tags": ",".join(verdict.tags),
        "x-stillwatch-verify": "1" if verdict.verify else "",
        "x-stillwatch-withhold": ",".join(verdict.withheld),
    }
    return {name: value for name, value in marks.items() if value}


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    every = {**headers, "content-length": str(len(body))}
    encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
