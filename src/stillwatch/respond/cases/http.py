"""Cases, labels and the audit trail over HTTP, for analysts' tools. `routes` returns everything the node serves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stillwatch.domain.cases import CaseStatus
from stillwatch.domain.decisions import PERSON
from stillwatch.domain.record import Record
from stillwatch.errors import BodyError
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.audit.trail import entries_of, head_of
from stillwatch.respond.cases.acts import ACTS, Act, Asked
from stillwatch.respond.cases.labels import labels_of
from stillwatch.respond.cases.listing import chosen
from stillwatch.respond.cases.statistics import statistics_of
from stillwatch.respond.cases.whole import kept_finding, whole_case
from stillwatch.respond.web.bodies import bounded_body, decoded_body, json_answer, json_body
from stillwatch.respond.web.interface import Scope, interface

CALLER: Final = "stillwatch.caller"
"""Where the gate leaves the token of whoever calls."""

MOST_BYTES: Final = 1 << 20
"""A label that names each account of the largest published campaign has half a mebibyte."""

_MOST_ENTRIES: Final = 1_000
_LARGEST: Final = 10**18 - 1
_ANY: Final = {"type": "array", "items": {"type": "object"}}
_UNKNOWN: Final = {"404": {"description": "There is none with this id."}}


def routes(trail: AuditTrail, clock: Callable[[], datetime]) -> list[Route]:
    """Return every endpoint of this package.

    Args:
        trail: The audit trail of the node's store.
        clock: Returns the time, with a zone.
    """
    return CaseRoutes(trail, clock).routes()


class CaseRoutes:
    """What people ask and do, through their tools.

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
            Route("/v1/cases", self.cases, methods=["GET"]),
            Route("/v1/cases/{case_id}", self.case, methods=["GET"]),
            Route("/v1/cases/{case_id}/snapshots/{digest}", self.snapshot, methods=["GET"]),
            *(self._change(act) for act in ACTS),
            Route("/v1/labels", self.labels, methods=["GET"]),
            Route("/v1/reviews", self.reviews, methods=["GET"]),
            Route("/v1/audit", self.audit, methods=["GET"]),
            Route("/v1/audit/head", self.head, methods=["GET"]),
        ]

    @interface(
        Scope.ANALYST,
        "List cases, worst first; neither closed nor snoozed ones, unless all is 1.",
        parameters=(
            {"name": "status", "in": "query", "schema": {"enum": [status.value for status in CaseStatus]}},
            {"name": "assignee", "in": "query", "schema": {"type": "string"}},
            {"name": "all", "in": "query", "schema": {"enum": ["0", "1"]}},
        ),
        responses={
            "200": json_answer("Cases.", _ANY),
            "422": {"description": "No such status, or all is neither 0 nor 1."},
        },
    )
    async def cases(self, request: Request) -> Response:
        """List cases."""
        asked = request.query_params
        if "status" in asked and asked["status"] not in set(CaseStatus):
            raise BodyError("status is none that a case can have", status=422, hint="see /openapi.json")
        status = CaseStatus(asked["status"]) if "status" in asked else None
        who = f"{PERSON}{asked['assignee'].removeprefix(PERSON)}" if "assignee" in asked else None
        everything = _all(request)

        def read(connection: Connection) -> Any:
            shown, _ = chosen(connection, self._now(), status=status, assignee=who, everything=everything)
            return [case.model_dump(mode="json") for case in shown]

        return await self._read(read)

    @interface(
        Scope.ANALYST,
        "Return a case with its finding, accounts, notes and history.",
        responses={"200": json_answer("Everything of the case."), **_UNKNOWN},
    )
    async def case(self, request: Request) -> Response:
        """Return one case."""
        name = request.path_params["case_id"]
        return await self._read(lambda connection: whole_case(connection, name).as_json())

    @interface(
        Scope.ANALYST,
        "Return a finding that a case kept word for word.",
        responses={"200": json_answer("The finding."), **_UNKNOWN},
    )
    async def snapshot(self, request: Request) -> Response:
        """Return one finding as it was."""
        name, digest = request.path_params["case_id"], request.path_params["digest"]
        return await self._read(
            lambda connection: msgspec.Raw(kept_finding(connection, name, digest).encode())
        )

    @interface(
        Scope.ANALYST,
        "List the labels in force, or with all set to 1 every label that was ever given.",
        parameters=({"name": "all", "in": "query", "schema": {"enum": ["0", "1"]}},),
        responses={
            "200": json_answer("Labels with the accounts that they name.", _ANY),
            "422": {"description": "all is neither 0 nor 1."},
        },
    )
    async def labels(self, request: Request) -> Response:
        """List labels."""
        as_of = None if _all(request) else self._now()
        known = await run_in_threadpool(labels_of, self._trail.store, as_of=as_of)
        return _json([label.model_dump(mode="json") for label in known])

    @interface(
        Scope.ANALYST,
        "Say how often each signal and link was wrong, over the findings that people reviewed.",
        responses={"200": json_answer("Counts and ratios.")},
    )
    async def reviews(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """Return the statistics."""
        return await self._read(lambda connection: statistics_of(connection).as_json())

    @interface(
        Scope.ANALYST,
        "List entries of the audit trail after a number, in order, a thousand at most.",
        parameters=(
            {
                "name": "since",
                "in": "query",
                "schema": {"type": "integer", "minimum": 0, "maximum": _LARGEST},
            },
            {"name": "kind", "in": "query", "schema": {"type": "string", "pattern": "^[a-z_]{1,64}$"}},
        ),
        responses={"200": json_answer("Entries.", _ANY), "422": {"description": "No number."}},
    )
    async def audit(self, request: Request) -> Response:
        """List entries."""
        since, kind = _number(request.query_params.get("since", "0")), request.query_params.get("kind")
        kinds = () if kind is None else (kind,)
        return await self._read(
            lambda connection: [
                entry.as_json()
                for entry in entries_of(connection, after=since, kinds=kinds, limit=_MOST_ENTRIES)
            ]
        )

    @interface(
        Scope.ANALYST,
        "Return the last entry of the audit trail, to be written down elsewhere.",
        responses={"200": json_answer("The head, as SEQUENCE:HASH.")},
    )
    async def head(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """Return the head."""
        return await self._read(lambda connection: {"head": str(head_of(connection))})

    def _change(self, act: Act) -> Route:
        """Return the endpoint of one change: a body in, the changed case out, one transaction in between."""
        decoder = msgspec.json.Decoder(act.body)
        ((schema,), components) = msgspec.json.schema_components(
            (act.body,), ref_template="#/components/schemas/{name}"
        )

        @interface(
            Scope.ANALYST,
            act.summary,
            request=json_body(schema),
            responses={
                "200": json_answer("The case as it is now."),
                **_UNKNOWN,
                "409": {
                    "description": "Somebody else was faster, or the case is in no state for that; nothing was changed."
                },
                "413": {"description": "The body is too long."},
                "422": {"description": "That is not allowed; the answer says why."},
                "503": {"description": "The database is busy or away; nothing was changed."},
            },
            schemas=components,
        )
        async def endpoint(request: Request) -> Response:
            body = decoded_body(decoder, await bounded_body(request, MOST_BYTES))
            actor = f"{PERSON}{request.scope[CALLER].name}"
            changed = await run_in_threadpool(self._write, actor, act, Asked(request.path_params, body))
            return _json(changed.model_dump(mode="json"))

        return Route(act.path, endpoint, methods=["POST"], name=act.path)

    def _write(self, actor: str, act: Act, asked: Asked) -> Record:
        with self._trail.writing(actor) as write:
            return act.change(write, asked)

    async def _read(self, read: Callable[[Connection], Any]) -> Response:
        def run() -> Any:
            with self._trail.store.reading() as connection:
                return read(connection)

        return _json(await run_in_threadpool(run))


def _all(request: Request) -> bool:
    """Say whether everything was asked for.

    Raises:
        BodyError: it was said in another way than by 0 or 1.
    """
    text = request.query_params.get("all", "0")
    if text not in {"0", "1"}:
        raise BodyError("all is neither 0 nor 1", status=422, hint="see /openapi.json")
    return text == "1"


def _number(text: str) -> int:
    """Return a number of the query.

    Raises:
        BodyError: it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_LARGEST)):
        raise BodyError("since is no number", status=422, hint="see /openapi.json")
    return int(text)


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
