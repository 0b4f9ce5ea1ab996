"""Logs in an object store behind a real S3 interface: listed, globbed, ranged, refused."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs as pafs

from stillwatch.cli import main
from stillwatch.detect.logs import RejectedLog, read_requests
from stillwatch.errors import InputError

NOW = datetime(2026, 12, 1, tzinfo=UTC)
KEY, SECRET = "made-up-key", "made-up-secret"

pytestmark = pytest.mark.xdist_group("s3")


def rows(day: int, count: int = 5) -> list[dict[str, object]]:
    return [
        {
            "request_id": f"r-{day}-{number}",
            "time": f"2026-03-0{day}T10:00:0{number}Z",
            "account_id": f"acct-{number}",
            "prompt": f"question {number} of day {day}",
        }
        for number in range(count)
    ]


def lines(day: int) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows(day)).encode()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Start an S3 server with a bucket of logs."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        store = pafs.S3FileSystem(
            access_key=KEY, secret_key=SECRET, region="us-east-1", scheme="http",
            endpoint_override=f"{host}:{port}", allow_bucket_creation=True,
        )  # fmt: skip
        store.create_dir("logs")
        for name, data in (
            ("logs/day/1.jsonl", lines(1)),
            ("logs/day/2.jsonl.gz", gzip.compress(lines(2))),
            ("logs/day/_SUCCESS", b""),
            ("logs/other/3.jsonl", lines(3)),
            ("logs/broken/4.jsonl", b"{broken\n" + lines(4)),
        ):
            with store.open_output_stream(name, compression=None) as file:
                file.write(data)
        yield f"{host}:{port}"
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def _at_the_store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")


def read(*names: str, rejected: RejectedLog | None = None) -> list[str]:
    batches = read_requests(list(names), rejected=rejected or RejectedLog(), now=NOW)
    return sorted(one for batch in batches for one in batch.column("request_id").to_pylist())


def ids(*days: int) -> list[str]:
    return sorted(str(row["request_id"]) for day in days for row in rows(day))


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("s3://logs/day/1.jsonl", (1,)),
        ("s3://logs/day", (1, 2)),
        ("s3://logs/day/", (1, 2)),
        ("s3://logs/*/*.jsonl", (1, 3, 4)),
        ("s3://logs/day/?.jsonl", (1,)),
        ("s3://logs/**/*.gz", (2,)),
    ],
)
def test_objects_prefixes_and_globs_are_read(name: str, days: tuple[int, ...]) -> None:
    assert read(name) == ids(*days)


@pytest.mark.parametrize("where", ["day/1.jsonl", "day"])
def test_an_endpoint_can_stand_in_the_address(
    where: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    options = f"scheme=http&endpoint_override={endpoint}&region=us-east-1"
    assert set(ids(1)) <= set(read(f"s3://{KEY}:{SECRET}@logs/{where}?{options}"))


def test_credentials_in_an_address_are_written_nowhere(endpoint: str, tmp_path: Path) -> None:
    options = f"scheme=http&endpoint_override={endpoint}&region=us-east-1"
    with RejectedLog(tmp_path / "rejected.jsonl") as rejected:
        assert read(f"s3://{KEY}:{SECRET}@logs/broken/4.jsonl?{options}", rejected=rejected) == ids(4)
    said = (tmp_path / "rejected.jsonl").read_text()
    assert "s3://logs/broken/4.jsonl" in said
    assert SECRET not in said
    with pytest.raises(InputError) as caught:
        read(f"s3://{KEY}:{SECRET}@logs/nothing.jsonl?{options}")
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("name", ["s3://logs/nothing.jsonl", "s3://nowhere/day"])
def test_what_is_not_there_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(InputError, match=name.removeprefix("s3://")):
        read(name)


def test_parquet_in_a_store_is_scanned_by_the_command_line(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = pafs.S3FileSystem(
        access_key=KEY, secret_key=SECRET, region="us-east-1", scheme="http", endpoint_override=endpoint
    )
    pq.write_table(pa.Table.from_pylist(rows(5)), "logs/parquet/5.parquet", filesystem=store)
    words = ["scan", "s3://logs/parquet", "--out", str(tmp_path / "out"), "--no-exit-codes"]
    assert main(words) == 0
    assert "5 requests of 5 accounts" in capsys.readouterr().out
