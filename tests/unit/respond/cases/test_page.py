"""The page on cases names everything that there is."""

import re
from pathlib import Path

import pytest

from stillwatch.cli.audit import audit
from stillwatch.cli.case import case
from stillwatch.domain.cases import CaseLabel, CaseStatus, FalsePositiveReason
from stillwatch.respond.audit import BreakKind
from stillwatch.respond.cases.training import SCHEMA

PAGE = (Path(__file__).parents[4] / "docs" / "cases.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))


@pytest.mark.parametrize(
    "names",
    [SCHEMA.names, list(CaseLabel), [status for status in CaseStatus if status != "closed"], list(BreakKind)],
    ids=["columns", "labels", "statuses", "breaks"],
)
def test_the_page_names_every_word(names: list[str]) -> None:
    assert [name for name in names if str(name) not in NAMED] == []


def test_the_page_says_what_each_reason_means_as_the_command_does() -> None:
    assert [reason for reason in FalsePositiveReason if f"| `{reason}` | {reason.phrase} |" not in PAGE] == []


def test_the_page_shows_every_command() -> None:
    commands = [f"case {name}" for name in case if not name.startswith("-")]
    commands += [f"audit {name}" for name in audit if not name.startswith("-")]
    assert [command for command in commands if command not in PAGE] == []


def test_the_version_of_the_table_is_the_documented_one() -> None:
    assert (SCHEMA.metadata or {})[b"stillwatch.schema"].decode() in NAMED
