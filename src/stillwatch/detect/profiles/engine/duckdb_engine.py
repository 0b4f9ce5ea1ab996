"""The embedded engine: DuckDB, in process."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import narwhals as nw

from stillwatch.detect.profiles.definition import TABLES
from stillwatch.detect.profiles.engine.port import Day

WRITING = "format parquet, compression lz4, dictionary_size_limit 2000"
"""Most columns never repeat a value: to look for a dictionary takes longer than to write them."""


class DuckDBEngine:
    """Profiles with DuckDB; spills to disk beyond its memory limit.

    Args:
        threads: Worker threads.
        memory_limit: As DuckDB writes it, such as `2GB`.
    """

    name = "duckdb"

    def __init__(self, *, threads: int, memory_limit: str) -> None:
        """Open a private in-memory database."""
        self._threads = threads
        # Each query runs on the thread that asks: days and tables are computed side by side, because one of them alone has
        # too few row groups for several threads.
        self._connection = duckdb.connect(
            config={"threads": 1, "memory_limit": memory_limit, "preserve_insertion_order": False}
        )

    def profile(self, days: Sequence[Day]) -> None:
        """Write every table of each day's profile as `<table>.parquet`."""
        if not days:
            return
        queries = self._queries(days[0])
        tasks = [(day, name, queries[name]) for day in days for name in TABLES]
        with ThreadPoolExecutor(max_workers=self._threads, thread_name_prefix="profile") as pool:
            for _ in pool.map(lambda task: self._write(*task), tasks):
                pass

    def _queries(self, day: Day) -> dict[str, str]:
        """Put the definition into SQL, once for all days."""
        with self._connection.cursor() as cursor:
            _choose(cursor, day[0])
            facts = nw.from_native(cursor.sql("from read_parquet(getvariable('facts'))"))
            return {name: define(facts).to_native().sql_query() for name, define in TABLES.items()}

    def _write(self, day: Day, table: str, query: str) -> None:
        facts, out = day
        with self._connection.cursor() as cursor:
            _choose(cursor, facts)
            path = str(out / f"{table}.parquet").replace("'", "''")
            cursor.execute(f"copy ({query}) to '{path}' ({WRITING})")

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def _choose(cursor: duckdb.DuckDBPyConnection, facts: Sequence[Path]) -> None:
    """Say which files the queries of a cursor read."""
    cursor.execute("set variable facts = ?", [[str(path) for path in facts]])
