"""Beneficial ownership data reads the same in every version, and counts only what is claimed on the day."""

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.unit.respond.access.conftest import lei_of

from stillwatch.errors import OwnershipError
from stillwatch.respond.access.ownership.sources.bods import BodsRegister
from stillwatch.respond.access.ownership.sources.bods_interests import share_of
from stillwatch.respond.access.ownership.tables import EXCLUSIVE_STEP

DAY = date(2026, 11, 20)
LEI = lei_of(1)


def statement(record: str, kind: str, details: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a statement of version 0.4."""
    return {
        "statementId": more.get("id", f"statement-{record}"),
        "declarationSubject": "company",
        "statementDate": more.get("day", "2026-01-01"),
        "recordId": record,
        "recordType": kind,
        "recordStatus": more.get("status", "new"),
        "recordDetails": details,
    }


def old(statement_id: str, kind: str, **details: Any) -> dict[str, Any]:
    """Return a statement of version 0.2 or 0.3."""
    return {
        "statementID": statement_id,
        "statementType": kind,
        "statementDate": "2026-01-01",
        "isComponent": False,
        **details,
    }


def interest(**fields: Any) -> dict[str, Any]:
    """Return a direct shareholding of 60 % unless fields say otherwise."""
    return {"type": "shareholding", "directOrIndirect": "direct", "share": {"exact": 60}, **fields}


COMPANY = statement(
    "company",
    "entity",
    {
        "isComponent": False,
        "entityType": {"type": "registeredEntity"},
        "name": "Example Ltd",
        "jurisdiction": {"name": "B-land", "code": "XB"},
        "identifiers": [{"scheme": "XI-LEI", "id": LEI}, {"scheme": "XB-REG", "id": "12"}],
        "addresses": [
            {"type": "registered", "country": {"name": "C-land", "code": "XC"}},
            {"type": "business", "country": {"name": "D-land", "code": "XD"}},
        ],
    },
)
OWNER = statement(
    "owner",
    "person",
    {
        "isComponent": False,
        "personType": "knownPerson",
        "names": [{"type": "legal", "fullName": "A. Example"}],
        "addresses": [{"type": "residence", "country": {"name": "A-land", "code": "XA"}}],
    },
)


def holding(*interests: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a relationship between the two."""
    details = {
        "isComponent": False,
        "subject": "company",
        "interestedParty": more.pop("party", "owner"),
        "interests": list(interests),
    }
    return statement(more.pop("record", "holding"), "relationship", details, **more)


OLD = [
    old(
        "company",
        "entityStatement",
        entityType="registeredEntity",
        name="Example Ltd",
        incorporatedInJurisdiction={"name": "B-land", "code": "XB"},
        identifiers=[{"scheme": "XI-LEI", "id": LEI}, {"scheme": "XB-REG", "id": "12"}],
        addresses=[{"type": "registered", "country": "XC"}, {"type": "business", "country": "XD"}],
    ),
    old(
        "owner",
        "personStatement",
        personType="knownPerson",
        names=[{"type": "individual", "fullName": "A. Example"}],
        addresses=[{"type": "residence", "country": "XA"}],
    ),
    old(
        "statement-holding",
        "ownershipOrControlStatement",
        subject={"describedByEntityStatement": "company"},
        interestedParty={"describedByPersonStatement": "owner"},
        interests=[
            {"type": "shareholding", "interestLevel": "direct", "share": {"exact": 60}},
            {
                "type": "voting-rights",
                "interestLevel": "indirect",
                "share": {"minimum": 50, "exclusiveMinimum": True, "maximum": 75},
            },
        ],
    ),
]
NEW = [
    COMPANY,
    OWNER,
    holding(
        interest(),
        interest(
            type="votingRights",
            directOrIndirect="indirect",
            share={"exclusiveMinimum": 50, "maximum": 75},
        ),
    ),
]


def written(tmp_path: Path, statements: list[dict[str, Any]]) -> BodsRegister:
    """Write statements as a JSON array and open them."""
    path = tmp_path / "owners.json"
    path.write_text(json.dumps(statements))
    return BodsRegister(path, as_of=DAY)


def shares(register: BodsRegister) -> list[tuple[float, float]]:
    """Return the bounds of all holdings."""
    return [(row["low"], row["high"]) for row in register.holdings.to_pylist()]


@pytest.mark.parametrize("statements", [OLD, NEW], ids=["0.2", "0.4"])
@pytest.mark.parametrize("layout", ["array", "lines", "gzip"])
def test_every_version_and_layout_says_the_same(
    tmp_path: Path, statements: list[dict[str, Any]], layout: str
) -> None:
    path = tmp_path / "owners.json"
    text = json.dumps(statements) if layout == "array" else "\n".join(map(json.dumps, statements))
    path.write_bytes(gzip.compress(text.encode()) if layout == "gzip" else text.encode())
    register = BodsRegister(path, as_of=DAY)
    owner = "owners.json#owner"
    assert [tuple(row.values()) for row in register.holdings.to_pylist()] == [
        (LEI, owner, 0.6, 0.6, "direct", "shareholding", "statement-holding"),
        (LEI, owner, 0.5 + EXCLUSIVE_STEP, 0.75, "indirect", "votingRights", "statement-holding"),
    ]
    assert sorted(tuple(row.values()) for row in register.describe({LEI, owner}).to_pylist()) == sorted(
        [(LEI, "Example Ltd", "entity", "XD", "XB", None), (owner, "A. Example", "person", None, None, "XA")]
    )
    assert {register.find(name) for name in (LEI, "company", "XB-REG:12", f"XI-LEI:{LEI}")} == {LEI}
    assert register.find("somebody") is None


def test_the_last_statement_on_a_record_counts(tmp_path: Path) -> None:
    changed = holding(interest(share={"exact": 10}), id="second", day="2026-06-01", status="updated")
    later = holding(interest(share={"exact": 90}), id="third", day="2027-01-01", status="updated")
    assert shares(written(tmp_path, [COMPANY, OWNER, later, changed, holding(interest())])) == [(0.1, 0.1)]


def test_of_two_statements_of_one_day_the_later_in_the_file_counts(tmp_path: Path) -> None:
    again = holding(interest(share={"exact": 10}), id="second")
    assert shares(written(tmp_path, [COMPANY, OWNER, holding(interest()), again])) == [(0.1, 0.1)]


@pytest.mark.parametrize(
    ("day", "count"), [("2026-11-20", 1), ("2026-11-20T09:00:00Z", 1), ("2026-11-21", 0)]
)
def test_a_statement_of_the_day_counts_and_one_of_the_next_does_not(
    tmp_path: Path, day: str, count: int
) -> None:
    assert len(shares(written(tmp_path, [COMPANY, OWNER, holding(interest(), day=day)]))) == count


def test_a_closed_record_does_not_count(tmp_path: Path) -> None:
    closed = holding(interest(), id="second", day="2026-06-01", status="closed")
    assert shares(written(tmp_path, [COMPANY, OWNER, holding(interest()), closed])) == []


def test_a_replaced_statement_of_an_older_version_does_not_count(tmp_path: Path) -> None:
    newer = {
        **OLD[2],
        "statementID": "newer",
        "replacesStatements": ["statement-holding"],
        "interests": [{"type": "shareholding", "interestLevel": "direct", "share": {"exact": 5}}],
    }
    assert shares(written(tmp_path, [*OLD, newer])) == [(0.05, 0.05)]


@pytest.mark.parametrize(
    ("dates", "count"),
    [
        ({"startDate": "2026-11-20"}, 1),
        ({"startDate": "2026-11-21"}, 0),
        ({"endDate": "2026-11-20"}, 0),
        ({"endDate": "2026-11-21"}, 1),
    ],
)
def test_only_interests_that_hold_on_the_day_count(tmp_path: Path, dates: dict[str, str], count: int) -> None:
    assert len(shares(written(tmp_path, [COMPANY, OWNER, holding(interest(**dates))]))) == count


@pytest.mark.parametrize(
    ("share", "bounds"),
    [
        ({"exact": 12.5}, (0.125, 0.125)),
        ({"minimum": 25, "maximum": 50}, (0.25, 0.5)),
        ({"exclusiveMinimum": 25, "exclusiveMaximum": 50}, (0.25 + EXCLUSIVE_STEP, 0.5)),
        ({"minimum": 75}, (0.75, 1.0)),
        ({"maximum": 10}, (0.0, 0.1)),
        ({"minimum": 0, "exclusiveMinimum": True, "maximum": 5}, (0.0, 0.05)),
        ({"minimum": 100, "exclusiveMinimum": True}, (1.0, 1.0 + EXCLUSIVE_STEP)),
        ({"minimum": 80, "maximum": 20}, (0.0, 1.0)),
        ({"exact": 140}, (0.0, 1.0)),
        ({"exact": True}, (0.0, 1.0)),
        ({"exact": "60"}, (0.0, 1.0)),
        ({}, (0.0, 1.0)),
        (None, (0.0, 1.0)),
    ],
    ids=str,
)
def test_a_share_is_read_with_its_bounds(share: Any, bounds: tuple[float, float]) -> None:
    assert share_of(share) == pytest.approx(bounds, abs=EXCLUSIVE_STEP / 10)


@pytest.mark.parametrize(
    "party",
    [{"reason": "subjectExemptFromDisclosure"}, {"unspecified": {"reason": "subjectExemptFromDisclosure"}}],
    ids=["0.4", "0.2"],
)
def test_an_owner_who_is_not_specified_is_a_gap_with_its_reason(
    tmp_path: Path, party: dict[str, Any]
) -> None:
    register = written(tmp_path, [COMPANY, holding(interest(share={"minimum": 30}), party=party)])
    assert len(register.holdings) == 0
    assert register.gaps.to_pylist() == [
        {"subject": LEI, "reason": "subjectExemptFromDisclosure", "low": 0.3}
    ]


def test_a_listed_company_has_owners_that_nobody_names(tmp_path: Path) -> None:
    details = {**COMPANY["recordDetails"], "publicListing": {"hasPublicListing": True}}
    register = written(tmp_path, [{**COMPANY, "recordDetails": details}])
    assert register.gaps.column("reason").to_pylist() == ["publicListing"]


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("person", {"personType": "anonymousPerson"}),
        ("person", {"personType": "unknownPerson"}),
        ("entity", {"entityType": {"type": "anonymousEntity"}}),
        ("entity", {"entityType": "unknownEntity"}),
        ("entity", {}),
    ],
)
def test_an_owner_without_a_name_is_unknown(tmp_path: Path, kind: str, details: dict[str, Any]) -> None:
    register = written(tmp_path, [statement("owner", kind, details)])
    assert register.describe({"owners.json#owner"}).column("kind").to_pylist() == ["unknown"]


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}]',
        "[1]",
        '{"statementID": 1, "statementType": "entityStatement"}',
        "[{]",
        "a,b\n1,2",
        "[NaN]",
    ],
)
def test_what_is_no_bods_is_an_error_of_ours(tmp_path: Path, text: str) -> None:
    path = tmp_path / "owners.json"
    path.write_text(text)
    with pytest.raises(OwnershipError):
        _ = BodsRegister(path, as_of=DAY).holdings


