"""LiteLLM's generic guardrail interface, served by the node: for proxies into which nobody wants to load our code.

Only who calls is read. The texts that LiteLLM sends along are neither looked at nor kept.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.types import Receive, Scope as Connection, Send

from stillwatch.domain.calls import Call, Verdict
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.gateways.refusals import refusal_of
from stillwatch.respond.web.interface import Interface, Scope
from stillwatch.respond.web.problems import problem

PATH: Final = "/beta/litellm_basic_guardrail_api"
MOST_BYTES: Final = 64 << 20
"""LiteLLM sends every message and image of the conversation."""

ACCOUNT_FIELDS: Final = (
    "user_api_key_org_id",
    "user_api_key_team_id",
    "user_api_key_user_id",
    "user_api_key_hash",
)
"""As the reader of LiteLLM's logs names accounts, so that decisions meet the accounts that findings name."""

_PRESENT: Final = "[present]"
"""What LiteLLM writes for a header that it does not pass on."""


class Caller(msgspec.Struct):
    """Who calls, as LiteLLM knows it. Any of it may be missing."""

    user_api_key_hash: str | None = None
    user_api_key_org_id: str | None = None
    user_api_key_team_id: str | None = None
    user_api_key_user_id: str | None = None
    user_api_key_end_user_id: str | None = None


class Question(msgspec.Struct):
    """What is read of LiteLLM's question."""

    input_type: str = "request"
    model: str | None = None
    request_data: Caller = msgspec.field(default_factory=Caller)
    request_headers: dict[str, Any] | None = None


class Answer(msgspec.Struct, omit_defaults=True):
    """What LiteLLM acts on: NONE or BLOCKED."""

    action: str
    blocked_reason: str | None = None


_QUESTIONS: Final = msgspec.json.Decoder(Question)
_PASS: Final = msgspec.json.encode(Answer("NONE"))


class GenericGuardrail:
    """The endpoint: a bare ASGI application.

    Args:
        guard: Decides.
        account: Which field names the account, in this order; the first that is there counts.
    """

    stillwatch_interface = Interface(
        scope=Scope.DECIDE,
        summary="LiteLLM's generic guardrail interface.",
        request={"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        responses={
            "200": {"description": "NONE or BLOCKED.", "content": {"application/json": {}}},
            "413": {"description": "The body is too long."},
            "422": {"description": "The body is no question of LiteLLM's."},
        },
    )

    def __init__(
        self,
        guard: Guard,
        account: tuple[str, ...] = ACCOUNT_FIELDS,
    ) -> None:
        self._guard = guard
        self._account = account

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Answer one question."""
        raw = await _body(receive)
        if raw is None:
            await problem(413, "the conversation is too long")(connection, receive, send)
            return
        try:
            question = _QUESTIONS.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            await problem(422, "this is no question of a LiteLLM proxy")(connection, receive, send)
            return
        await _reply(send, self._answer(question))

    def _answer(self, question: Question) -> bytes:
        """Decide about requests; answers were decided about before they were made."""
        if question.input_type != "request":
            return _PASS
        verdict: Verdict = self._guard.decide(self._call(question))
        if not verdict.refused:
            return _PASS
        return msgspec.json.encode(Answer("BLOCKED", refusal_of(verdict).message))

    def _call(self, question: Question) -> Call:
        known = (getattr(question.request_data, name) for name in self._account)
        headers = question.request_headers or {}
        agent = headers.get("user-agent")
        return Call(
            account_id=next((one for one in known if one), "anonymous"),
            user_agent=agent if isinstance(agent, str) and agent != _PRESENT else None,
            model=question.model,
        )


async def _body(receive: Receive) -> bytes | None:
    kept = bytearray()
    while True:
        message = await receive()
        kept += message.get("body", b"")
        if len(kept) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(kept)


async def _reply(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
