"""`stillwatch access` as people type it."""

import json
from pathlib import Path

import pytest
from tests.unit.respond.access.conftest import GoldenCopy

from stillwatch.cli import main


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
