"""`stillwatch rules` lists what is shipped and tells a bad rule from a good one."""

import json
from pathlib import Path

import pytest

from stillwatch.cli import main
from stillwatch.detect.fingerprints.elicitation import SHIPPED_RULES, load_rules


def test_the_list_names_every_shipped_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    printed = capsys.readouterr().out
    assert all(str(rule.id) in printed for rule in load_rules())


def test_the_list_is_machine_readable_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list", "--format", "json"]) == 0
    assert {rule["id"] for rule in json.loads(capsys.readouterr().out)} == {
        str(rule.id) for rule in load_rules()
    }


def test_the_shipped_rules_pass_their_own_check() -> None:
    assert main(["rules", "check"]) == 0


def test_a_rule_whose_example_is_wrong_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (SHIPPED_RULES / "harvesting_samples.yml").read_text(encoding="utf-8")
    (tmp_path / "mine.yml").write_text(text.replace("choice_count: 8", "choice_count: 1"), encoding="utf-8")
    assert main(["rules", "check", str(tmp_path)]) == 1
    assert "should hit and does not" in capsys.readouterr().out


def test_a_malformed_rule_is_told_by_file_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yml").write_text("title: something\n", encoding="utf-8")
    assert main(["rules", "check", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "mine.yml" in told
    assert "falsepositives" in told
    assert "help: docs/rules.md" in told
