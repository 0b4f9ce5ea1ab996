"""Refusals as JSON, in the one form that RFC 9457 gives them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stillwatch.errors import (
    CaseConflictError,
    CaseError,
    CaseStateError,
    DecisionError,
    GrantError,
    InputError,
    NodeError,
    RateLimitError,
    StillwatchError,
    StoreBusyError,
    StoreError,
    UnknownCaseError,
    UnknownDecisionError,
    UsageError,
)

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER_S: Final = 2
_STATUS: Final[tuple[tuple[type[StillwatchError], int], ...]] = (
    (UnknownCaseError, 404),
    (CaseConflictError, 409),
    (CaseStateError, 409),
    (CaseError, 422),
    (UnknownDecisionError, 404),
    (DecisionError, 422),
    (GrantError, 422),
    (StoreBusyError, 503),
    (StoreError, 503),
    (UsageError, 422),
    (InputError, 422),
)
"""The first that fits counts."""

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "what to do about it"},
    },
}
"""JSON Schema of a refusal."""


def status_of(error: StillwatchError) -> int:
    """Return the HTTP status that says what an error says."""
    if isinstance(error, NodeError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(
    status: int,
    detail: str,
    *,
    hint: str = "",
    headers: dict[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """Refuse.

    Args:
        status: HTTP status.
        detail: What happened, without any value from the request's texts.
        hint: What to do about it.
        headers: Further headers.
        more: Further members of the answer.
    """
    members = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if hint:
        members["hint"] = hint
    return Response(msgspec.json.encode({**members, **(more or {})}), status, headers, MEDIA_TYPE)


def problem_of(error: StillwatchError) -> Response:
    """Say an error of ours as an answer."""
    status = status_of(error)
    headers: dict[str, str] = {}
    if isinstance(error, RateLimitError):
        headers["Retry-After"] = str(error.retry_after_s)
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(_RETRY_AFTER_S)
    elif status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, error.message, hint=error.hint, headers=headers)


async def on_stillwatch_error(_request: Request, error: Exception) -> Response:
    """Answer an error that was raised on purpose."""
    if not isinstance(error, StillwatchError):
        raise error
    return problem_of(error)


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: unknown paths and methods."""
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    return problem(error.status_code, str(error.detail), headers=headers)


async def on_bug(_request: Request, _error: Exception) -> Response:
    """Answer anything else without telling what is inside; the log has it."""
    return problem(500, "the node met an error of its own; its log says more")
