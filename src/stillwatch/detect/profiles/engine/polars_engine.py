"""An embedded engine for those who have Polars (extra `polars`)."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from stillwatch.detect.profiles.definition import TABLES
from stillwatch.detect.profiles.engine.port import Day
from stillwatch.errors import EngineError

try:
    import polars as pl
except ImportError as missing:
    raise EngineError("Polars is not installed", hint="pip install 'stillwatch[polars]'") from missing


class PolarsEngine:
    """Profiles with Polars."""

    name = "polars"

    def profile(self, days: Sequence[Day]) -> None:
        """Write every table of each day's profile as `<table>.parquet`."""
        for facts, out in days:
            files = pl.scan_parquet([str(path) for path in facts])
            for name, define in TABLES.items():
                define(nw.from_native(files)).collect().to_native().write_parquet(out / f"{name}.parquet")

    def close(self) -> None:
        """Hold nothing."""
