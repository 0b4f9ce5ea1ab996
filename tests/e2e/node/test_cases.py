"""A running node offers its cases to analysts, and to nobody else."""

from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.node.conftest import MakeNode
from tests.e2e.node.running import RunningNode

from stillwatch.cli import main
from stillwatch.detect.findings.report.example import example_report
from stillwatch.detect.findings.report.json_report import dump_json
from stillwatch.respond.web.interface import Scope


def test_cases_are_for_analysts(shared_node: RunningNode) -> None:
    analyst, gateway = shared_node.new_token(Scope.ANALYST), shared_node.new_token(Scope.DECIDE)
    for path in ("/v1/cases", "/v1/labels", "/v1/reviews", "/v1/audit", "/v1/audit/head"):
        assert shared_node.get(path, token=analyst).status == 200
        assert shared_node.get(path, token=gateway).status == 403
        assert shared_node.get(path, token="").status == 401


def test_a_case_of_the_command_line_is_seen_through_the_node_and_the_other_way_round(
    make_node: MakeNode, tmp_path: Path
) -> None:
    node = make_node(every="1h")
    database = f"sqlite:///{node.data / 'stillwatch.db'}"
    (tmp_path / "findings.json").write_text(dump_json(example_report()), encoding="utf-8")
    assert main(["case", "open", str(tmp_path), "--database", database]) == 0
    (first, *_) = node.get("/v1/cases").json()
    body = b'{"reason": "seen at %s"}' % datetime.now(UTC).isoformat().encode()
    closed = node.ask(
        "POST", f"/v1/cases/{first['case_id']}/close", body, {"Content-Type": "application/json"}
    )
    assert closed.json()["closing"]["author"] == "person:test"
    assert main(["case", "show", first["case_id"], "--database", database]) == 0
    assert main(["audit", "verify", "--database", database]) == 0
