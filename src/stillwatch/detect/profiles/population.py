"""All accounts of a window of days as arrays: what links and signals read."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from stillwatch.detect.profiles.definition import COUNTED_FLAGS, KIND_BITS, SUMMED_TOKENS, USED_KINDS
from stillwatch.detect.profiles.numbering import Numbering
from stillwatch.detect.profiles.prompt_rows import prompts_by_account, shared_template_rows
from stillwatch.detect.profiles.state import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND_COLUMNS = tuple(f"kind_{bit}" for bit in range(KIND_BITS))
ACTIVITY_COLUMNS = ("requests", *COUNTED_FLAGS, *SUMMED_TOKENS, "elicited")
SUM_COLUMNS = (*ACTIVITY_COLUMNS, *KIND_COLUMNS)


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
    """Run a query for numbers; texts would be made one Python string each."""
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
    files = _Files(state, tuple(days))
    _number_accounts(connection, files)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="population") as pool:
        accounts_of_prompts = numbering_of(connection)
        prompts = pool.submit(_read_prompts, state.tables("prompts", days), accounts_of_prompts)
        totals = _load_totals(connection, files)
        hours = _fetch(
            connection,
            f"""select account, hour, requests, input_tokens, output_tokens from {files("activity")}
            order by account, hour""",
        )
        values, models = _load_values(connection, files), _load_models(connection, files)
        totals["contents"], template_rows = prompts.result()
    templates = _load_templates(connection, template_rows)
    first_us, last_us = connection.sql(
        f"select min(first_us), max(last_us) from {files.rows('usage')}"
    ).fetchall()[0]
    ids = connection.sql("select account_id from population order by account").to_arrow_table()
    account_ids = np.asarray(ids["account_id"].to_pylist(), dtype=object)
    return Population(
        account_ids=account_ids,
        totals=totals,
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


@dataclass(frozen=True)
class _Files:
    """The tables of a window of days, as DuckDB reads them, with positions in place of the hashes of accounts."""

    state: State
    days: tuple[int, ...]

    def __call__(self, table: str) -> str:
        """Return what to select from."""
        return f"(select r.* exclude (account), p.account from {self.rows(table)} r join population p on r.account = p.hash)"

    def rows(self, table: str) -> str:
        """Return a table as it is."""
        return f"read_parquet({self.state.tables(table, self.days)!r})"


def _number_accounts(connection: duckdb.DuckDBPyConnection, files: _Files) -> None:
    """Give every account its position in the order of ids."""
    connection.sql(
        f"""create table population as
        select account_id, hash, row_number() over (order by account_id) - 1 as account
        from (select account as hash, min(account_id) as account_id from {files.rows("accounts")} group by account)"""
    )


def numbering_of(connection: duckdb.DuckDBPyConnection) -> Numbering:
    """Return the positions of accounts by the hashes of their ids."""
    return Numbering(connection.sql("select hash from population order by account").fetchnumpy()["hash"])


def _read_prompts(files: list[str], accounts: Numbering) -> tuple[NDArray[np.int64], pa.Table]:
    return prompts_by_account(files, accounts), shared_template_rows(files)


def _load_totals(connection: duckdb.DuckDBPyConnection, files: _Files) -> dict[str, NDArray[np.int64]]:
    sums = ", ".join(f"sum({name})::bigint as {name}" for name in ACTIVITY_COLUMNS)
    kinds = ", ".join(f"sum({name})::bigint as {name}" for name in KIND_COLUMNS)
    found = ", ".join(f"coalesce({name}, 0)::bigint as {name}" for name in KIND_COLUMNS)
    totals = _fetch(
        connection,
        f"""select {", ".join(ACTIVITY_COLUMNS)}, {found} from population p
        join (select account, {sums} from {files.rows("activity")} group by account) s on s.account = p.hash
        left join (select account, {kinds} from {files.rows("kinds")} group by account) k on k.account = p.hash
        order by p.account""",
    )
    return {name: column.astype(np.int64, copy=False) for name, column in totals.columns.items()}


def _load_values(connection: duckdb.DuckDBPyConnection, files: _Files) -> Table:
    """Merge what each account used over the days, kind by kind in alphabetical order."""
    connection.sql(f"create temp table used as select * from {files('usage')}")
    sources = dict.fromkeys(USED_KINDS, "used") | {"conversation": files("conversations")}
    tables = {
        kind: _fetch(
            connection,
            f"""select account, {kind} as value, sum(requests)::bigint as requests, min(first_us) as first_us,
            max(last_us) as last_us from {source} where {kind} <> 0 group by account, {kind}
            order by value, account""",
        )
        for kind, source in sorted(sources.items())
    }
    connection.sql("drop table used")
    names = ("value", "account", "requests", "first_us", "last_us")
    columns = {name: np.concatenate([table[name] for table in tables.values()]) for name in names}
    kinds = [np.full(len(table), kind, dtype=object) for kind, table in tables.items()]
    return Table({"kind": np.concatenate(kinds), **columns})


def _load_models(connection: duckdb.DuckDBPyConnection, files: _Files) -> Table:
    """Read what each account asked of which model; a text is held once, however many rows name it."""
    rows = connection.sql(
        f"""select account, day, model, surface, requests, input_tokens, output_tokens from {files("models")}
        order by account, day, model, surface"""
    ).to_arrow_table()
    columns: dict[str, NDArray[np.generic]] = {}
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        if pa.types.is_string(column.type):
            encoded = column.dictionary_encode()
            texts = np.array(encoded.dictionary.to_pylist(), dtype=object)
            columns[name] = texts[encoded.indices.to_numpy()]
        else:
            columns[name] = column.to_numpy()
    return Table(columns)


def _load_templates(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> Table:
    """Find the template keys that several accounts share with different fillings.

    A prompt that many people send word for word is no template: its fillings are few for its uses.
    """
    connection.register("template_rows", rows)
    connection.sql(
        """create temp table repeated as select account, day, key, count(*) as contents,
        sum(requests)::bigint as requests, sum(elicited)::bigint as elicited, min(content) as example
        from template_rows group by account, day, key"""
    )
    connection.unregister("template_rows")
    connection.sql(
        f"""create temp table shared_keys as select key from repeated group by key
        having min(account) <> max(account) and sum(contents) >= {MIN_TEMPLATE_CONTENTS}
        and count(distinct example) >= {MIN_TEMPLATE_VARIETY} * count(*)"""
    )
    templates = _fetch(
        connection,
        """select p.account, key, sum(contents)::bigint as contents, sum(requests)::bigint as requests,
        sum(elicited)::bigint as elicited, min(example) as example
        from repeated r join shared_keys using (key) join population p on r.account = p.hash
        group by p.account, key order by p.account, key""",
    )
    connection.sql("drop table repeated")
    connection.sql("drop table shared_keys")
    return templates
