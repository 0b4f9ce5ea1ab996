"""A guard decides from memory, learns of changes soon, and never takes its host down."""

import gzip
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.respond.decisions.conftest import Clock

from stillwatch import Call, Guard, Outcome
from stillwatch.domain.actions import Action, IndicatorKind
from stillwatch.domain.decisions import Decision
from stillwatch.errors import GuardError
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.decisions.changes import Change, ChangePage, Entry, Policy
from stillwatch.respond.decisions.index import DecisionIndex, now_us
from stillwatch.respond.decisions.reporting import effects_of
from stillwatch.respond.decisions.taking import take, undo
from stillwatch.respond.store import Store

ALICE = "person:alice"
Make = Callable[..., Decision]
PATIENCE_S = 20.0
"""Far longer than anything here takes; nothing is measured."""


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def blocking(decision: Make) -> Decision:
    """Return a live block of a and b that began an hour ago and lasts, on the machine's own clock."""
    from datetime import UTC, datetime  # noqa: PLC0415

    now = datetime.now(UTC)
    return decision(
        action="block",
        mode="live",
        rationale="our terms",
        decided_at=now,
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(days=1),
    )


@pytest.fixture
def trail(store: Store) -> AuditTrail:
    from datetime import UTC, datetime  # noqa: PLC0415

    return AuditTrail(store, lambda: datetime.now(UTC))


def test_a_guard_sees_a_decision_and_its_undo(database: Path, trail: AuditTrail, blocking: Decision) -> None:
    with Guard(database, poll_s=0.02) as guard:
        assert not guard.decide(Call("a")).refused
        with trail.writing(ALICE) as write:
            take(write, blocking)
        until(lambda: guard.decide(Call("a")).refused)
        with trail.writing(ALICE) as write:
            undo(write, blocking.decision_id, "a mistake")
        until(lambda: not guard.decide(Call("a")).refused)
        assert guard.counters.unchecked == 0


def test_what_happened_is_counted_in_the_database(
    database: Path, store: Store, trail: AuditTrail, blocking: Decision
) -> None:
    shadow = blocking.model_copy(update={"decision_id": "decision--2", "mode": "shadow"})
    with trail.writing(ALICE) as write:
        take(write, blocking)
        take(write, shadow)
    with Guard(database, poll_s=0.02) as guard:
        for name in ("a", "a", "b", "z"):
            guard.decide(Call(name))
        assert (guard.counters.refused, guard.counters.would_refuse) == (3, 3)
    with store.reading() as connection:
        live, would = effects_of(connection)
    assert (live.entry_id, live.accounts, live.matched, live.refused) == ("decision--1", 2, 3, 3)
    assert (would.entry_id, would.matched, would.would_refuse, would.refused) == ("decision--2", 3, 3, 0)


def test_counts_of_two_guards_add_up(
    database: Path, store: Store, trail: AuditTrail, blocking: Decision
) -> None:
    with trail.writing(ALICE) as write:
        take(write, blocking)
    for _ in range(2):
        with Guard(database) as guard:
            guard.decide(Call("a", time_us=now_us()))
    with store.reading() as connection:
        assert effects_of(connection)[0].matched == 2


def test_counts_of_thousands_of_accounts_are_all_delivered(
    database: Path, store: Store, trail: AuditTrail, blocking: Decision
) -> None:
    accounts = tuple(f"org-{number}" for number in range(4_500))
    with trail.writing(ALICE) as write:
        take(write, blocking.model_copy(update={"accounts": accounts}))
    with Guard(database, poll_s=0.02) as guard:
        for name in accounts:
            guard.decide(Call(name))
    with store.reading() as connection:
        (report,) = effects_of(connection)
    assert (report.accounts, report.refused) == (4_500, 4_500)


@pytest.mark.parametrize("fail_closed", [False, True])
def test_without_a_source_calls_pass_or_not_by_setting_and_are_counted(
    tmp_path: Path, *, fail_closed: bool
) -> None:
    with Guard(tmp_path / "none.db", wait_s=0.05, poll_s=0.02, fail_closed=fail_closed) as guard:
        verdict = guard.decide(Call("a"))
        assert (verdict.refused, verdict.checked) == (fail_closed, False)
        until(lambda: guard.counters.source_failures > 1)
        assert (guard.counters.unchecked, guard.counters.loaded) == (1, False)
    assert not (tmp_path / "none.db").exists()


def test_a_lookup_that_fails_lets_the_call_pass_and_is_counted() -> None:
    index = DecisionIndex(clock=lambda: 0)
    with Guard(index) as guard:
        verdict = guard.decide(Call(account_id=[]))  # type: ignore[arg-type]
        assert (verdict.refused, verdict.checked) == (False, False)
        assert guard.counters.failures == 1
        assert guard.decide(Call("a")).checked


