"""What does it cost to ask a guard with a million decisions and a million indicators loaded, and when does it know?

    ./run bench guard                     a million of each, about three minutes
    ./run bench guard --entries 100000    smaller

The guard loads from a real store, as a gateway does. A call's processor time is judged, because on a busy machine its wall
time is the scheduler's; both are shown.
"""

import argparse
import gc
import os
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Table, insert, text

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.results import write_section
from stillwatch import Call, Guard
from stillwatch.domain.actions import Action, IndicatorKind, Withheld
from stillwatch.domain.decisions import Decision, Throttle
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.decisions.changes import Entry, Policy
from stillwatch.respond.decisions.taking import take, undo
from stillwatch.respond.store import Store, open_store
from stillwatch.respond.store.audit_tables import audit_entries
from stillwatch.respond.store.decision_tables import decisions, indicators

ENTRIES = 1_000_000
_ASKED = 200_000
_CHANGES = 20
_BATCH = 20_000
_FAR_US = 10**15 * 4
_P99_US = 100.0
_VISIBLE_S = 1.0


@dataclass(frozen=True)
class Times:
    """Microseconds of many calls, each list sorted.

    Args:
        cpu_us: Processor time of the calling thread.
        wall_us: Wall time.
    """

    cpu_us: Sequence[float]
    wall_us: Sequence[float]

    def __str__(self) -> str:
        """Say the quantiles that matter."""
        return (
            f"processor p50 {at(self.cpu_us, 0.5):.1f}, p99 {at(self.cpu_us, 0.99):.1f} µs; wall {self._wall}"
        )

    @property
    def _wall(self) -> str:
        return f"p50 {at(self.wall_us, 0.5):.1f}, p99 {at(self.wall_us, 0.99):.1f} µs"


