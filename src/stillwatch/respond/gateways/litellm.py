"""LiteLLM's proxy, from inside: decides before each call, filters what is withheld, records how the call ended.

    # the proxy's config.yaml
    litellm_settings:
      callbacks: stillwatch.respond.gateways.litellm.logger

    # its environment
    STILLWATCH_GUARD__SOURCE=https://node.example.com:8585
    STILLWATCH_GUARD__TOKEN=…

Verdicts come from the guard's memory: nothing here waits for a network.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import msgspec
import structlog
from litellm.integrations.custom_logger import CustomLogger

from stillwatch.detect.logs.litellm import row_of_payload
from stillwatch.detect.logs.reading.network import forwarded_address
from stillwatch.domain.actions import Withheld
from stillwatch.domain.calls import Call, Outcome, Verdict
from stillwatch.errors import SettingsError
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.gateways.refusals import refusal_of
from stillwatch.respond.gateways.withholding import EventFilter, strip_answer, strip_request
from stillwatch.settings import load

MARK: Final = "stillwatch_withheld"
"""Where a request's metadata remembers what its answer is to be given without."""

_ACCOUNT: Final = ("org_id", "team_id", "user_id", "api_key")
"""As the reader of LiteLLM's logs names accounts, so that decisions meet the accounts that findings name."""

_TEXTS: Final = ("prompt", "system_instructions")
_JA4: Final = "x-ja4"
_log: Final = structlog.get_logger("stillwatch.gateway")


class StillwatchLogger(CustomLogger):  # type: ignore[misc]  # LiteLLM is read without its types  # type: ignore[misc]  # LiteLLM is read without its types
    """A callback of LiteLLM's proxy.

    Args:
        guard: Decides.
        text: Record prompts, which detection reads; False records everything else.
    """

    def __init__(self, guard: Guard, *, text: bool = True) -> None:
        super().__init__()
        self._guard = guard
        self._text = text

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,
        cache: Any,  # noqa: ARG002 - LiteLLM's signature
        data: dict[str, Any],
        call_type: str,  # noqa: ARG002 - LiteLLM's signature
    ) -> dict[str, Any]:
        """Decide about a call before it is made.

        Raises:
            fastapi.HTTPException: The call is refused.
        """
        verdict = self._guard.decide(call_of(user_api_key_dict, data))
        if verdict.refused:
            _refuse(verdict)
        if verdict.withheld:
            strip_request(data, verdict.withheld)
        if verdict.withheld or verdict.tags:
            _remember(data, verdict)
        return data

    async def async_post_call_success_hook(
        self,
        data: dict[str, Any],
        user_api_key_dict: Any,  # noqa: ARG002 - LiteLLM's signature
        response: Any,
    ) -> Any:
        """Take out of a whole answer what is withheld."""
        withheld = _withheld(data)
        return filtered(response, withheld) if withheld else response

    async def async_post_call_streaming_iterator_hook(
        self,
        user_api_key_dict: Any,  # noqa: ARG002 - LiteLLM's signature
        response: Any,
        request_data: dict[str, Any],
    ) -> AsyncGenerator[Any, None]:
        """Take out of each piece of a stream what is withheld, as it passes."""
        withheld = _withheld(request_data)
        events = EventFilter(withheld)
        async for piece in response:
            if withheld and isinstance(piece, bytes):
                yield events.feed(piece)
            else:
                yield filtered(piece, withheld) if withheld else piece
        if rest := events.end():
            yield rest

    async def async_log_success_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,  # noqa: ARG002 - LiteLLM's signature
        start_time: Any,  # noqa: ARG002 - LiteLLM's signature
        end_time: Any,  # noqa: ARG002 - LiteLLM's signature
    ) -> None:
        """Record a call that was answered."""
        self._record(kwargs)

    async def async_log_failure_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,  # noqa: ARG002 - LiteLLM's signature
        start_time: Any,  # noqa: ARG002 - LiteLLM's signature
        end_time: Any,  # noqa: ARG002 - LiteLLM's signature
    ) -> None:
        """Record a call that failed."""
        self._record(kwargs)

    def _record(self, kwargs: Mapping[str, Any]) -> None:
        """Hand LiteLLM's own record of a call on, read as its log files are read."""
        payload = kwargs.get("standard_logging_object")
        if not self._guard.records or not payload:
            return
        try:
            row = row_of_payload(msgspec.json.encode(payload, enc_hook=str))
        except Exception:  # noqa: BLE001 - a record is never worth a call
            _log.exception("call not understood")
            return
        columns = {name: value for name, value in msgspec.structs.asdict(row).items() if value is not None}
        if not self._text:
            columns = {name: value for name, value in columns.items() if name not in _TEXTS}
        self._guard.record(
            Call(account_id=str(columns.pop("account_id", "anonymous"))), Outcome(request=columns)
        )


