"""Facts about the labeled requests that only the logs know: who sent how many, when, and in which script.

The logs are put through one embedded engine, because a set may hold millions of rows. Canonical Parquet is read
directly; every other format goes through the readers that the scan uses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.errors import InputError, MissingColumnsError, NothingToReadError

_NEEDED = ("request_id", "time", "account_id")
_DETECTIONS = pa.schema([("key", pa.string()), ("moment", pa.timestamp("us", tz="UTC"))])


@dataclass(frozen=True, slots=True)
class Leak:
    """Extraction requests of one campaign, and how many were gone when it was noticed.

    Args:
        total: All of them that the logs hold.
        before_detection: Those sent before the campaign was first flagged; all, if it never was.
        before_block: Those sent by accounts that were not yet, or never, flagged themselves.
    """

    total: int
    before_detection: int
    before_block: int


@dataclass(frozen=True, slots=True)
class AccountTraffic:
    """Requests of one account: all of them, and those that are extraction."""

    requests: int
    extraction: int


class Traffic:
    """The labeled requests in an embedded engine, asked a few questions.

    Args:
        logs: Parquet files, folders of them, or logs in any format that a scan reads.
        extraction: Table (request_id, campaign_id) of the requests that are extraction.

    Raises:
        NothingToReadError: There are no logs there.
        MissingColumnsError: A Parquet file lacks a column that is needed.
    """

    def __init__(self, logs: Sequence[Path], extraction: pa.Table | None) -> None:
        """Load ids, times and accounts once; prompts are only read when the language audit asks."""
        self._engine = duckdb.connect()
        self._load(list(logs))
        truth = extraction if extraction is not None else _no_extraction()
        self._engine.register("extraction_truth", truth)
        self._engine.execute(
            "create table extraction as select request_id, any_value(campaign_id) as campaign_id, "
            "any_value(account_id) as account_id, any_value(time) as time "
            "from extraction_truth join request using (request_id) group by request_id"
        )

    def _load(self, logs: list[Path]) -> None:
        files = _parquet_files(logs)
        if files is None:
            self._engine.register("log", _read_other_formats(logs))
        else:
            _require_columns(files)
            names = [str(file) for file in files]
            self._engine.execute("set variable files = $1", [names])
            self._engine.execute(
                "create view log as select * from read_parquet(getvariable('files'), union_by_name = true)"
            )
        self._engine.execute(
            "create table request as select request_id, min(time) as time, any_value(account_id) as account_id "
            "from log group by request_id"
        )

    def span(self) -> tuple[datetime, datetime]:
        """First and last request."""
        first_us, last_us = self._row("select epoch_us(min(time)), epoch_us(max(time)) from request")
        return _utc(first_us), _utc(last_us)

    def by_account(self) -> dict[str, AccountTraffic]:
        """Requests and extraction requests of every account in the logs."""
        rows = self._engine.execute(
            "select account_id, count(*), count(e.request_id) from request r "
            "left join (select request_id from extraction) e using (request_id) group by account_id"
        ).fetchall()
        return {account: AccountTraffic(requests, extraction) for account, requests, extraction in rows}

    def leaks(
        self, detected: Mapping[str, datetime | None], blocked: Mapping[str, datetime | None]
    ) -> dict[str, Leak]:
        """Count what was gone, by true campaign.

        Args:
            detected: Moment each true campaign was first flagged; None or absent means never.
            blocked: Moment each account was first flagged; None or absent means never.
        """
        self._engine.register("detected", _moments(detected))
        self._engine.register("blocked", _moments(blocked))
        rows = self._engine.execute(
            "select x.campaign_id, count(*), "
            "count(*) filter (d.moment is null or x.time < d.moment), "
            "count(*) filter (b.moment is null or x.time < b.moment) "
            "from extraction x left join detected d on d.key = x.campaign_id "
            "left join blocked b on b.key = x.account_id group by x.campaign_id"
        ).fetchall()
        return {campaign: Leak(*counts) for campaign, *counts in rows}

    def non_ascii_letters(self) -> dict[str, float]:
        """Share of the letters in each account's prompts that are outside ASCII; accounts without letters are absent."""
        if "prompt" not in self._columns():
            return {}
        rows = self._engine.execute(
            r"""
            select account_id, sum(others) / sum(letters) from (
                select account_id, length(regexp_replace(prompt, '\P{L}+', '', 'g')) as letters,
                length(regexp_replace(prompt, '\P{L}+|[A-Za-z]+', '', 'g')) as others
                from log where prompt is not null)
            group by account_id having sum(letters) > 0
            """
        ).fetchall()
        return dict(rows)

    def _columns(self) -> list[str]:
        return [row[0] for row in self._engine.execute("describe log").fetchall()]

    def _row(self, query: str) -> tuple[Any, ...]:
        row = self._engine.execute(query).fetchone()
        return row if row is not None else ()


def _parquet_files(logs: list[Path]) -> list[Path] | None:
    """Every Parquet file meant, or None if something else is among the sources."""
    files: list[Path] = []
    for source in logs:
        if not source.exists():
            raise NothingToReadError(f"there is nothing at {source}")
        found = sorted(source.glob("**/*.parquet")) if source.is_dir() else [source]
        if not found or any(file.suffix != ".parquet" for file in found):
            return None
        files.extend(found)
    return files


def _require_columns(files: list[Path]) -> None:
    for file in files:
        try:
            found = pq.read_schema(file).names
        except (OSError, pa.ArrowInvalid) as problem:
            raise InputError(f"cannot read {file}: {problem}") from problem
        missing = [name for name in _NEEDED if name not in found]
        if missing:
            raise MissingColumnsError(str(file), missing=missing, found=found)


def _read_other_formats(logs: list[Path]) -> pa.Table:
    from stillwatch.detect.logs import RejectedLog, read_requests  # noqa: PLC0415 - Parquet sets need no readers

    batches = read_requests(logs, rejected=RejectedLog(None), now=datetime.now(UTC))
    table = pa.Table.from_batches(list(batches))
    return table.select([*_NEEDED, "prompt"])


def _moments(moments: Mapping[str, datetime | None]) -> pa.Table:
    known = [{"key": key, "moment": moment} for key, moment in moments.items() if moment is not None]
    return pa.Table.from_pylist(known, schema=_DETECTIONS)


def _no_extraction() -> pa.Table:
    return pa.table({"request_id": pa.array([], pa.string()), "campaign_id": pa.array([], pa.string())})


def _utc(moment_us: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=moment_us)
