"""What hashed values look like, merged over batches and scans."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from stillwatch.detect.fingerprints.exemplars import NAMES


def merge_names(tables: Sequence[pa.Table]) -> pa.Table:
    """Keep one text for each value: the one that stood for most, then the first in the alphabet.

    Args:
        tables: Rows of `NAMES`.

    Returns:
        Rows of `NAMES`, sorted by kind and value.
    """
    together = pa.concat_tables([NAMES.empty_table(), *(table.cast(NAMES) for table in tables)])
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("together", together)
        merged = connection.sql(
            """select kind, value, text, weight from together where text is not null
            qualify row_number() over (partition by kind, value order by weight desc, text) = 1
            order by kind, value"""
        ).to_arrow_table()
    return merged.cast(NAMES)
