"""How a refused call is answered: in the words of the interface that was called, and without the reason."""

import math
from typing import Any, Final, NamedTuple

import msgspec

from stillwatch.domain.calls import Verdict

BLOCKED: Final = "This account cannot use this model. Contact support if you believe that this is a mistake."
THROTTLED: Final = "Rate limit reached for requests. Try again later."
UNAVAILABLE: Final = "The service is temporarily unavailable. Try again later."

_ANTHROPIC: Final = "/messages"


class Refusal(NamedTuple):
    """An answer to a call that does not reach the model.

    Attributes:
        status: 403 for a block, 429 for a bucket, 503 for what could not be checked where that is set to refuse.
        message: what the customer reads.
        headers: names in lower case.
        body: JSON.
    """

    status: int
    message: str
    headers: dict[str, str]
    body: bytes


def refusal_of(verdict: Verdict, path: str = "") -> Refusal:
    """Return the answer to a refused call.

    Args:
        verdict: The verdict; it is taken to be a refusal.
        path: Path of the interface that was called: says which form errors have there.
    """
    status, message, kind = _words(verdict)
    headers = {"content-type": "application/json"}
    if verdict.retry_after_s > 0:
        headers["retry-after"] = str(math.ceil(verdict.retry_after_s))
    return Refusal(status, message, headers, msgspec.json.encode(_error(path, message, kind)))


def _words(verdict: Verdict) -> tuple[int, str, str]:
    if not verdict.checked:
        return 503, UNAVAILABLE, "api_error"
    if verdict.retry_after_s > 0:
        return 429, THROTTLED, "rate_limit_error"
    return 403, BLOCKED, "permission_error"


def _error(path: str, message: str, kind: str) -> dict[str, Any]:
    if path.rstrip("/").endswith(_ANTHROPIC):
        return {"type": "error", "error": {"type": kind, "message": message}}
    code = {"rate_limit_error": "rate_limit_exceeded", "permission_error": "account_refused"}.get(kind)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
