"""Where a guard learns what is in force, and where it reports to: a database, a node, or an index in this process."""

import gzip
import http.client
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from stillwatch.errors import GuardError
from stillwatch.respond.decisions.changes import ChangePage
from stillwatch.respond.decisions.effects import Effect

if TYPE_CHECKING:
    from stillwatch.respond.store import Store

_TIMEOUT_S: Final = 5.0
_OK: Final = range(200, 300)


class Source(Protocol):
    """What a guard needs to know of where it is connected to."""

    place: str
    takes_logs: bool

    def changes(self, since: int) -> ChangePage:
        """Return what changed after a sequence."""
        ...

    def report(self, effects: Sequence[Effect]) -> None:
        """Deliver what was counted."""
        ...

    def log(self, lines: Sequence[bytes]) -> None:
        """Deliver log records, one JSON object each."""
        ...

    def forked(self) -> None:
        """Forget connections that belong to the parent process."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


class StoreSource:
    """A node's database, read directly: for gateways on the same machine or with access to the same server.

    Args:
        url: `sqlite:///stillwatch.db`, `postgresql://…`, or the path of a SQLite file. It must exist.
    """

    takes_logs = False

    def __init__(self, url: str) -> None:
        self.place = url.rpartition("@")[2] if "://" in url else url
        self._url = url if "://" in url else f"sqlite:///{url}"
        self._store: Store | None = None

    def changes(self, since: int) -> ChangePage:
        """Read from the database."""
        from stillwatch.respond.decisions.reading import changes_since  # noqa: PLC0415 - a node's guard needs no SQL

        with self._open().reading() as connection:
            return changes_since(connection, since, datetime.now(UTC))

    def report(self, effects: Sequence[Effect]) -> None:
        """Add to the counts in the database."""
        from stillwatch.respond.decisions.reporting import keep_effects  # noqa: PLC0415

        keep_effects(self._open(), effects)

    def log(self, lines: Sequence[bytes]) -> None:
        """A database takes no logs; the guard's `log` folder does."""

    def forked(self) -> None:
        """Open the database again in this process."""
        self._store = None

    def close(self) -> None:
        """Close the database."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _open(self) -> "Store":
        if self._store is None:
            from stillwatch.respond.store import open_store  # noqa: PLC0415 - a node's guard needs no SQL

            self._store = open_store(self._url, make=False)
        return self._store


class NodeSource:
    """A node over HTTP. One connection, kept open; the guard's thread uses it alone.

    Args:
        url: As `https://node.example.com:8741`.
        token: A token with the scope `decide`, and `ingest` if logs are to be delivered.
    """

    takes_logs = True

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise GuardError(f"{url} is no address of a node", hint="write https://HOST:PORT")
        self.place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._secure = parts.scheme == "https"
        self._host, self._port, self._root = parts.hostname, parts.port, parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection: http.client.HTTPConnection | None = None

    def changes(self, since: int) -> ChangePage:
        """Ask the node."""
        raw = self._ask("GET", f"/v1/changes?since={since}")
        try:
            return msgspec.json.decode(raw, type=ChangePage)
        except msgspec.DecodeError as error:
            raise GuardError(
                f"{self.place} answered with something else", hint="is this a stillwatch node?"
            ) from error

    def report(self, effects: Sequence[Effect]) -> None:
        """Send counts to the node."""
        self._ask("POST", "/v1/effects", msgspec.json.encode(list(effects)), "application/json")

    def log(self, lines: Sequence[bytes]) -> None:
        """Send log records to the node's intake."""
        body = gzip.compress(b"\n".join(lines) + b"\n", compresslevel=1)
        self._ask("POST", "/v1/requests", body, "application/jsonl", {"Content-Encoding": "gzip"})

    def forked(self) -> None:
        """Leave the connection to the parent."""
        self._connection = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str = "",
        more: dict[str, str] | None = None,
    ) -> bytes:
        headers = {**self._headers, **({"Content-Type": kind} if kind else {}), **(more or {})}
        try:
            connection = self._connect()
            connection.request(method, self._root + path, body, headers)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise GuardError(
                f"{self.place} cannot be reached: {error}", hint="is the node running?"
            ) from error
        if answer.status not in _OK:
            raise GuardError(f"{self.place}{path} answered {answer.status}", hint=_hint(answer.status, raw))
        return raw

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=_TIMEOUT_S)
        return self._connection


def _hint(status: int, raw: bytes) -> str:
    """Return what the node says, or what its status says."""
    if status in {401, 403}:
        return "give a token with the scope decide (and ingest, for logs)"
    try:
        told: Any = json.loads(raw)
        return str(told.get("detail", ""))[:200]
    except (ValueError, AttributeError):
        return "look at the node's log"
