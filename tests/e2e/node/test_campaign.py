"""A simulated campaign is found while its requests come in, and a case and decisions in shadow follow."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace as Lab
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.e2e.node.conftest import MakeNode

from stillwatch.cli import main

BODY_ROWS = 2_000


def bodies(folder: Path) -> Iterator[list[dict[str, Any]]]:
    """Read a simulated set in pieces, in the order of the times."""
    rows = pq.read_table(folder / "requests").sort_by("time").to_pylist()
    for start in range(0, len(rows), BODY_ROWS):
        yield [
            {name: _plain(value) for name, value in row.items()} for row in rows[start : start + BODY_ROWS]
        ]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@pytest.mark.slow
def test_a_campaign_becomes_a_case_and_decisions_in_shadow(
    lab: Lab, make_node: MakeNode, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_node("--accounts", str(lab.folder / "accounts.parquet"), "--threads", "2", every="1s")
    sent = 0
    for rows in bodies(lab.folder):
        answer = node.send(rows)
        assert (answer.status, answer.json()["rejected"]) == (200, 0)
        sent += len(rows)
    last = datetime.now(UTC)
    node.until("requests_detected_total", sent)
    node.until("findings", 1)
    assert (datetime.now(UTC) - last).total_seconds() < 90.0
    database = f"sqlite:///{node.data / 'stillwatch.db'}"
    assert main(["case", "list", "--database", database, "--format", "json"]) == 0
    cases = json.loads(capsys.readouterr().out)
    assert cases
    decisions = node.get("/v1/decisions").json()
    assert decisions
    assert {decision["mode"] for decision in decisions} == {"shadow"}
    touched = {account for decision in decisions for account in decision["accounts"]}
    assert len(touched & lab.campaign) > len(lab.campaign) / 2
    assert not touched & lab.licensed
    call = {"account_id": min(touched & lab.campaign)}
    verdict = node.ask(
        "POST", "/v1/decide", json.dumps(call).encode(), {"Content-Type": "application/json"}
    ).json()
    assert (verdict.get("action", "observe"), verdict.get("checked", True)) == ("observe", True)
    node.settled()
    assert main(["audit", "verify", "--database", database]) == 0