@pytest.mark.parametrize(
    ("details", "jurisdiction"),
    [
        ({"jurisdiction": {"name": "B-land", "code": "XB-01"}}, "XB-01"),
        ({"identifiers": [{"scheme": "QZ-REG", "id": "1"}]}, "QZ"),
        ({"identifiers": [{"scheme": "XI-LEI", "id": "1"}, {"schemeName": "Register", "id": "2"}]}, None),
        ({"identifiers": [{"scheme": "XK-REG", "id": "1"}]}, "XK"),
        ({"identifiers": [{"scheme": "QZ-REG", "id": "1"}], "jurisdiction": {"code": "QX"}}, "QX"),
        ({"addresses": [{"type": "registered", "country": {"code": "QY"}}]}, "QY"),
        ({"addresses": [{"type": "alternative", "country": {"code": "QY"}}]}, None),
        (
            {"jurisdiction": "nowhere to be seen", "identifiers": "none", "addresses": [None]},
            "NOWHERE TO BE SEEN",
        ),
    ],
)
def test_where_an_entity_is_registered(
    tmp_path: Path, details: dict[str, Any], jurisdiction: str | None
) -> None:
    register = written(tmp_path, [statement("company", "entity", {"entityType": "legalEntity", **details})])
    assert register.describe({"owners.json#company"}).column("jurisdiction").to_pylist() == [jurisdiction]