def at(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def policies() -> list[Policy]:
    """Return what decisions do: every action, in shadow and live, with the reasons of a few dozen cases."""
    found = []
    for action in Action:
        rate, burst = (60.0, 10) if action is Action.THROTTLE else (0.0, 0)
        withheld = (Withheld.LOGPROBS,) if action is Action.WITHHOLD else ()
        tags = ("watch",) if action is Action.TAG else ()
        found += [
            Policy(action, live, f"case-{number}", withheld, tags, rate, burst)
            for live in (False, True)
            for number in range(20)
        ]
    return found


def account(number: int) -> str:
    """Return an account id as long as real ones."""
    return f"org-{number:024x}"


def values(number: int) -> tuple[IndicatorKind, str]:
    """Return the kind and value of one indicator."""
    kinds = [kind for kind in IndicatorKind if kind is not IndicatorKind.ACCOUNT]
    kind = kinds[number % len(kinds)]
    written = {
        IndicatorKind.CLIENT: f"t13d1516h2_{number:012x}_b186095e22b6 client/{number}",
        IndicatorKind.PAYMENT: f"{number:064x}",
        IndicatorKind.EMAIL: f"{number:064x}",
        IndicatorKind.TEMPLATE: f"{number * 2_654_435_761 % 2**64:016x}",
        IndicatorKind.NETWORK: _network(number),
    }
    return kind, written[kind]


def _network(number: int) -> str:
    if number % 2:
        return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64"
    return f"240.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/32"


def fill(store: Store, count: int) -> None:
    """Write decisions and indicators that are in force; straight into the tables, because only loading is measured."""
    chosen = policies()
    now = datetime.now(UTC)
    end = now + timedelta(days=300)

    def entry(entry_id: str, kind: IndicatorKind, value: str, number: int) -> str:
        made = Entry(entry_id, kind, (value,), 0, _FAR_US, chosen[number % len(chosen)])
        return msgspec.json.encode(made).decode()

    taken: Iterator[dict[str, object]] = (
        {
            "decision_id": f"decision--{number:032x}",
            "change": number + 1,
            "action": "observe",
            "mode": "shadow",
            "author": "person:bench",
            "starts_at": now,
            "ends_at": end,
            "record": {},
            "entry": entry(f"decision--{number:032x}", IndicatorKind.ACCOUNT, account(number), number),
        }
        for number in range(count)
    )
    marks: Iterator[dict[str, object]] = (
        {
            "indicator_id": f"indicator--{number:032x}",
            "change": count + number + 1,
            "kind": values(number)[0].value,
            "value": values(number)[1],
            "origin": "own",
            "valid_until": end,
            "record": {},
            "entry": entry(f"indicator--{number:032x}", *values(number), number),
        }
        for number in range(count)
    )
    tables: list[tuple[Table, Iterable[dict[str, object]]]] = [(decisions, taken), (indicators, marks)]
    with store.writing() as connection:
        for table, rows in tables:
            for batch in _batches(rows):
                connection.execute(insert(table), batch)
        _number_on(connection, 2 * count)


def _number_on(connection: Connection, last: int) -> None:
    """Let the trail's numbers, which order all changes, go on where these rows end."""
    for trigger in ("change", "remove", "append"):
        connection.execute(text(f"DROP TRIGGER IF EXISTS audit_entries_{trigger}"))
    row = {
        "sequence": last,
        "time_us": 0,
        "actor": "system:bench",
        "action": "bench.filled",
        "object_kind": "bench",
    }
    rest = {"object_id": "bench", "payload": "{}", "previous_hash": "0" * 64, "entry_hash": "0" * 64}
    connection.execute(insert(audit_entries).values({**row, **rest}))


def _batches(rows: Iterable[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    kept: list[dict[str, object]] = []
    for row in rows:
        kept.append(row)
        if len(kept) == _BATCH:
            yield kept
            kept = []
    if kept:
        yield kept


def call(number: int, *, known: bool) -> Call:
    """Return a call that shows everything; a known one meets a decision and several indicators."""
    shown = number if known else number + 10**9
    return Call(
        account_id=account(shown),
        client_address=f"2001:db8:{shown >> 16 & 0xFFFF:x}:{shown & 0xFFFF:x}::1"
        if number % 2
        else f"240.{shown >> 16 & 255}.{shown >> 8 & 255}.{shown & 255}",
        tls_ja4=f"t13d1516h2_{shown:012x}_b186095e22b6",
        user_agent=f"client/{shown}",
        payment=f"{shown:064x}",
        email=f"{shown:064x}",
        template=shown * 2_654_435_761 % 2**64,
        model="m",
    )


def asked(guard: Guard, count: int, *, known: bool) -> Times:
    """Ask about calls one after the other, each about another account."""
    rng = random.Random(1)
    calls = [call(rng.randrange(count), known=known) for _ in range(_ASKED)]
    wall, cpu = [], []
    for one in calls:
        started, started_cpu = time.perf_counter_ns(), time.thread_time_ns()
        guard.decide(one)
        cpu.append((time.thread_time_ns() - started_cpu) / 1_000)
        wall.append((time.perf_counter_ns() - started) / 1_000)
    return Times(sorted(cpu), sorted(wall))


def visible_s(guard: Guard, store: Store) -> list[float]:
    """Return the seconds from each committed change to the first verdict that knows it."""
    trail = AuditTrail(store, lambda: datetime.now(UTC))
    waited = []
    for number in range(_CHANGES):
        name, now = f"fresh-{number}", datetime.now(UTC)
        decision = Decision(
            decision_id=f"decision--fresh-{number}",
            accounts=(name,),
            action=Action.THROTTLE,
            throttle=Throttle(requests_per_min=1, burst=1),
            reason="bench",
            author="person:bench",
            decided_at=now,
            starts_at=now,
            ends_at=now + timedelta(hours=1),
        )
        with trail.writing("person:bench") as write:
            take(write, decision)
        waited.append(_until(guard, name, known=True))
        with trail.writing("person:bench") as write:
            undo(write, decision.decision_id, "bench")
        waited.append(_until(guard, name, known=False))
    return waited


def _until(guard: Guard, name: str, *, known: bool) -> float:
    started = time.monotonic()
    while (guard.decide(Call(name)).would_id is not None) is not known:
        if time.monotonic() - started > 60:
            return float("inf")
        time.sleep(0.005)
    return time.monotonic() - started


def resident_bytes() -> int:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print the claims, and write them down when all entries were loaded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=ENTRIES)
    count = parser.parse_args(arguments).entries
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(f"sqlite:///{Path(folder) / 'bench.db'}") as store,
    ):
        fill(store, count)
        gc.collect()
        before_bytes, started = resident_bytes(), time.process_time()
        with Guard(Path(folder) / "bench.db", wait_s=900) as guard:
            load_s = time.process_time() - started
            mib = (resident_bytes() - before_bytes) / 2**20
            unknown, known = asked(guard, count, known=False), asked(guard, count, known=True)
            waited = visible_s(guard, store)
            loaded = guard.counters.entries
    claims = [
        Claim(f"{loaded:,} entries are loaded", f"{load_s:.0f} s of processor time, {mib:,.0f} MiB", None),
        Claim(
            "p99 ≤ 100 µs, calls that nothing is known of", str(unknown), at(unknown.cpu_us, 0.99) <= _P99_US
        ),
        Claim(
            "p99 ≤ 100 µs, calls that meet decisions and indicators",
            str(known),
            at(known.cpu_us, 0.99) <= _P99_US,
        ),
        Claim(
            "a change is visible within 1 s",
            f"at most {max(waited):.2f} s of {len(waited)}",
            max(waited) <= _VISIBLE_S,
        ),
    ]
    if count == ENTRIES:
        write_section("guard", "Guard.decide in process", claims_markdown(claims))
    return print_claims(claims)


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
