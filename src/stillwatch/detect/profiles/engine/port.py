"""The contract of a profile engine, and how one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from stillwatch.errors import EngineError

Day = tuple[Sequence[Path], Path]
"""Files of the facts of one day, and the folder for its profile."""


class Engine(Protocol):
    """Runs `profiles.definition` over the facts of whole days and writes the tables."""

    name: str

    def profile(self, days: Sequence[Day]) -> None:
        """Write every table of each day's profile as `<table>.parquet`.

        Args:
            days: The days, each by the Parquet files of its facts (no request id twice) and an existing folder to write to.

        Raises:
            EngineError: The engine cannot be reached or refuses.
        """
        ...

    def close(self) -> None:
        """Release what the engine holds."""
        ...


def open_engine(url: str = "duckdb://", *, threads: int = 2, memory_limit: str = "2GB") -> Engine:
    """Open the engine that a URL names.

    Args:
        url: `duckdb://` (embedded), `polars://` (embedded) or `spark://host:port` and `spark+local://` (distributed).
        threads: Threads of an embedded engine.
        memory_limit: Memory of an embedded engine, above which it spills to disk.

    Raises:
        EngineError: No engine has that name, or its package is not installed.
    """
    scheme = url.split("://", 1)[0]
    if scheme == "duckdb":
        from stillwatch.detect.profiles.engine.duckdb_engine import DuckDBEngine  # noqa: PLC0415

        return DuckDBEngine(threads=threads, memory_limit=memory_limit)
    if scheme == "polars":
        from stillwatch.detect.profiles.engine.polars_engine import PolarsEngine  # noqa: PLC0415

        return PolarsEngine()
    if scheme in {"spark", "spark+local"}:
        from stillwatch.detect.profiles.engine.spark_engine import SparkEngine  # noqa: PLC0415

        return SparkEngine(url)
    raise EngineError(
        f"no profile engine is called {scheme!r}", hint="use duckdb://, polars:// or spark://host:port"
    )