def test_what_was_known_stays_in_force_when_the_source_goes_away(
    database: Path, trail: AuditTrail, store: Store, blocking: Decision
) -> None:
    with trail.writing(ALICE) as write:
        take(write, blocking)
    with Guard(database, poll_s=0.02) as guard:
        assert guard.decide(Call("a")).refused
        for end in (guard._source, guard._sink):
            assert end is not None
            end.close()
        store.close()
        for suffix in ("", "-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        until(lambda: guard.counters.source_failures > 0)
        assert guard.decide(Call("a")).refused


def test_an_index_in_this_process_needs_no_thread() -> None:
    index = DecisionIndex(clock=lambda: 0)
    with Guard(index) as guard:
        entry = Entry("d", IndicatorKind.ACCOUNT, ("a",), 0, 9, Policy(Action.BLOCK, live=True))
        index.apply([Change(1, "d", entry)])
        assert guard.decide(Call("a")).refused
        assert threading.active_count() == len(
            [t for t in threading.enumerate() if t.name != "stillwatch-guard"]
        )


def test_records_go_to_the_log_folder_as_canonical_requests(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    with Guard(DecisionIndex(), log=folder, poll_s=0.02) as guard:
        call = Call("a", client_address="192.0.2.1", time_us=1_772_442_000_123_456)
        guard.record(call, Outcome(status=200, output_tokens=5, request={"request_id": "r1", "prompt": "Hi"}))
    (file,) = folder.glob("*.jsonl")
    row = json.loads(file.read_text())
    assert row["time"] == "2026-03-02T09:00:00.123456Z"
    assert (row["request_id"], row["prompt"], row["account_id"], row["output_tokens"]) == ("r1", "Hi", "a", 5)


def test_the_buffer_has_a_bound_and_counts_what_it_drops(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with Guard(DecisionIndex(), log=tmp_path / "file", buffer=3, poll_s=10) as guard:
        for _ in range(9):
            guard.record(Call("a"), Outcome())
        assert guard.counters.dropped_logs >= 5


def test_records_without_a_destination_are_counted_as_dropped() -> None:
    with Guard(DecisionIndex()) as guard:
        guard.record(Call("a"), Outcome())
        assert guard.counters.dropped_logs == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_learns_by_itself(database: Path, trail: AuditTrail, blocking: Decision) -> None:
    with Guard(database, poll_s=0.02) as guard:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover - the child
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end and not guard.decide(Call("a")).refused:
                time.sleep(0.02)
            os.write(writer, b"1" if guard.decide(Call("a")).refused else b"0")
            os._exit(0)
        with trail.writing(ALICE) as write:
            take(write, blocking)
        assert os.read(reader, 1) == b"1"
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)


class Node(BaseHTTPRequestHandler):
    """As much of a node as a guard talks to."""

    page = ChangePage()
    got: list[tuple[str, Any]]

    def do_GET(self) -> None:
        since = int(self.path.partition("since=")[2])
        self._answer(msgspec.json.encode(type(self).page if since == 0 else ChangePage(until=since)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        type(self).got.append((self.path, body))
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        allowed = self.headers.get("Authorization") == "Bearer t0ken"
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def node() -> Iterator[str]:
    Node.got = []
    entry = Entry("d", IndicatorKind.ACCOUNT, ("a",), 0, 2**60, Policy(Action.BLOCK, live=True))
    Node.page = ChangePage((Change(4, "d", entry),), until=4)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Node)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_guard_learns_from_a_node_and_delivers_counts_and_logs(node: str) -> None:
    with Guard(node, token="t0ken") as guard:
        assert guard.decide(Call("a")).refused
        guard.record(Call("a"), Outcome(status=403))
        assert guard.counters.sequence == 4
    paths = dict(Node.got)
    assert json.loads(paths["/v1/effects"])[0]["refused"] == 1
    assert json.loads(paths["/v1/requests"])["status"] == 403


def test_a_wrong_token_is_counted_and_the_call_passes(node: str) -> None:
    with Guard(node, token="wrong", wait_s=0.2) as guard:
        assert not guard.decide(Call("a")).refused
        assert guard.counters.unchecked == 1


@pytest.mark.parametrize("url", ["http://", "https:///x"])
def test_what_is_no_address_is_said_at_once(url: str) -> None:
    with pytest.raises(GuardError):
        Guard(url)


def test_the_clock_is_an_argument(clock: Clock) -> None:
    index = DecisionIndex(clock=clock.us)
    end = clock.us() + 1
    index.apply(
        [Change(1, "d", Entry("d", IndicatorKind.ACCOUNT, ("a",), 0, end, Policy(Action.BLOCK, live=True)))]
    )
    with Guard(index, clock=clock.us) as guard:
        assert guard.decide(Call("a")).refused
        clock.pass_by(seconds=1)
        assert not guard.decide(Call("a")).refused
