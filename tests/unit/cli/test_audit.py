"""`stillwatch audit`: what was done, and whether it was done so."""

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from stillwatch.cli import main
from stillwatch.detect.findings.report.example import example_report
from stillwatch.detect.findings.report.json_report import dump_json


@pytest.fixture
def database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the words that name a database with some history."""
    (tmp_path / "findings.json").write_text(dump_json(example_report()), encoding="utf-8")
    words = ["--database", f"sqlite:///{tmp_path}/stillwatch.db"]
    assert main(["case", "open", str(tmp_path), *words]) == 0
    assert main(["case", "assign", "case-1", "bob", *words]) == 0
    capsys.readouterr()
    return words


def test_a_trail_that_holds_says_so_with_its_head(
    database: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "head", *database]) == 0
    head = capsys.readouterr().out.strip()
    assert main(["audit", "verify", "--expect", head, *database]) == 0
    assert capsys.readouterr().out == f"stillwatch: 4 entries read, everything holds; head {head}\n"


def test_a_tampered_trail_is_an_error_that_says_where(
    database: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tamper(tmp_path, "UPDATE audit_entries SET actor = 'person:mallory' WHERE sequence = 2")
    assert main(["audit", "verify", *database]) == 1
    assert "error[changed]: entry 2 was changed after it was written" in capsys.readouterr().out


def test_a_cut_off_trail_shows_against_a_head_from_before(
    database: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["audit", "head", *database])
    head = capsys.readouterr().out.strip()
    tamper(tmp_path, "DELETE FROM audit_entries WHERE sequence = 4")
    assert main(["audit", "verify", "--expect", head, "--format", "json", *database]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {found["kind"] for found in told["breaks"]} == {"unprotected", "truncated"}


def tamper(folder: Path, statement: str) -> None:
    database = sqlite3.connect(folder / "stillwatch.db", isolation_level=None)
    for name in ("append", "change", "remove"):
        database.execute(f"DROP TRIGGER audit_entries_{name}")
    database.execute(statement)
    database.close()


def test_a_case_that_was_changed_behind_the_trail_is_an_error(
    database: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    changed = sqlite3.connect(tmp_path / "stillwatch.db", isolation_level=None)
    changed.execute("UPDATE cases SET record = replace(record, 'person:bob', 'person:mallory')")
    changed.close()
    assert main(["audit", "verify", *database]) == 1
    assert "error[fact]: case-1 is not what its history leads to" in capsys.readouterr().out
    assert main(["audit", "verify", "--no-facts", *database]) == 0


def test_entries_are_printed_in_order_and_one_per_line(
    database: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "show", "--format", "json", *database]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["sequence"] for entry in entries] == [1, 2, 3, 4]
    assert [after["previous_hash"] for after in entries[1:]] == [
        before["entry_hash"] for before in entries[:-1]
    ]
    assert main(["audit", "show", "--since", "1", "--limit", "2", "--kind", "case", *database]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_published_recipe_computes_every_hash(database: list[str], tmp_path: Path) -> None:
    """Without a line of ours, as the page says, so that an auditor can do it too."""
    trail = sqlite3.connect(tmp_path / "stillwatch.db")
    last = "0" * 64
    columns = "sequence, time_us, actor, action, object_kind, object_id, payload, previous_hash, entry_hash"
    for *fields, entry_hash in trail.execute(f"SELECT {columns} FROM audit_entries ORDER BY sequence"):
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=True)
        assert hashlib.sha256(text.encode()).hexdigest() == entry_hash
        assert fields[-1] == last
        last = entry_hash
    trail.close()
    assert last != "0" * 64


def test_a_head_that_is_none_is_a_usage_error(
    database: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "verify", "--expect", "last", *database]) == 2
    assert "'last' is no head of an audit trail" in capsys.readouterr().err
