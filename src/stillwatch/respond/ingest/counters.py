"""What the receivers count, for the metrics page."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from stillwatch.respond.ingest.received import Refused


@dataclass(slots=True)
class IngestCounters:
    """Counts since the start of the process.

    Args:
        accepted: Requests on disk, by receiver.
        rejected: Requests refused, by receiver and reason.
        ignored: Valid lines and spans that are no request, by receiver.
        bodies_refused: Whole bodies refused, by HTTP status.
        overloads: Bodies turned away because too much waited.
        storage_failures: Bodies turned away because the disk refused.
    """

    accepted: Counter[str] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    bodies_refused: Counter[int] = field(default_factory=Counter)
    overloads: int = 0
    storage_failures: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, source: str, accepted: int, refused: Sequence[Refused], ignored: int) -> None:
        """Add one receipt."""
        with self._lock:
            self.accepted[source] += accepted
            self.ignored[source] += ignored
            for one in refused:
                self.rejected[source, one.reason.value] += 1
