"""The account table."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.detect.logs import RejectedLog, load_accounts, read_accounts
from stillwatch.domain.requests import ACCOUNTS
from stillwatch.errors import InputError, MissingColumnsError

ROWS = [
    {"account_id": "acct-1", "created_at": "2026-01-05T08:00:00Z", "verified": True, "payment_bin": "000001"},
    {
        "account_id": "acct-2",
        "email_domain": "lab.example",
        "verified": False,
        "authorization": "evaluation:e1",
    },
]


def as_csv() -> bytes:
    names = ["account_id", "created_at", "verified", "payment_bin", "email_domain", "authorization"]
    lines = [",".join(names)]
    lines += [",".join("" if name not in row else str(row[name]) for name in names) for row in ROWS]
    return "\n".join(lines).encode()


def as_parquet() -> bytes:
    sink = pa.BufferOutputStream()
    names = {name: None for row in ROWS for name in row}
    pq.write_table(pa.table({name: [row.get(name) for row in ROWS] for name in names}), sink)
    return bytes(sink.getvalue())


CONTENTS = {
    "jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "csv": as_csv(),
    "parquet": as_parquet(),
    "csv.gz": gzip.compress(as_csv()),
}


@pytest.mark.parametrize("ending", sorted(CONTENTS))
def test_every_format_gives_the_same_table(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"accounts.{ending}"
    path.write_bytes(CONTENTS[ending])
    table = read_accounts(path)
    assert table.schema == ACCOUNTS
    assert table.column("account_id").to_pylist() == ["acct-1", "acct-2"]
    assert table.column("created_at").to_pylist() == [datetime(2026, 1, 5, 8, tzinfo=UTC), None]
    assert table.column("verified").to_pylist() == [True, False]
    assert table.column("payment_bin").to_pylist() == ["000001", None]
    assert table.column("email_domain").to_pylist() == [None, "lab.example"]
    assert table.column("authorization").to_pylist() == [None, "evaluation:e1"]


def test_unused_and_absent_columns_are_said(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("account_id,shoe_size\nacct-1,44\n")
    notes = load_accounts(path).notes
    assert notes[0] == "columns of the account table that are not used: shoe_size"
    assert "created_at" in notes[1]


def test_the_last_row_of_an_account_counts(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("account_id,account_type\nacct-1,individual\nacct-2,individual\nacct-1,organization\n")
    table = read_accounts(path)
    assert table.column("account_id").to_pylist() == ["acct-1", "acct-2"]
    assert table.column("account_type").to_pylist() == ["organization", "individual"]


def test_bad_rows_are_refused_and_a_bad_value_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "accounts.jsonl"
    path.write_text('{"account_id": "acct-1", "created_at": "never"}\n{\n{"account_id": null}\n')
    rejected = RejectedLog()
    loaded = load_accounts(path, rejected=rejected)
    assert loaded.table.column("account_id").to_pylist() == ["acct-1"]
    assert rejected.by_reason == {"broken_json": 1, "bad_time": 1, "missing_field": 1}
    assert loaded.rejected == 3


def test_a_csv_row_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("account_id,account_type\nacct-1,individual,extra\nacct-2,individual\n")
    rejected = RejectedLog()
    assert read_accounts(path, rejected=rejected).num_rows == 1
    assert rejected.by_reason == {"wrong_field_count": 1}


def test_own_column_names_can_be_mapped(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("org,opened\nacct-1,2026-01-05\n")
    with pytest.raises(MissingColumnsError, match="found opened, org"):
        read_accounts(path)
    table = read_accounts(path, columns_map={"account_id": "org", "created_at": "opened"})
    assert table.column("created_at").to_pylist() == [datetime(2026, 1, 5, tzinfo=UTC)]


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1 not really", b"\xff\xfe\x00", gzip.compress(b"account_id\na\n" * 99)[:-9]],
    ids=["empty", "parquet", "utf-16", "gzip"],  # the same in every test process: gzip packs the time
)
def test_an_unusable_table_is_a_clean_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "accounts"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_accounts(path)


def test_a_missing_table_is_a_clean_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_accounts(tmp_path / "absent.csv")


def test_columns_are_those_of_the_file_with_or_without_values(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("account_id,closed_at,shoe_size\nacct-1,,43\n")
    assert load_accounts(tmp_path / "accounts.csv").columns == {"account_id", "closed_at"}
