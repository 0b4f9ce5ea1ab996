"""`stillwatch decisions` as people type it."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.respond.decisions.conftest import make_finding
from tests.unit.respond.decisions.test_backtest import requests, scanned

from stillwatch.cli import main
from stillwatch.respond.decisions.playbook_files import example_text


class Shell:
    """Types commands about one database."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self._database = ("--database", f"sqlite:///{folder / 'node.db'}")

    def run(self, *words: str, code: int = 0) -> str:
        self._capsys.readouterr()
        found = main(["decisions", *words])
        out = self._capsys.readouterr()
        assert found == code, out.err
        return out.out if code == 0 else out.err

    def at(self, *words: str, code: int = 0) -> str:
        return self.run(*words, *self._database, code=code)

    def json(self, *words: str) -> Any:
        return json.loads(self.at(*words, "--format", "json"))

    def take(self, *words: str) -> str:
        given = (
            "take",
            *words,
            "--reason",
            "one operator",
            "--for",
            "7d",
            "--author",
            "alice",
            "--evidence",
            "f-1",
        )
        identity: str = self.json(*given)["decision_id"]
        return identity


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def test_a_decision_lives_from_shadow_to_its_undo(shell: Shell) -> None:
    one = shell.take("throttle", "a", "b", "--rate", "60", "--burst", "10", "--pooled")
    assert "throttle (shadow), active" in shell.at("show", one)
    assert "throttle (live)" in shell.at("on", one, "--rationale", "our own logs", "--author", "bob")
    assert "1 of 2: b" in shell.at("release", one, "a", "--why", "a partner")
    assert "(shadow)" in shell.at("off", one, "--why", "too early")
    assert len(shell.json("list", "--account", "a")) == 1
    assert shell.json("list", "--account", "z") == []
    shell.at("extend", one, "--for", "30d", "--why", "goes on")
    assert "undone" in shell.at("undo", one, "--why", "a mistake")
    assert shell.json("list") == []
    assert [each["decision_id"] for each in shell.json("list", "--all")] == [one]
    assert "ACTION" in shell.at("list", "--all")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("block", "a", "--label", "resale"), "resale alone is never blocked"),
        (("throttle", "a", "--rate", "60"), "both --rate and --burst"),
        (("throttle", "a"), "a token bucket belongs to throttle"),
        (("withhold", "a"), "withhold says what is withheld"),
        (("withhold", "a", "--withhold", "logprobs", "--live"), "independent rationale"),
        (("verify",), "no accounts were named"),
    ],
)
def test_what_is_not_allowed_is_said_with_what_to_do(shell: Shell, words: tuple[str, ...], told: str) -> None:
    text = shell.at("take", *words, "--reason", "r", "--for", "7d", code=2)
    assert told in text
    assert "help:" in text


@pytest.mark.parametrize("length", ["7", "x", "7y", "0.5d"])
def test_a_length_has_a_unit(shell: Shell, length: str) -> None:
    assert "30m, 12h or 7d" in shell.at("take", "verify", "a", "--reason", "r", "--for", length, code=2)


def test_an_appeal_is_answered_by_somebody_else(shell: Shell) -> None:
    one = shell.take("verify", "a", "b")
    appeal = shell.json("appeals", "open", one, "a", "--statement", "a benchmark of ours")["appeal_id"]
    assert "a benchmark of ours" in shell.at("appeals", "list")
    told = shell.at("appeals", "answer", appeal, "reinstated", "--text", "sorry", "--author", "alice", code=1)
    assert "ask somebody else" in told
    shell.at("appeals", "answer", appeal, "reinstated", "--text", "sorry", "--author", "bob")
    assert shell.json("show", one)["released"] == ["a"]
    assert shell.json("appeals", "list") == []
    assert shell.json("appeals", "list", "--all")[0]["answered_by"] == "person:bob"


def test_an_indicator_is_added_turned_on_and_withdrawn(shell: Shell) -> None:
    words = (
        "indicators",
        "add",
        "network",
        "192.0.2.9/24",
        "--reason",
        "a relay",
        "--for",
        "30d",
        "--received",
    )
    one = shell.json(*words)["indicator_id"]
    assert "192.0.2.0/24" in shell.at("indicators", "list")
    on = ("indicators", "on", one, "withhold", "--withhold", "logprobs", "--rationale", "our own", "--live")
    assert shell.json(*on)["mode"] == "live"
    shell.at("indicators", "withdraw", one, "--why", "a school")
    assert shell.json("indicators", "list") == []


def test_a_playbook_is_shown_checked_and_turned_on_and_off(shell: Shell) -> None:
    assert shell.run("playbook", "show") == example_text()
    file = shell.folder / "ours.yaml"
    file.write_text(example_text().replace("name: cautious", "name: ours"))
    assert "playbook:ours@1+" in shell.run("playbook", "validate", str(file))
    assert json.loads(shell.run("playbook", "show", str(file), "--format", "json"))["name"] == "ours"
    shell.at("live", str(file), "--rationale", "our own reading")
    shell.at("shadow", "ours", "--why", "complaints")
    assert "only a person" not in shell.at("report")
    file.write_text("name: x\nrules: 3\n")
    assert "ours.yaml:2: rules" in shell.run("playbook", "validate", str(file), code=1)


def test_a_backtest_says_whom_a_playbook_would_have_hit(shell: Shell) -> None:
    out = shell.folder / "out"
    out.mkdir()
    (out / "findings.json").write_text(scanned(make_finding()).model_dump_json())
    truth = {"account_id": ["a", "b", "c"], "label": ["distillation", "distillation", "benign"]}
    kinds = {"archetype": ["bulk", "bulk", "pipeline"], "campaign_id": ["x", "x", None]}
    pq.write_table(
        pa.table({**truth, **kinds, "attack_fraction": [1.0, 1.0, 0.0]}), shell.folder / "truth.parquet"
    )
    batch = requests(("a", 1), ("b", 2), ("z", 3)).append_column("request_id", pa.array(["1", "2", "3"]))
    pq.write_table(pa.Table.from_batches([batch]), shell.folder / "requests.parquet")
    file = shell.folder / "ours.yaml"
    file.write_text(example_text())
    words = ("backtest", str(file), str(shell.folder / "requests.parquet"), "--findings", str(out))
    text = shell.run(*words, "--truth", str(shell.folder / "truth.parquet"))
    assert "1 of 1 findings matched, 3 accounts hit, 3 would feel it, 1 of them benign" in text
    assert "3 requests played" in text
    shell.take("verify", "a")
    found = json.loads(shell.at(*words, "--format", "json"))
    assert found["overlap"] == {"verify": 1}
    assert found["requests"] == 3


def test_a_backtest_scans_logs_when_no_findings_are_named(shell: Shell) -> None:
    rows = [(f"account-{number % 7}", number / 10) for number in range(70)]
    names = pa.array([str(number) for number in range(len(rows))])
    batch = requests(*rows).append_column("request_id", names)
    pq.write_table(pa.Table.from_batches([batch]), shell.folder / "requests.parquet")
    file = shell.folder / "ours.yaml"
    file.write_text(example_text())
    found = json.loads(
        shell.run("backtest", str(file), str(shell.folder / "requests.parquet"), "--format", "json")
    )
    assert (found["requests"], found["refused"]) == (70, 0)


def test_a_backtest_needs_logs_or_findings(shell: Shell) -> None:
    file = shell.folder / "ours.yaml"
    file.write_text(example_text())
    assert "neither logs nor findings" in shell.run("backtest", str(file), code=2)
