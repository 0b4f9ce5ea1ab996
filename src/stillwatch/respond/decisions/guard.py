"""The guard: three calls for whatever answers requests to a model.

    guard = Guard("https://node.example.com:8741", token="…")
    verdict = guard.decide(Call(account_id="org-1", client_address="192.0.2.7"))
    guard.record(call, Outcome(status=200, output_tokens=512))
    guard.close()

A guard never takes its host down: it answers from memory, learns of changes in a thread of its own, and lets calls
pass, visibly counted, where it knows nothing (or refuses them with `fail_closed`).
"""

import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import structlog

from stillwatch.domain.actions import Action
from stillwatch.domain.calls import Call, Outcome, Verdict
from stillwatch.errors import StillwatchError
from stillwatch.respond.decisions.effects import EffectCounts
from stillwatch.respond.decisions.index import DecisionIndex, now_us
from stillwatch.respond.decisions.logbook import LogBuffer, LogFolder, line_of
from stillwatch.respond.decisions.sources import NodeSource, Source, StoreSource

POLL_S: Final = 0.25
"""A change is seen within this and one query: well under the second that is promised."""

_WAIT_S: Final = 5.0
_DELIVER_S: Final = 0.5
"""Seconds between two deliveries of counts and logs."""

_PASSED: Final = Verdict(checked=False, reason="not checked")
_BATCH: Final = 2_000
_PAUSE_S: Final = 0.1
"""Counts are delivered in short transactions with pauses in between: whoever takes a decision must not wait for them."""

_HELD: Final = Verdict(
    action=Action.BLOCK,
    checked=False,
    refused=True,
    retry_after_s=1.0,
    reason="not checked, and set to fail closed",
)
_log: Final = structlog.get_logger("stillwatch.guard")


class GuardCounters(msgspec.Struct, kw_only=True):
    """What a guard did since it began.

    Attributes:
        checked: calls that were looked up.
        unchecked: calls that were not, because nothing was loaded yet or something failed.
        refused: calls refused.
        would_refuse: calls that would have been refused if everything in shadow were live.
        failures: lookups that failed.
        source_failures: times the source could not be reached.
        logged: log records taken.
        dropped_logs: log records for which there was no room or no destination.
        dropped_effects: calls that could not be counted for a decision.
        entries: decisions and indicators loaded.
        sequence: newest change that is in force.
        loaded: whether everything was loaded once.
    """

    checked: int = 0
    unchecked: int = 0
    refused: int = 0
    would_refuse: int = 0
    failures: int = 0
    source_failures: int = 0
    logged: int = 0
    dropped_logs: int = 0
    dropped_effects: int = 0
    entries: int = 0
    sequence: int = 0
    loaded: bool = False


