"""A distributed engine: Spark 4, by the URL of its master (extra `spark`)."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import narwhals as nw

from stillwatch.detect.profiles.definition import TABLES
from stillwatch.detect.profiles.engine.port import Day
from stillwatch.errors import EngineError

try:
    from pyspark.sql import SparkSession
except ImportError as missing:
    raise EngineError("PySpark is not installed", hint="pip install 'stillwatch[spark]'") from missing


class SparkEngine:
    """Profiles with Spark; the folder of the facts must be visible to its workers.

    Args:
        url: `spark://host:port`, or `spark+local://` for one inside this process.
    """

    name = "spark"

    def __init__(self, url: str) -> None:
        """Use the session that is already there, or start one."""
        master = "local[2]" if url.startswith("spark+local") else url
        self._own = SparkSession.getActiveSession() is None
        builder = SparkSession.builder.appName("stillwatch").config("spark.sql.session.timeZone", "UTC")
        try:
            self._session = builder.master(master).getOrCreate()
        except Exception as failure:
            raise EngineError(
                f"Spark at {url} did not answer: {failure}", hint="check the master's URL"
            ) from failure

    def profile(self, days: Sequence[Day]) -> None:
        """Write every table of each day's profile as `<table>.parquet`."""
        for facts, out in days:
            self._profile_day(facts, out)

    def _profile_day(self, facts: Sequence[Path], out: Path) -> None:
        files = self._session.read.parquet(*[str(path) for path in facts])
        for name, define in TABLES.items():
            native = define(nw.from_native(files)).to_native()
            parts = out / f"{name}.parts"
            native.coalesce(1).write.mode("overwrite").parquet(str(parts))
            [written] = parts.glob("part-*.parquet")
            written.replace(out / f"{name}.parquet")
            shutil.rmtree(parts)

    def close(self) -> None:
        """Stop the session if it was started here."""
        if self._own:
            self._session.stop()
