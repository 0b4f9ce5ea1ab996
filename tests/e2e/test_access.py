"""`stillwatch access` as people type it."""

import json
from pathlib import Path

import pytest
from tests.unit.respond.access.conftest import GoldenCopy

from stillwatch.cli import main
from stillwatch.respond.decisions.playbook_files import example_text


@pytest.fixture
def gleif(tmp_path: Path) -> list[str]:
    """Write a small golden copy and a policy; return the words that name them.

    Company 1 is held from an unsupported region through company 2, 3 is nobody's that is known, and 4 is held by
    a supported state.
    """
    copy = GoldenCopy(tmp_path)
    leis = [copy.lei(number) for number in range(6)]
    entities = [
        copy.entity(leis[1], "Widgets Ltd", "XC"),
        copy.entity(leis[2], "Holding BV", "XD"),
        copy.entity(leis[3], "Lone Ltd", "XC"),
        copy.entity(leis[4], "Public Works", "XC"),
        copy.entity(leis[5], "Ministry", "XC", category="RESIDENT_GOVERNMENT_ENTITY"),
        copy.entity(leis[0], "Industries", "XA"),
    ]
    relations = [
        copy.relation(leis[1], leis[2]),
        copy.relation(leis[2], leis[0], percent="75"),
        copy.relation(leis[4], leis[5], percent="100"),
    ]
    (tmp_path / "policy.yml").write_text("unsupported: [XA]\n")
    return [
        "--gleif", str(copy.write("LEIRecord", entities, "xml", ".zip")),
        "--relationships", str(copy.write("RelationshipRecord", relations, "json")),
        "--exceptions", str(copy.write("Exception", [copy.exception(leis[3], "NON_PUBLIC")])),
        "--regions", str(tmp_path / "policy.yml"),
        "--as-of", "2026-11-20",
    ]  # fmt: skip


LEIS = [GoldenCopy.lei(number) for number in range(6)]


@pytest.mark.parametrize(
    ("entities", "code"), [([4], 0), ([3], 15), ([4, 3], 15), ([1], 16), ([3, 1, 4], 16), ([0], 16)]
)
def test_the_exit_code_is_the_worst_outcome(gleif: list[str], entities: list[int], code: int) -> None:
    words = ["access", "check", *(LEIS[number] for number in entities), *gleif]
    assert main(words) == code
    assert main([*words, "--no-exit-codes"]) == 0


def test_the_path_and_what_is_not_known_are_printed(
    gleif: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["access", "check", LEIS[1], LEIS[3], *gleif])
    printed = capsys.readouterr().out
    assert f"refused[ownership]: Widgets Ltd ({LEIS[1]})" in printed
    assert (
        f"Widgets Ltd ({LEIS[1]}) is consolidated (more than 50 %) by Holding BV ({LEIS[2]}), "
        f"which is consolidated (75 %) by Industries ({LEIS[0]}), headquartered in XA." in printed
    )
    assert "GLEIF says that its parent is not public (NON_PUBLIC)" in printed
    assert printed.endswith("2 checked: 1 refused, 1 unknown.\n")


@pytest.mark.parametrize(
    "text",
    [f"{LEIS[3]}\n\n{LEIS[1]}\n", f"account_id,entity_id\na,{LEIS[3]}\nb,{LEIS[1]}\nc,{LEIS[3]}\nd,\n"],
    ids=["lines", "csv"],
)
def test_organizations_come_from_a_file_too(
    gleif: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "wanted").write_text(text)
    assert main(["access", "check", "--entities", str(tmp_path / "wanted"), *gleif]) == 16
    assert capsys.readouterr().out.endswith("2 checked: 1 refused, 1 unknown.\n")
    assert main(["access", "check", "--entities", str(tmp_path / "nothing"), *gleif]) == 1


