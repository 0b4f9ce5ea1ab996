"""Where a scan's time goes, stage by stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


class Stopwatch:
    """Adds up wall seconds by stage.

    A stage inside another one on the same thread counts for itself only, so that the stages of one thread add up to
    the time that passed. What another thread does meanwhile is counted in full, beside it.
    """

    def __init__(self) -> None:
        """Start at nothing."""
        self.seconds: dict[str, float] = {}
        self._started = time.perf_counter()
        self._lock = threading.Lock()
        self._thread = threading.local()

    @property
    def elapsed(self) -> float:
        """Wall seconds since the watch was made."""
        return time.perf_counter() - self._started

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the time of a block towards a stage."""
        start = time.perf_counter()
        outside, self._thread.inner = getattr(self._thread, "inner", 0.0), 0.0
        try:
            yield
        finally:
            took = time.perf_counter() - start
            self.add(stage, took - self._thread.inner)
            self._thread.inner = outside + took

    def each(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """Yield items, and count the time spent in getting them towards a stage."""
        source = iter(items)
        while True:
            with self(stage):
                try:
                    item = next(source)
                except StopIteration:
                    return
            yield item

    def add(self, stage: str, seconds: float) -> None:
        """Count seconds towards a stage."""
        with self._lock:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
