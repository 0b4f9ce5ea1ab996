"""What docs/access.md shows can be read, and means what it says."""

import re
from pathlib import Path

from stillwatch.respond.access.ownership.policy import OwnershipPolicy, read_policy
from stillwatch.respond.access.ownership.sentences import GAP_WORDS
from stillwatch.respond.access.programmes.reading import read_programmes
from stillwatch.respond.decisions.playbook_files import example_text

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "access.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_policy_that_is_shown_is_the_default_written_out(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(SHOWN[0])
    assert read_policy(tmp_path / "policy.yml") == OwnershipPolicy(unsupported=frozenset({"XA", "XB-01"}))
    assert set(OwnershipPolicy.model_fields) == set(re.findall(r"^(\w+):", SHOWN[0], re.MULTILINE))


def test_the_programmes_that_are_shown_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "programmes.yml").write_text(SHOWN[1])
    (tmp_path / "education.yaml").write_text(example_text())
    assert list(read_programmes(tmp_path / "programmes.yml").by_name) == ["education"]


def test_the_reasons_that_a_policy_may_accept_are_known_ones() -> None:
    assert {"NO_KNOWN_PERSON", "publicListing"} <= set(GAP_WORDS)
