"""Decisions, indicators and appeals over HTTP, for analysts' tools. `routes` returns everything the node serves."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stillwatch.domain.decisions import PERSON
from stillwatch.domain.record import Record
from stillwatch.errors import BodyError
from stillwatch.respond.audit import AuditTrail, Write
from stillwatch.respond.decisions import appeals, indicating, reading, reporting, taking
from stillwatch.respond.decisions.bodies import (
    AnswerBody,
    AppealBody,
    ExtendBody,
    IndicatorBody,
    RationaleBody,
    ReleaseBody,
    TakeBody,
    TurnOnBody,
    WhyBody,
    bucket_of,
    decision_from,
    indicator_from,
)
from stillwatch.respond.decisions.deciding import GuardRoutes, bounded, decoded, json_answer, json_body
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.decisions.planning import new_id
from stillwatch.respond.web.interface import Scope, interface

CALLER: Final = "stillwatch.caller"
"""Where the gate leaves the token of whoever calls."""

MOST_BYTES: Final = 4 << 20
"""A decision about the 25,000 accounts of the largest published campaign has about a mebibyte."""

Change = Callable[[Write, Any], Record]
Read = Callable[[Any], Sequence[Record]]


def routes(
    guard: Guard, trail: AuditTrail, clock: Callable[[], datetime], rng: random.Random | None = None
) -> list[Route]:
    """Return every endpoint of this package.

    Args:
        guard: Knows what is in force; kept up to date by itself.
        trail: The audit trail of the node's store.
        clock: Returns the time, with a zone.
        rng: Draws ids; the system's own chance unless given.
    """
    return [
        *GuardRoutes(guard, trail.store).routes(),
        *AnalystRoutes(trail, clock, rng or random.SystemRandom()).routes(),
    ]


class AnalystRoutes:
    """What people do, through their tools.

    Args:
        trail: The audit trail of the node's store.
        clock: Returns the time, with a zone.
        rng: Draws ids.
    """

    def __init__(self, trail: AuditTrail, clock: Callable[[], datetime], rng: random.Random) -> None:
        self._trail = trail
        self._now = clock
        self._rng = rng

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        one, appeal, mark = (
            "/v1/decisions/{decision_id}",
            "/v1/appeals/{appeal_id}",
            "/v1/indicators/{indicator_id}",
        )
        return [
            Route("/v1/decisions", self.decisions, methods=["GET"]),
            Route("/v1/indicators", self.indicators, methods=["GET"]),
            Route("/v1/appeals", self.appeals, methods=["GET"]),
            Route("/v1/effects", self.effects, methods=["GET"]),
            self._change("/v1/decisions", TakeBody, self._take, "Take a decision."),
            self._change(f"{one}/undo", WhyBody, _undo, "Undo a decision."),
            self._change(f"{one}/extend", ExtendBody, _extend, "Move the end of a decision."),
            self._change(f"{one}/release", ReleaseBody, _release, "Let one account go."),
            self._change(f"{one}/on", RationaleBody, _turn_on, "Make a decision in shadow act."),
            self._change(f"{one}/off", WhyBody, _turn_off, "Put a decision back into shadow."),
            self._change("/v1/appeals", AppealBody, self._appeal, "Open an appeal."),
            self._change(f"{appeal}/answer", AnswerBody, _answer, "Answer an appeal."),
            self._change("/v1/indicators", IndicatorBody, self._record, "Record an indicator."),
            self._change(f"{mark}/on", TurnOnBody, _turn_indicator_on, "Say what an indicator does."),
            self._change(f"{mark}/withdraw", WhyBody, _withdraw, "Withdraw an indicator."),
        ]

    @interface(
        Scope.ANALYST,
        "List decisions, newest first; only what acts or will act, unless all is 1.",
        parameters=(
            {"name": "case", "in": "query", "schema": {"type": "string"}},
            {"name": "account", "in": "query", "schema": {"type": "string"}},
            {"name": "all", "in": "query", "schema": {"enum": ["0", "1"]}},
        ),
        responses={"200": json_answer("Decisions.", {"type": "array", "items": {"type": "object"}})},
    )
    async def decisions(self, request: Request) -> Response:
        """List decisions."""
        asked, everything = request.query_params, _all(request)
        return await self._list(
            lambda connection: reading.decisions_now(
                connection,
                self._now(),
                case_id=asked.get("case"),
                account_id=asked.get("account"),
                everything=everything,
            )
        )

    @interface(
        Scope.ANALYST,
        "List indicators, newest first; only valid ones, unless all is 1.",
        parameters=({"name": "all", "in": "query", "schema": {"enum": ["0", "1"]}},),
        responses={"200": json_answer("Indicators.", {"type": "array", "items": {"type": "object"}})},
    )
    async def indicators(self, request: Request) -> Response:
        """List indicators."""
        everything = _all(request)
        return await self._list(lambda c: reading.indicators_now(c, self._now(), everything=everything))

    @interface(
        Scope.ANALYST,
        "List appeals, oldest first; only open ones, unless all is 1.",
        parameters=({"name": "all", "in": "query", "schema": {"enum": ["0", "1"]}},),
        responses={"200": json_answer("Appeals.", {"type": "array", "items": {"type": "object"}})},
    )
    async def appeals(self, request: Request) -> Response:
        """List appeals."""
        everything = _all(request)
        return await self._list(lambda c: reading.appeals_now(c, everything=everything))

    @interface(
        Scope.ANALYST,
        "Say what decisions and indicators did, or in shadow would have done.",
        responses={"200": json_answer("Counts.", {"type": "array", "items": {"type": "object"}})},
    )
    async def effects(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """List what was counted."""
        return await self._list(reporting.effects_of)

    def _change(self, path: str, body: type[msgspec.Struct], change: Change, summary: str) -> Route:
        """Return the endpoint of one change: a body in, the changed record out, one transaction in between."""
        decoder = msgspec.json.Decoder(body)
        ((schema,), components) = msgspec.json.schema_components(
            (body,), ref_template="#/components/schemas/{name}"
        )

        @interface(
            Scope.ANALYST,
            summary,
            request=json_body(schema),
            responses={
                "200": json_answer("The record as it is now."),
                "404": {"description": "There is none with this id."},
                "413": {"description": "The body is too long."},
                "422": {"description": "That is not allowed; the answer says why."},
                "503": {"description": "The database is busy or away; nothing was changed."},
            },
            schemas=components,
        )
        async def endpoint(request: Request) -> Response:
            raw = await bounded(request, MOST_BYTES)
            if raw is None:
                raise BodyError("the body is too long", status=413)
            asked = _Asked(dict(request.path_params), decoded(decoder, raw))
            record = await run_in_threadpool(self._write, _actor(request), change, asked)
            return _json(record.model_dump(mode="json"))

        return Route(path, endpoint, methods=["POST"], name=f"{body.__name__} {path}")

    async def _list(self, read: Read) -> Response:
        def run() -> list[dict[str, Any]]:
            with self._trail.store.reading() as connection:
                return [record.model_dump(mode="json") for record in read(connection)]

        return _json(await run_in_threadpool(run))

    def _write(self, actor: str, change: Change, asked: _Asked) -> Record:
        with self._trail.writing(actor) as write:
            return change(write, asked)

    def _take(self, write: Write, asked: _Asked) -> Record:
        decision_id = new_id("decision", self._rng)
        return taking.take(write, decision_from(asked.body, decision_id, write.actor, write.now))

    def _appeal(self, write: Write, asked: _Asked) -> Record:
        body: AppealBody = asked.body
        return appeals.open_appeal(write, body.decision_id, body.account_id, body.statement, rng=self._rng)

    def _record(self, write: Write, asked: _Asked) -> Record:
        indicator_id = new_id("indicator", self._rng)
        return indicating.record_indicator(
            write, indicator_from(asked.body, indicator_id, write.actor, write.now)
        )


class _Asked:
    """What one request asks for: ids in its path, and its body."""

    def __init__(self, path: dict[str, str], body: Any) -> None:
        self.path = path
        self.body = body


def _undo(write: Write, asked: _Asked) -> Record:
    return taking.undo(write, asked.path["decision_id"], asked.body.why)


def _extend(write: Write, asked: _Asked) -> Record:
    return taking.extend(write, asked.path["decision_id"], asked.body.ends_at, asked.body.why)


def _release(write: Write, asked: _Asked) -> Record:
    return taking.release(write, asked.path["decision_id"], asked.body.account_id, asked.body.why)


def _turn_on(write: Write, asked: _Asked) -> Record:
    return taking.turn_on(write, asked.path["decision_id"], asked.body.rationale)


def _turn_off(write: Write, asked: _Asked) -> Record:
    return taking.turn_off(write, asked.path["decision_id"], asked.body.why)


def _answer(write: Write, asked: _Asked) -> Record:
    body: AnswerBody = asked.body
    return appeals.answer_appeal(write, asked.path["appeal_id"], body.outcome, body.answer, label=body.label)


def _turn_indicator_on(write: Write, asked: _Asked) -> Record:
    body: TurnOnBody = asked.body
    return indicating.turn_indicator_on(
        write,
        asked.path["indicator_id"],
        body.action,
        body.rationale,
        mode=body.mode,
        throttle=bucket_of(body.throttle),
        withheld=body.withheld,
        tags=body.tags,
    )


def _withdraw(write: Write, asked: _Asked) -> Record:
    return indicating.withdraw_indicator(write, asked.path["indicator_id"], asked.body.why)


def _all(request: Request) -> bool:
    return request.query_params.get("all") == "1"


def _actor(request: Request) -> str:
    """Return the person whose token is used."""
    return f"{PERSON}{request.scope[CALLER].name}"


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
