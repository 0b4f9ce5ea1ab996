"""One suite over every kind of store: SQLite in a folder, and a real PostgreSQL that the session starts."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillwatch.detect.findings.report.example import example_report
from stillwatch.domain.findings import Finding
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.store import Store, open_store


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of database under test."""
    return str(request.param)


@pytest.fixture(scope="session")
def empty_url(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Return a maker of URLs, each of a database without any tables."""
    if kind == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_database")
        return new_database
    numbers, folder = itertools.count(), tmp_path_factory.mktemp("empty")
    return lambda: f"sqlite:///{folder}/{next(numbers)}.db"


@pytest.fixture(scope="session")
def make_url(
    kind: str,
    empty_url: Callable[[], str],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], str]:
    """Return a maker of URLs, each of a store of its own without entries: copies of one that was migrated once."""
    migrated = empty_url()
    open_store(migrated).close()
    if kind == "postgresql":
        new_database, like = (
            request.getfixturevalue("new_database"),
            migrated.partition("?")[0].rpartition("/")[2],
        )
        return lambda: new_database(like)
    numbers, folder = itertools.count(), tmp_path_factory.mktemp("stores")

    def copy() -> str:
        path = folder / f"{next(numbers)}.db"
        shutil.copy(Path(migrated.removeprefix("sqlite:///")), path)
        return f"sqlite:///{path}"

    return copy


@pytest.fixture
def url(make_url: Callable[[], str]) -> str:
    """Return the URL of a store without entries."""
    return make_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Open a store without entries."""
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    """Return a clock at noon."""
    return Clock(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture
def wait(clock: Clock) -> Callable[[timedelta], None]:
    """Return what lets time pass."""

    def pass_by(span: timedelta) -> None:
        clock.now += span

    return pass_by


@pytest.fixture
def trail(store: Store, clock: Clock) -> AuditTrail:
    """Return the trail of a store without entries."""
    return AuditTrail(store, clock)


@pytest.fixture(scope="session")
def finding() -> Finding:
    """Return a finding with evidence, of 212 accounts."""
    return example_report().findings[1]
