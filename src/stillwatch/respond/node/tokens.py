"""API tokens: made here, shown once, kept as hashes.

A token is `swt_ID_SECRET`. The secret has 256 random bits, so that one round of SHA-256 is as good as any slow hash:
there is nothing to guess. The file lists tokens by id with their hash, scopes and rate; it is replaced in one step and
read again as soon as it changes, so that a revoked token stops working within a second.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from stillwatch.errors import TokenError, UsageError
from stillwatch.respond.ingest.spool import OWNER_ONLY, OWNER_ONLY_FOLDER, sync_folder
from stillwatch.respond.web.interface import Scope

FILE_NAME: Final = "tokens.json"
DEFAULT_RATE_PER_S: Final = 2_000.0
_ID_BYTES, _SECRET_BYTES = 6, 32
_SHAPE: Final = re.compile(r"swt_([0-9a-f]{12})_([\w-]{43})")
_FRESH_S: Final = 0.5  # how long the file is believed unchanged


class Token(msgspec.Struct, frozen=True):
    """One token, without its secret.

    Args:
        token_id: Public part; stands in logs and the audit trail.
        name: What a person calls it.
        digest: SHA-256 of the secret, hexadecimal.
        scopes: What it is for.
        rate_per_s: Requests it may make, on average.
        created_at: When it was made.
        expires_at: When it stops working; None for never.
        revoked_at: When it was revoked.
    """

    token_id: str
    name: str
    digest: str
    scopes: tuple[Scope, ...]
    rate_per_s: float
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def allows(self, scope: Scope) -> bool:
        """Say whether the token is for this."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def is_valid(self, now: datetime) -> bool:
        """Say whether the token works at a moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_decoder = msgspec.json.Decoder(list[Token])


class TokenBook:
    """The tokens of one node.

    Args:
        data: The node's folder.
        clock: Tells the time.
    """

    def __init__(self, data: Path, clock: Callable[[], datetime]) -> None:
        self._path = data / FILE_NAME
        self._clock = clock
        self._read_until = 0.0
        self._mark: tuple[int, int, int] | None = None
        self._tokens: dict[str, Token] = {}

    def add(
        self,
        name: str,
        scopes: Sequence[Scope],
        *,
        rate_per_s: float = DEFAULT_RATE_PER_S,
        expires_at: datetime | None = None,
    ) -> tuple[Token, str]:
        """Make a token.

        Args:
            name: What a person calls it.
            scopes: What it is for.
            rate_per_s: Requests it may make, on average.
            expires_at: When it stops working.

        Returns:
            The token, and the text to hand to whoever uses it. The text is kept nowhere.

        Raises:
            UsageError: No scope was named, or the rate is none.
        """
        if not scopes:
            raise UsageError("a token needs a scope", hint=f"scopes: {', '.join(Scope)}")
        if not 0 < rate_per_s < float("inf"):
            raise UsageError("the rate of a token must be above zero")
        token_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
        token = Token(
            token_id,
            name,
            _digest(secret),
            tuple(dict.fromkeys(scopes)),
            rate_per_s,
            self._clock(),
            expires_at,
        )
        with self._changing():
            self._write([*self._tokens.values(), token])
        return token, f"swt_{token_id}_{secret}"

    def revoke(self, token_id: str) -> Token:
        """Make a token useless from now on.

        Raises:
            UsageError: There is none with this id.
        """
        with self._changing():
            found = self._tokens.get(token_id)
            if found is None:
                raise UsageError(f"no token has the id {token_id}", hint="see `stillwatch node token list`")
            gone = msgspec.structs.replace(found, revoked_at=found.revoked_at or self._clock())
            self._write([gone if one.token_id == token_id else one for one in self._tokens.values()])
        return gone

    def tokens(self) -> tuple[Token, ...]:
        """List all tokens, revoked ones too."""
        self._refresh()
        return tuple(self._tokens.values())

    def verified(self, text: str) -> Token:
        """Return the token behind a text.

        Raises:
            TokenError: It is none, or works no more. The answer is the same for all of these.
        """
        if time.monotonic() >= self._read_until:
            self._refresh()
        shape = _SHAPE.fullmatch(text)
        token = self._tokens.get(shape[1]) if shape else None
        given = _digest(shape[2] if shape else "")
        matches = hmac.compare_digest(given, token.digest if token else _NO_DIGEST)
        if token is None or not matches or not token.is_valid(self._clock()):
            raise TokenError("the token is not valid")
        return token

    def _refresh(self) -> None:
        """Read the file if it was replaced."""
        self._read_until = time.monotonic() + _FRESH_S
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._mark, self._tokens = None, {}
            return
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        if mark == self._mark:
            return
        try:
            self._tokens = {one.token_id: one for one in _decoder.decode(self._path.read_bytes())}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise TokenError(
                f"{self._path.name} cannot be read",
                status=503,
                hint="restore the file, or delete it and make new tokens",
            ) from error
        self._mark = mark

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Let one process change the file at a time, starting from what it holds now."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, OWNER_ONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._refresh()
            yield
        finally:
            os.close(lock)

    def _write(self, tokens: Sequence[Token]) -> None:
        draft = self._path.with_suffix(".draft")
        handle = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(list(tokens)), indent=1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        sync_folder(self._path.parent)
        self._refresh()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


_NO_DIGEST: Final = "0" * 64
