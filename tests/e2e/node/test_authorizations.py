"""A running node keeps authorizations for analysts, and the command line sees the same record."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.node.conftest import MakeNode

from stillwatch.cli import main
from stillwatch.detect.logs.authorizations import read_authorizations
from stillwatch.respond.web.interface import Scope

JSON = {"Content-Type": "application/json"}


def test_a_permission_that_was_given_through_the_node_is_on_the_record_of_the_command_line(
    make_node: MakeNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_node(every="1h")
    database = ["--database", f"sqlite:///{node.data / 'stillwatch.db'}"]
    today = datetime.now(UTC).date()
    body = {
        "authorization_id": "EV-1",
        "purpose": "evaluation",
        "account_ids": ["acct-1"],
        "starts_on": (today - timedelta(days=9)).isoformat(),
        "ends_on": (today + timedelta(days=9)).isoformat(),
        "approved_by": "Head of evaluations",
        "approved_on": today.isoformat(),
    }
    gateway = node.new_token(Scope.DECIDE)
    raw = json.dumps(body).encode()
    assert node.ask("POST", "/v1/authorizations", raw, JSON, token=gateway).status == 403
    assert node.ask("POST", "/v1/authorizations", raw, JSON).json()["granted_by"] == "person:test"
    assert main(["access", "authorizations", "show", "acct-1", *database]) == 0
    assert "in_force[evaluation]: EV-1" in capsys.readouterr().out
    assert main(["access", "authorizations", "export", *database]) == 0
    (tmp_path / "file.json").write_text(capsys.readouterr().out)
    assert [each.account_ids for each in read_authorizations(tmp_path / "file.json")] == [("acct-1",)]
    assert main(["access", "authorizations", "revoke", "EV-1", "It is over.", *database]) == 0
    assert node.get("/v1/authorizations").json() == []
    (found,) = node.get("/v1/authorizations?account=acct-1&all=1").json()
    assert found["revoked_why"] == "It is over."
    assert main(["audit", "verify", *database]) == 0
