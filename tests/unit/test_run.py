"""The one door: what it offers is what it says at its top."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("shell", "script"), [("sh", "run"), ("bash", ".ci/run")])
def test_the_script_parses(shell: str, script: str) -> None:
    subprocess.run([shell, "-n", ROOT / script], check=True)


def test_everything_it_offers_is_explained_at_its_top() -> None:
    text = (ROOT / "run").read_text()
    offered = set(re.findall(r"^(\w+)\)$", text, re.MULTILINE))
    explained = set(re.findall(r"^#   \./run (\w+)", text, re.MULTILINE))
    assert offered
    assert offered <= explained