class Guard:
    """Decides about calls, in this process, from memory.

    Args:
        source: A node's URL (http, https), the URL or path of its database, or an index in this process.
        token: The node's token: scope `decide`, and `ingest` for logs.
        fail_closed: Refuse what could not be checked; by default it passes.
        log: Folder for log records that a node tails; a node's URL takes them itself.
        buffer: Log records kept in memory at most.
        poll_s: Seconds between two looks for changes.
        wait_s: How long to wait for the first load before calls are answered unchecked.
        clock: Returns UTC microseconds.
    """

    def __init__(
        self,
        source: str | Path | DecisionIndex,
        *,
        token: str = "",
        fail_closed: bool = False,
        log: str | Path | None = None,
        buffer: int = 10_000,
        poll_s: float = POLL_S,
        wait_s: float = _WAIT_S,
        clock: Callable[[], int] = now_us,
    ) -> None:
        self._source: Source | None = _source_of(source, token)
        self._sink: Source | None = _source_of(source, token)
        self._index = source if isinstance(source, DecisionIndex) else DecisionIndex(clock=clock)
        self._unknown = _HELD if fail_closed else _PASSED
        self._clock = clock
        self._poll_s = poll_s
        self._counters = GuardCounters(loaded=self._source is None)
        self._effects = EffectCounts()
        self._effects_lock = threading.Lock()
        self._lines = LogBuffer(buffer)
        self._folder = LogFolder(Path(log)) if log is not None else None
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._threads: list[threading.Thread] = []
        _guards.add(self)
        self._begin()
        if self._source is not None:
            self._ready.wait(wait_s)

    def decide(self, call: Call) -> Verdict:
        """Say what happens to a call, before it reaches the model.

        Args:
            call: What is known of it.

        Returns:
            The verdict. `refused` says whether to refuse; `withheld` what to answer without.
        """
        counters = self._counters
        if not counters.loaded:
            counters.unchecked += 1
            return self._unknown
        try:
            verdict = self._index.decide(call)
            if verdict.decision_id is not None or verdict.would_id is not None:
                self._note(call, verdict)
        except Exception:  # noqa: BLE001 - a gateway never goes down with us: the call is counted as not checked
            counters.failures += 1
            counters.unchecked += 1
            _log.exception("lookup failed")
            return self._unknown
        counters.checked += 1
        return verdict

    def record(self, call: Call, outcome: Outcome) -> None:
        """Remember how a call ended, for the node's detection. Never waits.

        Args:
            call: The call that was decided.
            outcome: How it ended; `request` may carry what detection reads, such as the prompt.
        """
        if not self.records:
            self._lines.dropped += 1
            return
        try:
            self._lines.add(line_of(call, outcome, self._clock()))
        except Exception:  # noqa: BLE001 - a record that cannot be written is dropped and counted, not the call
            self._lines.dropped += 1
            _log.exception("record failed")

    def close(self) -> None:
        """Deliver what waits and stop the thread."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10.0)
        if self._threads:
            self._deliver()
        self._threads = []
        for end in (self._source, self._sink):
            if end is not None:
                end.close()
        _guards.discard(self)

    @property
    def records(self) -> bool:
        """Say whether log records have a destination."""
        return self._folder is not None or (self._source is not None and self._source.takes_logs)

    @property
    def counters(self) -> GuardCounters:
        """Return what was done so far."""
        now = msgspec.structs.replace(self._counters)
        now.entries, now.sequence = len(self._index), self._index.sequence
        now.logged, now.dropped_logs = self._lines.added, self._lines.dropped
        now.dropped_effects = self._effects.dropped
        return now

    def __enter__(self) -> Self:
        """Return the guard, to be closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the guard."""
        self.close()

    def _note(self, call: Call, verdict: Verdict) -> None:
        self._counters.refused += verdict.refused
        self._counters.would_refuse += verdict.would_refuse
        if self._sink is not None:
            with self._effects_lock:
                self._effects.note(call.account_id, verdict, self._clock())

    def _begin(self) -> None:
        """Start one thread that learns and one that delivers: a slow disk must not delay what is in force."""
        if self._source is None and self._folder is None:
            return
        work = [("deliver", self._deliver_on)] + (
            [("learn", self._learn_on)] if self._source is not None else []
        )
        self._threads = [
            threading.Thread(target=run, name=f"stillwatch-guard-{name}", daemon=True) for name, run in work
        ]
        for thread in self._threads:
            thread.start()

    def _learn_on(self) -> None:
        """Learn of changes until the guard is closed."""
        while not self._stop.is_set():
            self._learn()
            self._ready.set()
            self._index.sweep()
            self._stop.wait(self._poll_s)

    def _deliver_on(self) -> None:
        """Deliver counts and logs until the guard is closed."""
        while not self._stop.wait(_DELIVER_S):
            self._deliver()

    def _learn(self) -> None:
        try:
            more = self._source is not None
            while self._source is not None and more and not self._stop.is_set():
                page = self._source.changes(self._index.sequence)
                self._index.apply(page.changes)
                more = page.more
            self._counters.loaded = self._counters.loaded or not more
        except StillwatchError as error:
            self._failed("changes cannot be read", error)
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a driver raises
            self._failed("changes cannot be read", error)

    def _deliver(self) -> None:
        """Hand over logs and counts; keep what could not be handed over."""
        self._deliver_logs()
        self._deliver_counts()

    def _deliver_logs(self) -> None:
        while lines := self._lines.batch():
            try:
                self._write(lines)
            except Exception as error:  # noqa: BLE001 - see above
                self._lines.give_back(lines)
                self._failed("logs cannot be delivered", error)
                return

    def _deliver_counts(self) -> None:
        with self._effects_lock:
            counted = self._effects.drain()
        while counted and self._sink is not None:
            try:
                self._sink.report(counted[:_BATCH])
            except Exception as error:  # noqa: BLE001 - see above
                with self._effects_lock:
                    self._effects.give_back(counted)
                self._failed("counts cannot be delivered", error)
                return
            counted = counted[_BATCH:]
            if counted:
                self._stop.wait(_PAUSE_S)

    def _write(self, lines: list[bytes]) -> None:
        if self._folder is not None:
            self._folder.write(lines)
        elif self._sink is not None:
            self._sink.log(lines)

    def _failed(self, what: str, error: Exception) -> None:
        """Count, and say it at the first time and every thousandth."""
        if self._counters.source_failures % 1_000 == 0:
            _log.warning(what, error=str(error), failures=self._counters.source_failures + 1)
        self._counters.source_failures += 1

    def _forked(self) -> None:
        """Start again in a child process: threads, locks and connections stay with the parent."""
        self._index.forked()
        self._effects_lock = threading.Lock()
        self._effects = EffectCounts()
        self._stop, self._ready = threading.Event(), threading.Event()
        if self._folder is not None:
            self._folder.forked()
        for end in (self._source, self._sink):
            if end is not None:
                end.forked()
        self._begin()


_guards: "weakref.WeakSet[Guard]" = weakref.WeakSet()


def _after_fork() -> None:
    for guard in list(_guards):
        guard._forked()  # noqa: SLF001 - the same module


os.register_at_fork(after_in_child=_after_fork)


def _source_of(source: str | Path | DecisionIndex, token: str) -> Source | None:
    """Return where to learn from and deliver to; nothing for an index that somebody else keeps up to date."""
    if isinstance(source, DecisionIndex):
        return None
    text = str(source)
    return NodeSource(text, token) if text.startswith(("http://", "https://")) else StoreSource(text)
