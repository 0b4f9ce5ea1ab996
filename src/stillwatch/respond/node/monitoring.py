"""`/healthz` for whoever starts and restarts the node, `/metrics` for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stillwatch import __version__
from stillwatch.respond.decisions.guard import Guard
from stillwatch.respond.ingest.counters import IngestCounters
from stillwatch.respond.ingest.spool import Spool, sealed_segments
from stillwatch.respond.node.gate import Gate
from stillwatch.respond.node.metrics import MEDIA_TYPE, Metric, exposition, single
from stillwatch.respond.node.rounds import RoundCounters
from stillwatch.respond.web.interface import Scope, interface

Further = Callable[[], Iterator[Metric]]


class Monitoring:
    """Answers how the node is.

    Args:
        spool: The spool.
        ingest: What the receivers count.
        rounds: What detection counts.
        gate: What the gate counts.
        further: Metrics of other packages, such as calls that were not checked.
    """

    def __init__(
        self,
        spool: Spool,
        ingest: IngestCounters,
        rounds: RoundCounters,
        gate: Gate,
        further: tuple[Further, ...] = (),
    ) -> None:
        self._spool = spool
        self._ingest = ingest
        self._rounds = rounds
        self._gate = gate
        self._further = further

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/healthz", self.health, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    @interface(None, "Say whether the node works.", responses={"200": {"description": "It does."}})
    async def health(self, _request: Request) -> Response:
        """Say that the node answers, and what its last round of detection came to."""
        last = self._rounds.last
        body = {
            "status": "degraded" if last.error else "ok",
            "version": __version__,
            "rounds": self._rounds.rounds,
            "last_round_error": bool(last.error),
        }
        return Response(msgspec.json.encode(body), media_type="application/json")

    @interface(
        Scope.ANALYST,
        "Counters for Prometheus.",
        responses={"200": {"description": "Text format 0.0.4.", "content": {"text/plain": {}}}},
    )
    async def metrics(self, _request: Request) -> Response:
        """Write every counter down."""
        found = [
            *self._of_ingest(),
            *self._of_detection(),
            *(one for more in self._further for one in more()),
        ]
        return Response(exposition(found), media_type=MEDIA_TYPE)

    def _of_ingest(self) -> Iterator[Metric]:
        counters = self._ingest
        yield Metric(
            "ingest_accepted_total",
            "counter",
            "Requests on disk.",
            {(("receiver", name),): count for name, count in sorted(counters.accepted.items())},
        )
        yield Metric(
            "ingest_rejected_total",
            "counter",
            "Requests refused.",
            {
                (("receiver", name), ("reason", reason)): count
                for (name, reason), count in sorted(counters.rejected.items())
            },
        )
        yield Metric(
            "ingest_bodies_refused_total",
            "counter",
            "Bodies refused as a whole.",
            {(("status", str(status)),): count for status, count in sorted(counters.bodies_refused.items())},
        )
        yield single(
            "ingest_overloads_total", "counter", "Bodies turned away for lack of room.", counters.overloads
        )
        yield single(
            "ingest_storage_failures_total",
            "counter",
            "Bodies that the disk refused.",
            counters.storage_failures,
        )
        yield single("spool_bytes", "gauge", "Bytes not yet read by detection.", self._spool.size_bytes)
        yield single("spool_segments", "gauge", "Sealed segments.", len(sealed_segments(self._spool.folder)))
        yield Metric(
            "gate_refused_total",
            "counter",
            "Calls refused for their token or rate.",
            {(("status", str(status)),): count for status, count in sorted(self._gate.refused.items())},
        )

    def _of_detection(self) -> Iterator[Metric]:
        rounds = self._rounds
        yield single("rounds_total", "counter", "Rounds of detection.", rounds.rounds)
        yield single("rounds_failed_total", "counter", "Rounds that ended with an error.", rounds.failed)
        yield single(
            "detection_restarts_total", "counter", "Starts of the detection process again.", rounds.restarts
        )
        yield single(
            "requests_detected_total", "counter", "Requests that reached the profiles.", rounds.requests
        )
        yield single("duplicates_total", "counter", "Requests delivered more than once.", rounds.duplicates)
        yield single("spool_damaged_total", "counter", "Damaged segments set aside.", rounds.damaged)
        yield single("findings", "gauge", "Findings in the window.", rounds.findings)
        yield single(
            "round_seconds", "gauge", "Seconds of the last round.", sum(rounds.last.seconds.values())
        )
        yield single("detection_peak_mebibytes", "gauge", "Most memory of detection.", rounds.last.peak_mib)


def guard_metrics(guard: Guard) -> Iterator[Metric]:
    """Write down what the node's own guard counted.

    Args:
        guard: Answers `POST /v1/decide`.
    """
    counted = guard.counters
    yield single("calls_checked_total", "counter", "Calls that were looked up.", counted.checked)
    yield single("calls_not_checked_total", "counter", "Calls that passed unchecked.", counted.unchecked)
    yield single("calls_refused_total", "counter", "Calls refused.", counted.refused)
    yield single(
        "calls_would_refuse_total", "counter", "Calls refused if shadow were live.", counted.would_refuse
    )
    yield single("guard_entries", "gauge", "Decisions and indicators in force.", counted.entries)
    yield single("guard_sequence", "gauge", "Newest change in force.", counted.sequence)
