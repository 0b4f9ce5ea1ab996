"""All accounts of a window of days as arrays: what links and signals read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from stillwatch.detect.profiles.definition import COUNTED_FLAGS, KIND_BITS, SUMMED_TOKENS
from stillwatch.detect.profiles.state import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND_COLUMNS = tuple(f"kind_{bit}" for bit in range(KIND_BITS))
SUM_COLUMNS = ("requests", *COUNTED_FLAGS, *SUMMED_TOKENS, "elicited", *KIND_COLUMNS)


@dataclass(frozen=True)
class Table:
    """Columns of one length, some of them strings as object arrays.

    Args:
        columns: Arrays by name.
    """

    columns: dict[str, NDArray[np.generic]]

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        """Return one column."""
        return self.columns[name]

    def __len__(self) -> int:
        """Count the rows."""
        return len(next(iter(self.columns.values()))) if self.columns else 0


@dataclass(frozen=True)
class Population:
    """Every account that was active in the window, and what it did.

    Args:
        account_ids: `(n,)` account ids, sorted; all other tables refer to positions in it.
        totals: `(n,)` columns: sums over the window, and `contents` (different prompts, summed over days).
        hours: Rows of `account`, `hour` (since 1970), `requests`, `input_tokens`, `output_tokens`.
        values: Rows of `account`, `kind`, `value`, `requests`, `first_us`, `last_us`.
        models: Rows of `account`, `day`, `model`, `surface`, `requests`, `input_tokens`, `output_tokens`.
        templates: Rows of `account`, `key`, `contents`, `requests`, `elicited`, `example`.
        registry: `(n,)` columns of the accounts table, object arrays with None where missing; empty without one.
        first_us: Start of the window.
        last_us: Time of the last request in it.
    """

    account_ids: NDArray[np.object_]
    totals: dict[str, NDArray[np.int64]]
    hours: Table
    values: Table
    models: Table
    templates: Table
    registry: dict[str, NDArray[np.object_]]
    first_us: int
    last_us: int
    days: tuple[int, ...]
    connection: duckdb.DuckDBPyConnection = field(repr=False)

    def __len__(self) -> int:
        """Count the accounts."""
        return len(self.account_ids)


def _fetch(connection: duckdb.DuckDBPyConnection, query: str) -> Table:
    columns = connection.sql(query).fetchnumpy()
    return Table(
        {
            name: np.ma.filled(column, 0) if np.ma.isMaskedArray(column) else column
            for name, column in columns.items()
        }
    )


def _registry(
    connection: duckdb.DuckDBPyConnection, accounts: pa.Table | None, size: int
) -> dict[str, NDArray[np.object_]]:
    if accounts is None:
        return {}
    connection.register("registered", accounts)
    names = [name for name in accounts.schema.names if name != "account_id"]
    columns = ", ".join(
        f'epoch_us("{name}") as "{name}"' if name.endswith("_at") else f'"{name}"' for name in names
    )
    rows = connection.sql(
        f"select account, {columns} from registered join population using (account_id) order by account"
    ).to_arrow_table()
    position = rows["account"].to_numpy()
    out: dict[str, NDArray[np.object_]] = {}
    for name in names:
        column = np.full(size, None, dtype=object)
        column[position] = rows[name].to_pylist()
        out[name] = column
    return out


MIN_TEMPLATE_CONTENTS = 4  # a template is seen with at least as many different fillings
KEYS_AT_ONCE = 16_000_000  # counted in memory: about half a gigabyte
MIN_TEMPLATE_VARIETY = 0.5  # of those fillings at least half differ from account to account


def load_population(
    state: State, days: Sequence[int], accounts: pa.Table | None = None, *, threads: int = 2
) -> Population:
    """Read the profiles of some days and merge them.

    Args:
        state: Where the profiles are.
        days: Which days, in days since 1970; they must have been profiled.
        accounts: The accounts table, if there is one.
        threads: Threads for merging.
    """
    connection = duckdb.connect(config={"threads": threads, "memory_limit": "3GB"})
    sums = ", ".join(f"sum({name})::bigint as {name}" for name in SUM_COLUMNS)
    connection.sql(
        f"""create table sums as select account_id, {sums}
        from read_parquet({state.tables("activity", days)!r}) group by account_id"""
    )
    connection.sql(
        "create table population as select account_id, row_number() over (order by account_id) - 1 as account from sums"
    )
    totals = _fetch(
        connection,
        f"""select s.*, coalesce(c.contents, 0)::bigint as contents, coalesce(c.repeatable, 0)::bigint as repeatable
        from sums s join population using (account_id) left join (
            select account_id, count(*) as contents, sum(repeatable)::bigint as repeatable
            from read_parquet({state.tables("contents", days)!r}) group by account_id) c using (account_id)
        order by account""",
    )
    hours = _fetch(
        connection,
        f"""select account, hour, requests, input_tokens, output_tokens from read_parquet({state.tables("activity", days)!r})
        join population using (account_id) order by account, hour""",
    )
    values = _fetch(
        connection,
        f"""select account, kind, value, sum(requests)::bigint as requests, min(first_us) as first_us,
        max(last_us) as last_us from read_parquet({state.tables("values", days)!r})
        join population using (account_id) group by account, kind, value order by kind, value, account""",
    )
    models = _fetch(
        connection,
        f"""select account, day, model, surface, requests, input_tokens, output_tokens
        from read_parquet({state.tables("models", days)!r}) join population using (account_id)
        order by account, day, model, surface""",
    )
    templates = _load_templates(connection, state, days)
    first_us, last_us = connection.sql(
        f"select min(first_us), max(last_us) from read_parquet({state.tables('values', days)!r})"
    ).fetchall()[0]
    account_ids = np.asarray(totals["account_id"], dtype=object)
    return Population(
        account_ids=account_ids,
        totals={
            name: totals[name].astype(np.int64, copy=False) for name in totals.columns if name != "account_id"
        },
        hours=hours,
        values=values,
        models=models,
        templates=templates,
        registry=_registry(connection, accounts, len(account_ids)),
        first_us=int(first_us or 0),
        last_us=int(last_us or 0),
        days=tuple(days),
        connection=connection,
    )


def _load_templates(connection: duckdb.DuckDBPyConnection, state: State, days: Sequence[int]) -> Table:
    """Read the template keys that several accounts share with different fillings.

    A prompt that many people send word for word is no template: its fillings are few for its uses.
    """
    files = f"read_parquet({state.tables('templates', days)!r})"
    connection.sql("create table repeated_keys (key bigint)")
    [(rows,)] = connection.sql(f"select count(*) from {files}").fetchall()
    parts = max(1, -(-rows // KEYS_AT_ONCE))
    for part in range(parts):
        # Hardly any key occurs twice. Those that do are found by counting alone, so that the costly conditions are
        # tested on few.
        connection.sql(
            f"""insert into repeated_keys select key from {files} where (key >> 1) % {parts} = {part}
            group by key having count(*) > 1"""
        )
    connection.sql(
        f"""create table repeated as select key, account_id, contents, requests, elicited, example
        from {files} semi join repeated_keys using (key)"""
    )
    connection.sql(
        f"""create table shared_keys as select key from repeated group by key
        having min(account_id) <> max(account_id) and sum(contents) >= {MIN_TEMPLATE_CONTENTS}
        and count(distinct example) >= {MIN_TEMPLATE_VARIETY} * count(*)"""
    )
    files = "repeated"
    return _fetch(
        connection,
        f"""select account, key, sum(contents)::bigint as contents, sum(requests)::bigint as requests,
        sum(elicited)::bigint as elicited, min(example) as example
        from {files} join shared_keys using (key) join population using (account_id)
        group by account, key order by account, key""",
    )
