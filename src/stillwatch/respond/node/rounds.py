"""The detection process: started, told when to look, and started again if it dies.

Detection runs in a process of its own, so that no round ever holds up a decision or an acknowledgement. The two share
folders and nothing else; what passes between them is one line of JSON for each round.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import asdict, dataclass, field

import msgspec
import structlog

from stillwatch.respond.ingest.spool import Spool
from stillwatch.respond.node.options import DetectorOptions

log = structlog.get_logger()

_STOP_S = (
    10.0  # a round that lasts longer when the node stops is broken off; the spool and the state outlive that
)
_RESTART_S = 2.0


class RoundReport(msgspec.Struct):
    """What one round did.

    Args:
        round: Its number.
        crashes: How often in a row the process had died before.
        requests: Requests taken from the spool.
        duplicates: Requests that were delivered before.
        days: Days whose profiles changed.
        damaged: Segments of the spool that the disk had damaged.
        judged: Whether the window was judged.
        findings: Findings in the window.
        opened: Cases opened.
        updated: Cases updated.
        decisions: Decisions that the playbook took.
        seconds: Wall seconds by stage.
        missing: Evidence that the requests cannot give.
        error: What went wrong, in one sentence; empty if nothing did.
        peak_mib: Most memory that the process has had.
    """

    round: int
    crashes: int = 0
    requests: int = 0
    duplicates: int = 0
    days: int = 0
    damaged: int = 0
    judged: bool = False
    findings: int = 0
    opened: int = 0
    updated: int = 0
    decisions: int = 0
    seconds: dict[str, float] = {}
    missing: tuple[str, ...] = ()
    error: str = ""
    peak_mib: int = 0


@dataclass(slots=True)
class RoundCounters:
    """What rounds have done since the start of the process.

    Args:
        rounds: Rounds that ended.
        failed: Rounds that ended with an error.
        requests: Requests that reached the state.
        duplicates: Requests that were delivered more than once.
        damaged: Damaged segments of the spool.
        restarts: How often the process had to be started again.
        findings: Findings when the window was last judged.
        last: The last report.
    """

    rounds: int = 0
    failed: int = 0
    requests: int = 0
    duplicates: int = 0
    damaged: int = 0
    restarts: int = 0
    findings: int = 0
    last: RoundReport = field(default_factory=lambda: RoundReport(0))

    def count(self, report: RoundReport) -> None:
        """Add one report."""
        self.rounds += 1
        self.failed += bool(report.error)
        self.requests += report.requests
        self.duplicates += report.duplicates
        self.damaged += report.damaged
        if report.judged:
            self.findings = report.findings
        self.last = report


class Rounds:
    """Runs rounds of detection at intervals.

    Args:
        options: What the process is told.
        spool: Sealed before each round, so that the round sees everything that was acknowledged.
        every_s: Seconds from the start of a round to the start of the next; a longer round delays the next.
    """

    def __init__(
        self,
        options: DetectorOptions,
        spool: Spool,
        every_s: float,
    ) -> None:
        self._options = options
        self._spool = spool
        self._every_s = every_s
        self._process: asyncio.subprocess.Process | None = None
        self._started = False
        self._crashes = 0
        self._lock = asyncio.Lock()
        self.counters = RoundCounters()

    async def run(self) -> None:
        """Run rounds until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await self.round()
            except (OSError, ConnectionError, EOFError, msgspec.MsgspecError) as error:
                self._crashes += 1
                log.warning("detection stopped", error=type(error).__name__, again_in_s=_RESTART_S)
                await self._end_process()
                await asyncio.sleep(_RESTART_S)
                continue
            await asyncio.sleep(max(0.0, started + self._every_s - loop.time()))

    async def round(self) -> RoundReport:
        """Run one round now.

        Raises:
            OSError: The process cannot be started, or died.
        """
        async with self._lock:
            process = self._process
            if process is None or process.returncode is not None:
                process = self._process = await self._start()
            await asyncio.to_thread(self._spool.rotate)
            report = await self._ask(process, self.counters.rounds + 1)
        self._crashes = 0
        self.counters.count(report)
        if report.error:
            log.error("round failed", round=report.round, error=report.error)
        elif report.requests or report.judged:
            log.info(
                "round",
                round=report.round,
                requests=report.requests,
                findings=report.findings,
                seconds=round(sum(report.seconds.values()), 2),
            )
        return report

    async def stop(self) -> None:
        """Let a running round end if it is short, then end the process."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._lock.acquire(), _STOP_S)
        await self._end_process()

    async def _start(self) -> asyncio.subprocess.Process:
        self.counters.restarts += self._started
        self._started = True
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "stillwatch.respond.node.detecting",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        await self._send(process, asdict(self._options))
        return process

    async def _send(self, process: asyncio.subprocess.Process, message: object) -> None:
        if process.stdin is None:
            raise ConnectionError("the detection process has no input")
        process.stdin.write(msgspec.json.encode(message) + b"\n")
        await process.stdin.drain()

    async def _ask(self, process: asyncio.subprocess.Process, number: int) -> RoundReport:
        await self._send(process, {"round": number, "crashes": self._crashes})
        if process.stdout is None:
            raise ConnectionError("the detection process has no output")
        line = await process.stdout.readline()
        if not line:
            raise EOFError("the detection process ended")
        return msgspec.json.decode(line, type=RoundReport)

    async def _end_process(self) -> None:
        """Close its input, which ends it, and make sure."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
