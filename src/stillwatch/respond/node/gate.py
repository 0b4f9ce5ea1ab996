"""Before every endpoint: a valid token, the right scope, and not too often."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope as Connection, Send

from stillwatch.errors import NodeError, RateLimitError, TokenError
from stillwatch.respond.node.tokens import Token, TokenBook
from stillwatch.respond.web.interface import Scope
from stillwatch.respond.web.problems import problem_of

CALLER: Final = "stillwatch.caller"
"""Where an endpoint finds the `Token` of whoever calls, in the connection's scope."""

_FAILURES_PER_S, _FAILURES_AT_ONCE = 1.0, 20.0  # wrong tokens of one address
_REMEMBERED: Final = 10_000  # addresses with wrong tokens
_BURST_S: Final = 2.0  # a rate may be used up two seconds at a time


@dataclass(slots=True)
class Bucket:
    """A token bucket.

    Args:
        rate_per_s: How fast it fills.
        size: How much it holds.
        level: How much is in it.
        at_s: When that was.
    """

    rate_per_s: float
    size: float
    level: float
    at_s: float

    def take(self, now_s: float) -> float:
        """Take one.

        Returns:
            0 if there was one, else the seconds until there is.
        """
        self.level = min(self.size, self.level + max(0.0, now_s - self.at_s) * self.rate_per_s)
        self.at_s = now_s
        if self.level >= 1.0:
            self.level -= 1.0
            return 0.0
        return (1.0 - self.level) / self.rate_per_s


class Gate:
    """Knows tokens and how often each was used.

    Args:
        tokens: The tokens of the node.
        monotonic: Seconds that never go back.
    """

    def __init__(self, tokens: TokenBook, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._tokens = tokens
        self._monotonic = monotonic
        self._buckets: dict[str, Bucket] = {}
        self._failures: OrderedDict[str, Bucket] = OrderedDict()
        self.refused: Counter[int] = Counter()

    def guarded(self, app: ASGIApp, scope: Scope) -> ASGIApp:
        """Put the gate before an endpoint.

        Args:
            app: The endpoint.
            scope: What a token must be for.
        """
        return _Guarded(app, self, scope)

    def admit(self, connection: Connection, scope: Scope) -> Token:
        """Let a caller in.

        Raises:
            TokenError: There is no valid token, or it is for something else.
            RateLimitError: The token was used too often, or wrong ones were tried too often.
        """
        try:
            return self._admit(connection, scope)
        except NodeError as error:
            self.refused[error.status] += 1
            raise

    def _admit(self, connection: Connection, scope: Scope) -> Token:
        text = _bearer(connection)
        if text is None:
            raise TokenError("there is no token")
        try:
            token = self._tokens.verified(text)
        except TokenError:
            self._count_failure(connection)
            raise
        if not token.allows(scope):
            raise TokenError(f"the token has no scope {scope}", status=403)
        wait_s = self._bucket(token).take(self._monotonic())
        if wait_s:
            raise RateLimitError(
                f"this token may make {token.rate_per_s:g} requests in a second",
                retry_after_s=math.ceil(wait_s),
            )
        return token

    def _bucket(self, token: Token) -> Bucket:
        found = self._buckets.get(token.token_id)
        if found is None or found.rate_per_s != token.rate_per_s:
            size = max(1.0, token.rate_per_s * _BURST_S)
            found = self._buckets[token.token_id] = Bucket(token.rate_per_s, size, size, self._monotonic())
        return found

    def _count_failure(self, connection: Connection) -> None:
        """Slow down whoever tries tokens.

        Raises:
            RateLimitError: Too many wrong ones came from there.
        """
        address = str((connection.get("client") or ("?", 0))[0])
        bucket = self._failures.pop(address, None) or Bucket(
            _FAILURES_PER_S, _FAILURES_AT_ONCE, _FAILURES_AT_ONCE, self._monotonic()
        )
        self._failures[address] = bucket
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
        wait_s = bucket.take(self._monotonic())
        if wait_s:
            raise RateLimitError("too many wrong tokens", retry_after_s=math.ceil(wait_s))


class _Guarded:
    """An endpoint behind the gate."""

    def __init__(self, app: ASGIApp, gate: Gate, scope: Scope) -> None:
        self._app = app
        self._gate = gate
        self._scope = scope

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Let the caller through, or refuse."""
        try:
            connection[CALLER] = self._gate.admit(connection, self._scope)
        except NodeError as error:
            await problem_of(error)(connection, receive, send)
            return
        await self._app(connection, receive, send)


def _bearer(connection: Connection) -> str | None:
    """Read the token from the headers."""
    for name, value in connection["headers"]:
        if name == b"authorization":
            scheme, _, text = value.decode("latin-1").partition(" ")
            return text.strip() if scheme.lower() == "bearer" else None
    return None
