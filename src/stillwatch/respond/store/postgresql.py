"""PostgreSQL, through pg8000 (pure Python, BSD). Needs the extra `postgresql`."""

import importlib.util
import ssl
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, make_url

from stillwatch.errors import StoreError
from stillwatch.respond.store.backend import WAIT_S

_WRITER_LOCK: Final = 0x5717_7A7C_0001
"""Advisory lock that every writer of a node's store takes. PostgreSQL keeps it apart for each database."""

_DEFAULT_PORT: Final = 5432
_SILENCE_S: Final = 60
"""A server that says nothing for so long is gone. Longer than `WAIT_S`, which the server itself keeps."""

WAIT_BRIEFLY: Final = (
    f"SELECT set_config('lock_timeout', '{WAIT_S:.0f}s', true), set_config('synchronous_commit', "
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, true)"
)

"""What each writer asks of the server first."""


class PostgresqlBackend:
    """A server by URL: `postgresql://user:password@host/database?sslmode=verify-full`, or `?host=/socket/folder`."""

    name = "postgresql"

    def connect(self, url: str, *, make: bool) -> Engine:  # noqa: ARG002 - a server makes databases, not we
        """Return an engine on the server. Connections that a restart of the server broke are replaced."""
        if importlib.util.find_spec("pg8000") is None:
            raise StoreError(
                "PostgreSQL needs the driver pg8000", hint="pip install 'stillwatch[postgresql]'"
            )
        address, arguments = _address(make_url(url))
        return create_engine(
            address,
            connect_args=arguments,
            pool_pre_ping=True,
            pool_size=8,
            max_overflow=8,
            pool_timeout=WAIT_S,
        )

    def begin_reading(self, connection: Connection) -> None:
        """See one snapshot through all statements."""
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def begin_writing(self, connection: Connection) -> None:
        """Wait for the writer's turn, then see what every earlier writer committed.

        Numbers of the audit trail are therefore committed in their order: who reads up to N has seen all up to N.
        What is acknowledged must be on disk, so that a server that was told to answer earlier is overruled.
        """
        connection.exec_driver_sql(WAIT_BRIEFLY)
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


def _address(url: URL) -> tuple[URL, dict[str, Any]]:
    """Translate libpq's words for sockets and TLS into the driver's arguments."""
    query = dict(url.query)
    host = str(query.pop("host", url.host or "localhost"))
    arguments: dict[str, Any] = {"timeout": _SILENCE_S, "application_name": "stillwatch"}
    if host.startswith("/"):
        arguments["unix_sock"] = f"{host}/.s.PGSQL.{url.port or _DEFAULT_PORT}"
    context = _tls(str(query.pop("sslmode", "")), str(query.pop("sslrootcert", "")))
    if context is not None:
        arguments["ssl_context"] = context
    if query:
        raise StoreError(
            f"unknown options in the database URL: {', '.join(sorted(query))}",
            hint="host, sslmode and sslrootcert are known",
        )
    place = {"host": None} if host.startswith("/") else {"host": host, "port": url.port or _DEFAULT_PORT}
    return url.set(drivername="postgresql+pg8000", query={}, **place), arguments


def _tls(mode: str, root_certificate: str) -> ssl.SSLContext | None:
    """Return the TLS context for one of libpq's modes; None leaves the connection in the clear."""
    if mode in {"", "disable"}:
        return None
    if mode not in {"require", "verify-ca", "verify-full"}:
        raise StoreError(f"sslmode={mode} is not known", hint="disable, require, verify-ca or verify-full")
    try:
        context = ssl.create_default_context(cafile=root_certificate or None)
    except (OSError, ssl.SSLError) as error:
        raise StoreError(f"the certificate {root_certificate} cannot be read: {error}") from error
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context
