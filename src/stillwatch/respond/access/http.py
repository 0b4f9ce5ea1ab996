"""Authorizations over HTTP, for analysts' tools. `routes` returns everything the node serves of access."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

import msgspec
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stillwatch.domain.authorizations import Authorization, Purpose
from stillwatch.domain.decisions import PERSON
from stillwatch.errors import BodyError, GrantError
from stillwatch.respond.access.authorizations.reading import about_account, everything
from stillwatch.respond.access.authorizations.record import RecordedAuthorization, State
from stillwatch.respond.access.authorizations.recording import grant, revoke
from stillwatch.respond.audit import AuditTrail, Write
from stillwatch.respond.decisions.deciding import bounded, decoded, json_answer, json_body
from stillwatch.respond.decisions.http import CALLER
from stillwatch.respond.web.interface import Scope, interface

MOST_BYTES: Final = 4 << 20
"""A permission may name many accounts."""

_OVER: Final = frozenset({State.ENDED, State.REVOKED})


class GrantBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An authorization to record; whoever's token is used records it."""

    authorization_id: str
    purpose: Purpose
    starts_on: date
    ends_on: date
    approved_by: str
    approved_on: date
    account_ids: tuple[str, ...] = ()
    organization: str | None = None
    email_domain: str | None = None
    models: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    max_requests: int | None = None


class RevokeBody(msgspec.Struct, forbid_unknown_fields=True):
    """An authorization to take back, and why."""

    authorization_id: str
    why: str


_GRANT: Final = msgspec.json.Decoder(GrantBody)
_REVOKE: Final = msgspec.json.Decoder(RevokeBody)
((_GRANT_SCHEMA, _REVOKE_SCHEMA), _COMPONENTS) = msgspec.json.schema_components(
    (GrantBody, RevokeBody), ref_template="#/components/schemas/{name}"
)
_ANSWERS: Final = {
    "200": json_answer("The record as it is now."),
    "413": {"description": "The body is too long."},
    "422": {"description": "That is not allowed; the answer says why."},
    "503": {"description": "The database is busy or away; nothing was changed."},
}


def routes(trail: AuditTrail, clock: Callable[[], datetime]) -> list[Route]:
    """Return every endpoint of this package.

    Args:
        trail: The audit trail of the node's store.
        clock: Returns the time, with a zone.
    """
    return AuthorizationRoutes(trail, clock).routes()


class AuthorizationRoutes:
    """What people do about authorizations, through their tools.

    Args:
        trail: The audit trail of the node's store.
        clock: Returns the time, with a zone.
    """

    def __init__(self, trail: AuditTrail, clock: Callable[[], datetime]) -> None:
        self._trail = trail
        self._now = clock

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/v1/authorizations", self.listed, methods=["GET"]),
            Route("/v1/authorizations", self.granted, methods=["POST"]),
            Route("/v1/authorizations/revoke", self.revoked, methods=["POST"]),
        ]

    @interface(
        Scope.ANALYST,
        "List authorizations, by id; only what holds or will hold, unless all is 1.",
        parameters=(
            {"name": "account", "in": "query", "schema": {"type": "string"}},
            {"name": "email_domain", "in": "query", "schema": {"type": "string"}},
            {"name": "all", "in": "query", "schema": {"enum": ["0", "1"]}},
        ),
        responses={"200": json_answer("Authorizations.", {"type": "array", "items": {"type": "object"}})},
    )
    async def listed(self, request: Request) -> Response:
        """List authorizations, all or those that speak of an account."""
        query = request.query_params
        account, domain, whole = query.get("account"), query.get("email_domain"), query.get("all") == "1"
        return _json(await run_in_threadpool(self._listed, account, domain, whole=whole))

    @interface(
        Scope.ANALYST,
        "Record an authorization.",
        request=json_body(_GRANT_SCHEMA),
        responses=_ANSWERS,
        schemas=_COMPONENTS,
    )
    async def granted(self, request: Request) -> Response:
        """Record one."""
        authorization = authorization_from(decoded(_GRANT, await _body(request)))
        return await self._changed(request, lambda write: grant(write, authorization))

    @interface(
        Scope.ANALYST,
        "Take an authorization back, from now on.",
        request=json_body(_REVOKE_SCHEMA),
        responses=_ANSWERS,
        schemas=_COMPONENTS,
    )
    async def revoked(self, request: Request) -> Response:
        """Revoke one."""
        body: RevokeBody = decoded(_REVOKE, await _body(request))
        return await self._changed(request, lambda write: revoke(write, body.authorization_id, body.why))

    def _listed(self, account: str | None, domain: str | None, *, whole: bool) -> list[dict[str, Any]]:
        now = self._now()
        with self._trail.store.reading() as connection:
            if account is None:
                found = everything(connection)
            else:
                found = about_account(connection, account, email_domain=domain)
        return [
            {"state": each.state_at(now).value, **each.model_dump(mode="json")}
            for each in found
            if whole or each.state_at(now) not in _OVER
        ]

    async def _changed(self, request: Request, change: Callable[[Write], RecordedAuthorization]) -> Response:
        actor = f"{PERSON}{request.scope[CALLER].name}"

        def run() -> dict[str, Any]:
            with self._trail.writing(actor) as write:
                found = change(write)
                return {"state": found.state_at(write.now).value, **found.model_dump(mode="json")}

        return _json(await run_in_threadpool(run))


def authorization_from(body: GrantBody) -> Authorization:
    """Return the authorization that a body asks for.

    Raises:
        GrantError: it is none.
    """
    try:
        return Authorization.model_validate(msgspec.structs.asdict(body))
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg'].removeprefix('Value error, ').lower()}"
            for one in error.errors()
        )
        raise GrantError(said) from error


async def _body(request: Request) -> bytes:
    raw = await bounded(request, MOST_BYTES)
    if raw is None:
        raise BodyError("the body is too long", status=413)
    return raw


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