def test_json_has_the_same_answer(gleif: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["access", "check", LEIS[1], *gleif, "--format", "json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert found["outcome"] == "refused"
    assert [bounds["reading"] for bounds in found["bounds"]] == ["proportional", "cascade"]
    assert [step["owner"] for step in found["paths"][0]["steps"]] == [LEIS[2], LEIS[0]]


def test_beneficial_owners_are_read_beside_gleif(
    gleif: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statements = [
        {
            "statementId": f"statement-{record}", "statementDate": "2026-01-01", "recordId": record,
            "recordType": kind, "recordStatus": "new", "recordDetails": details,
        }
        for record, kind, details in (
            ("lone", "entity", {"entityType": {"type": "registeredEntity"}, "name": "Lone Ltd",
                                "identifiers": [{"scheme": "XI-LEI", "id": LEIS[3]}]}),
            ("person", "person", {"personType": "knownPerson", "names": [{"fullName": "A. Example"}]}),
            ("holding", "relationship", {"subject": "lone", "interestedParty": "person", "interests": [
                {"type": "shareholding", "directOrIndirect": "direct", "share": {"minimum": 75}}]}),
        )
    ]  # fmt: skip
    (tmp_path / "bods.jsonl").write_text("\n".join(json.dumps(each) for each in statements))
    assert main(["access", "check", LEIS[3], *gleif, "--bods", str(tmp_path / "bods.jsonl")]) == 0
    assert "clear[ownership]: Lone Ltd" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["access", "check", "--regions", "p.yml"], "no organization was named"),
        (["access", "check", LEIS[1], "--regions", "p.yml"], "no register was given"),
    ],
)
def test_what_is_missing_is_a_usage_error(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert told in capsys.readouterr().err


AUTHORIZATIONS = """
authorizations:
  - authorization_id: LD-1
    purpose: licensed_distillation
    account_ids: [acct-1]
    models: [model-1]
    capabilities: [coding]
    max_requests: 500000
    starts_on: 2026-01-01
    ends_on: 2099-12-31
    approved_by: Head of partnerships
    approved_on: 2025-12-15
  - authorization_id: EV-1
    purpose: evaluation
    organization: Example Labs
    starts_on: 2026-01-01
    ends_on: 2099-06-30
    approved_by: Head of evaluations
    approved_on: 2026-01-02
"""


@pytest.fixture
def permissions(tmp_path: Path) -> Path:
    """Write two authorizations."""
    path = tmp_path / "authorizations.yml"
    path.write_text(AUTHORIZATIONS)
    return path


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    """Write an accounts table."""
    path = tmp_path / "accounts.csv"
    path.write_text(
        "account_id,created_at,account_type,programme,email_domain,verified,authorization\n"
        "acct-1,2026-10-01T00:00:00Z,organization,education,example.edu,true,\n"
        "acct-2,2026-10-01T00:00:00Z,individual,education,example.edu,true,evaluation:Example Labs\n"
        "acct-3,2020-10-01T00:00:00Z,individual,education,example.edu,true,\n"
        "acct-4,2026-10-01T00:00:00Z,individual,startup,example.com,true,\n"
        "acct-5,2026-10-01T00:00:00Z,individual,standard,example.com,,\n"
    )
    return path


def test_authorizations_are_checked_and_concerns_told(
    permissions: Path, accounts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["access", "authorizations", "validate", str(permissions), "--as-of", "2026-11-20"]
    assert main([*words, "--accounts", str(accounts)]) == 0
    printed = capsys.readouterr().out
    assert "concern[EV-1]: It was approved on 2026-01-02, after it began on 2026-01-01." in printed
    assert printed.endswith("2 authorization(s) are valid, 2 in force; 5 concern(s).\n")
    assert main([*words, "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5
    permissions.write_text(AUTHORIZATIONS.replace("2025-12-15", "soon"))
    assert main(words) == 1
    assert "LD-1" in capsys.readouterr().err


def test_an_account_s_authorizations_are_shown_from_the_file(
    permissions: Path, accounts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["access", "authorizations", "show", "acct-2", "--file", str(permissions)]
    assert main(words) == 0
    assert capsys.readouterr().out.endswith("permits nothing to acct-2.\n")
    assert main([*words, "--accounts", str(accounts)]) == 0
    assert capsys.readouterr().out.startswith("in_force[evaluation]: EV-1\n  approved by Head of evaluations")
    assert main(["access", "authorizations", "show", "nobody", "--accounts", str(accounts)]) == 1


def test_authorizations_live_on_record_with_a_trail(
    permissions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = ["--database", f"sqlite:///{tmp_path / 'node.db'}"]
    access = ["access", "authorizations"]
    assert main([*access, "grant", str(permissions), "--author", "alice", *database]) == 0
    assert main([*access, "grant", str(permissions), "--only", "EV-1", *database]) == 1
    assert main([*access, "grant", str(permissions), "--only", "EV-9", *database]) == 2
    assert main([*access, "revoke", "EV-1", "The project ended.", "--author", "bob", *database]) == 0
    capsys.readouterr()
    assert main([*access, "list", *database]) == 0
    assert "EV-1" not in capsys.readouterr().out
    assert main([*access, "list", "--all", "--format", "json", *database]) == 0
    states = {
        each["authorization"]["authorization_id"]: each["state"]
        for each in json.loads(capsys.readouterr().out)
    }
    assert states == {"LD-1": "in_force", "EV-1": "revoked"}
    assert main([*access, "show", "acct-1", *database]) == 0
    shown = capsys.readouterr().out
    assert "covers model-1; coding; at most 500,000 requests" in shown
    assert "recorded by person:alice" in shown
    assert main([*access, "expire", *database]) == 0
    assert main(["audit", "verify", *database]) == 0


PROGRAMMES = """
programmes:
  - programme: education
    title: Teaching
    requires: {email_domains: [example.edu]}
    term_days: 365
    playbook: ours.yaml
"""


@pytest.fixture
def programmes(tmp_path: Path) -> Path:
    """Write a programme with the playbook that is shipped."""
    (tmp_path / "ours.yaml").write_text(example_text())
    path = tmp_path / "programmes.yml"
    path.write_text(PROGRAMMES)
    return path


def test_places_on_programmes_are_judged(
    programmes: Path, accounts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["access", "programmes", "evaluate", str(programmes), "--accounts", str(accounts)]
    words += ["--as-of", "2026-11-20"]
    assert main(words) == 16
    said = capsys.readouterr()
    assert said.out.endswith("3 account(s) on programmes: 1 lapsed, 1 needs verification, 1 eligible.\n")
    assert "lapsed[education]: acct-3" in said.out
    assert "1 account(s) are on startup, which the file does not describe" in said.err
    (tmp_path / "entities.csv").write_text("account_id,entity_id\nacct-1,LEI\n")
    (tmp_path / "checked.json").write_text('[{"entity_id": "LEI", "outcome": "clear"}]')
    words += ["--entities", str(tmp_path / "entities.csv"), "--ownership", str(tmp_path / "checked.json")]
    assert main([*words, "--format", "json", "--no-exit-codes"]) == 0
    found = {each["account_id"]: each["status"] for each in json.loads(capsys.readouterr().out)}
    assert found == {"acct-1": "eligible", "acct-2": "eligible", "acct-3": "lapsed"}


def test_a_programme_s_playbook_is_compared_with_everybody_s(
    programmes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "access",
        "programmes",
        "validate",
        str(programmes),
        "--playbook",
        str(tmp_path / "standard.yaml"),
    ]
    (tmp_path / "standard.yaml").write_text(example_text())
    assert main(words) == 0
    strict = "name: strict\nversion: 1\nrules:\n  - {name: all, when: {label: [distillation]}, steps: [{action: block, for: 1d}]}\n"
    (tmp_path / "standard.yaml").write_text(strict)
    assert main(words) == 1
    assert "milder[education]: " in capsys.readouterr().out
