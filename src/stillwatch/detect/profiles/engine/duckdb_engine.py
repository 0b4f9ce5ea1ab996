"""The embedded engine: DuckDB, in process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import narwhals as nw

from stillwatch.detect.profiles.definition import TABLES


class DuckDBEngine:
    """Profiles with DuckDB; spills to disk beyond its memory limit.

    Args:
        threads: Worker threads.
        memory_limit: As DuckDB writes it, such as `2GB`.
    """

    name = "duckdb"

    def __init__(self, *, threads: int, memory_limit: str) -> None:
        """Open a private in-memory database."""
        self._connection = duckdb.connect(
            config={"threads": threads, "memory_limit": memory_limit, "preserve_insertion_order": False}
        )

    def profile(self, facts: Sequence[Path], out: Path) -> None:
        """Write every table of a profile as `out/<table>.parquet`."""
        files = self._connection.read_parquet([str(path) for path in facts])
        for name, define in TABLES.items():
            native = define(nw.from_native(files)).to_native()
            native.write_parquet(str(out / f"{name}.parquet"), compression="zstd")

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
