"""Programmes are read with their playbooks, strictly, and their playbooks are compared with everybody's."""

from pathlib import Path

import pytest

from stillwatch.errors import PlaybookError, ProgrammesError
from stillwatch.respond.access.ownership.assessment import Outcome
from stillwatch.respond.access.programmes.eligibility import Evidence
from stillwatch.respond.access.programmes.evidence import read_evidence
from stillwatch.respond.access.programmes.reading import Programmes, read_programmes
from stillwatch.respond.access.programmes.strictness import milder_steps
from stillwatch.respond.decisions.playbook import Playbook
from stillwatch.respond.decisions.playbook_files import example, example_text, parse

TEXT = """
programmes:
  - programme: education
    title: Teaching
    requires: {email_domains: [Example.EDU]}
    max_requests: 10000
    term_days: 365
    playbook: ours.yaml
"""


def read(tmp_path: Path, text: str = TEXT) -> Programmes:
    """Write the programmes beside a playbook and read them."""
    (tmp_path / "ours.yaml").write_text(example_text())
    (tmp_path / "programmes.yml").write_text(text)
    return read_programmes(tmp_path / "programmes.yml")


def book(*rules: str) -> Playbook:
    """Make a playbook of rules in YAML."""
    return parse("name: own\nversion: 1\nrules:\n" + "".join(f"  - {rule}\n" for rule in rules), "own.yaml")


def test_a_programme_comes_with_its_playbook(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.by_name["education"].requires.email_domains == ("example.edu",)
    assert found.playbooks["education"].name == "cautious"


def test_who_is_on_no_programme_has_everybodys_playbook(tmp_path: Path) -> None:
    standard = book("{name: all, when: {}, steps: [{action: observe, for: 1d}]}")
    found = read(tmp_path)
    assert found.playbook_for("education", standard).name == "cautious"
    assert found.playbook_for("standard", standard) is standard
    assert found.playbook_for(None, standard) is standard


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    term_days: 365\n", "", "every place ends"),
        ("term_days: 365", "term_days: 0", "term_days"),
        ("title: Teaching", "titel: Teaching", "titel"),
        ("max_requests: 10000", "max_requests: many", "max_requests"),
        ("[Example.EDU]", "['*.edu']", "email_domains"),
        ("programmes:", "programs:", "no list of programmes"),
        ("programmes:", "programmes: {", "cannot be parsed"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(ProgrammesError, match=told):
        read(tmp_path, TEXT.replace(old, new))


def test_a_programme_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProgrammesError, match="twice"):
        read(tmp_path, TEXT + TEXT.partition("programmes:\n")[2])


def test_a_playbook_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="cannot be read"):
        read(tmp_path, TEXT.replace("ours.yaml", "theirs.yaml"))


def test_the_shipped_playbook_holds_on_ramps_to_at_least_as_much() -> None:
    for programme in ("education", "startup", "security_research"):
        assert milder_steps(example(), example(), programme) == ()


STANDARD = (
    "{name: all, when: {label: [distillation], severity: high}, "
    "steps: [{action: throttle, requests_per_min: 60, burst: 9, for: 1d}]}"
)


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (STANDARD, None),
        (STANDARD.replace("severity: high", "severity: low"), None),
        (STANDARD.replace("60", "30"), None),
        (STANDARD.replace("60", "90"), "90 requests a minute instead of 60"),
        (STANDARD.replace("high", "critical"), "observe instead of throttle"),
        (STANDARD.replace("severity: high", "severity: high, accounts: 50"), "1 account"),
        (STANDARD.replace("severity: high", "severity: high, programme: [startup]"), "observe instead"),
        ("{name: all, when: {}, steps: [{action: withhold, withhold: [logprobs], for: 1d}]}", None),
    ],
)
def test_where_a_playbook_is_milder_is_told(own: str, told: str | None) -> None:
    found = milder_steps(book(own), book(STANDARD), "education")
    assert (told is None) == (found == ())
    assert told is None or any(told in sentence for sentence in found)


def test_what_is_not_withheld_any_more_is_told() -> None:
    both = "{name: all, when: {}, steps: [{action: withhold, withhold: [reasoning, logprobs], for: 1d}]}"
    found = milder_steps(book(both.replace("reasoning, ", "")), book(both), "education")
    assert found
    assert all("reasoning not withheld" in sentence for sentence in found)


def test_evidence_is_put_together_by_account(tmp_path: Path) -> None:
    (tmp_path / "entities.csv").write_text("account_id,entity_id\na1,e1\na2,e2\n")
    (tmp_path / "used.csv").write_text("account_id,requests\na1,12\na3,\n")
    (tmp_path / "checked.json").write_text('[{"entity_id": "e1", "outcome": "refused"}]')
    found = read_evidence(
        entities=tmp_path / "entities.csv",
        ownership=tmp_path / "checked.json",
        requests=tmp_path / "used.csv",
    )
    assert found == {"a1": Evidence(Outcome.REFUSED, 12), "a2": Evidence(), "a3": Evidence()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requests", "account_id,requests\na1,many\n"),
        ("requests", "account,requests\na1,1\n"),
        ("entities", "account_id\na1\n"),
        ("ownership", "[{}]"),
        ("ownership", '[{"entity_id": "e1", "outcome": "maybe"}]'),
        ("ownership", "{"),
    ],
)
def test_evidence_that_cannot_be_read_is_an_error_of_ours(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(ProgrammesError):
        read_evidence(**{name: tmp_path / "file"})
    with pytest.raises(ProgrammesError, match="cannot be read"):
        read_evidence(**{name: tmp_path / "nothing"})
