"""How a PostgreSQL URL is understood. What the server does is tested against a real one."""

import ssl

import pytest
from sqlalchemy import make_url

from stillwatch.errors import StoreError
from stillwatch.respond.store import open_store
from stillwatch.respond.store.postgresql import _address


def test_a_host_and_a_database_are_taken_as_they_are() -> None:
    url, arguments = _address(make_url("postgresql://alice:secret@db.example.com/stillwatch"))
    assert (url.host, url.port, url.database, url.drivername) == (
        "db.example.com", 5432, "stillwatch", "postgresql+pg8000",
    )  # fmt: skip
    assert "unix_sock" not in arguments
    assert "ssl_context" not in arguments


def test_a_folder_as_host_is_a_socket() -> None:
    url, arguments = _address(make_url("postgresql://alice@:5433/stillwatch?host=/run/postgresql"))
    assert url.host is None
    assert arguments["unix_sock"] == "/run/postgresql/.s.PGSQL.5433"


@pytest.mark.parametrize(
    ("mode", "verified", "named"),
    [
        ("require", ssl.CERT_NONE, False),
        ("verify-ca", ssl.CERT_REQUIRED, False),
        ("verify-full", ssl.CERT_REQUIRED, True),
    ],
)
def test_the_modes_of_tls_are_those_of_libpq(mode: str, verified: ssl.VerifyMode, *, named: bool) -> None:
    _, arguments = _address(make_url(f"postgresql://db.example.com/stillwatch?sslmode={mode}"))
    context = arguments["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (verified, named)


@pytest.mark.parametrize(
    "query",
    ["sslmode=prefer", "sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "options=-csearch_path%3Dx"],
)
def test_what_is_not_understood_is_refused(query: str) -> None:
    with pytest.raises(StoreError):
        _address(make_url(f"postgresql://db.example.com/stillwatch?{query}"))


def test_a_server_that_is_not_there_is_an_error_without_the_password() -> None:
    with pytest.raises(StoreError) as refused:
        open_store("postgresql://alice:hunter2@127.0.0.1:9/stillwatch")
    assert "hunter2" not in refused.value.message
    assert "running" in refused.value.hint