def call_of(key: Any, data: Mapping[str, Any]) -> Call:
    """Return the call that LiteLLM is about to make.

    Args:
        key: LiteLLM's `UserAPIKeyAuth`.
        data: The request as LiteLLM passes it on.
    """
    metadata = data.get("litellm_metadata") or data.get("metadata") or {}
    headers = (data.get("proxy_server_request") or {}).get("headers") or {}
    known = (getattr(key, name, None) for name in _ACCOUNT)
    count = data.get("n")
    return Call(
        account_id=str(next((one for one in known if one), "anonymous")),
        client_address=forwarded_address(metadata.get("requester_ip_address")),
        tls_ja4=headers.get(_JA4),
        user_agent=headers.get("user-agent"),
        model=data.get("model"),
        choice_count=count if isinstance(count, int) and 0 < count < 1 << 15 else 1,
        logprobs=bool(data.get("logprobs")),
    )


def filtered(answer: Any, withheld: frozenset[Withheld]) -> Any:
    """Return an answer, or a piece of one, without what is withheld: dictionaries, bytes of events, or models."""
    if isinstance(answer, dict | list):
        return strip_answer(answer, withheld)
    if isinstance(answer, bytes | str) or not hasattr(answer, "choices"):
        return answer
    if Withheld.CHOICES in withheld:
        answer.choices = [choice for choice in answer.choices if getattr(choice, "index", 0) == 0]
    for choice in answer.choices:
        if Withheld.LOGPROBS in withheld and getattr(choice, "logprobs", None) is not None:
            choice.logprobs = None
        if Withheld.REASONING in withheld:
            _blank(getattr(choice, "message", None) or getattr(choice, "delta", None))
    return answer


def _blank(message: Any) -> None:
    """Empty the fields in which LiteLLM gives reasoning."""
    for name in ("reasoning_content", "thinking_blocks", "reasoning_items", "provider_specific_fields"):
        if getattr(message, name, None) is not None:
            setattr(message, name, None)


def _refuse(verdict: Verdict) -> None:
    from fastapi import HTTPException  # noqa: PLC0415 - the proxy has it

    refusal = refusal_of(verdict)
    headers = {name: value for name, value in refusal.headers.items() if name != "content-type"}
    raise HTTPException(refusal.status, msgspec.json.decode(refusal.body), headers)


def _remember(data: dict[str, Any], verdict: Verdict) -> None:
    """Mark the request for LiteLLM's own tags and for our filter of its answer.

    Where LiteLLM keeps its own metadata apart, `metadata` is the customer's and would be sent on to the model.
    """
    metadata = data.setdefault("litellm_metadata" if "litellm_metadata" in data else "metadata", {})
    metadata[MARK] = list(verdict.withheld)
    if verdict.tags:
        metadata["tags"] = [*(metadata.get("tags") or ()), *verdict.tags]


def _withheld(data: Mapping[str, Any]) -> frozenset[Withheld]:
    kept = (data.get(name) or {} for name in ("litellm_metadata", "metadata"))
    named = next((one[MARK] for one in kept if one.get(MARK)), ())
    return frozenset(Withheld(part) for part in named)


def from_settings() -> StillwatchLogger:
    """Return the callback that the environment and stillwatch.toml describe.

    Raises:
        SettingsError: No source is named.
    """
    settings = load().guard
    if not settings.source:
        raise SettingsError(
            "no source is named for the guard", hint="set STILLWATCH_GUARD__SOURCE to the node's URL"
        )
    guard = Guard(settings.source, token=settings.token, fail_closed=settings.fail_closed, log=settings.log)
    return StillwatchLogger(guard, text=settings.text)


def __getattr__(name: str) -> object:
    """Make `logger` when LiteLLM asks for it, so that importing this file connects to nothing."""
    if name != "logger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()["logger"] = from_settings()
    return found
