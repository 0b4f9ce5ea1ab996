"""GLEIF's golden copy reads the same in every edition, and counts only what holds."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.unit.respond.access.conftest import GoldenCopy

from stillwatch.errors import OwnershipError
from stillwatch.respond.access.ownership.sources.gleif import GleifRegister
from stillwatch.respond.access.ownership.tables import ENTITIES, GAPS, HOLDINGS

DAY = date(2026, 11, 20)


def register(**files: Any) -> GleifRegister:
    """Open files as of the day of the tests."""
    return GleifRegister(**files, as_of=DAY)


@pytest.mark.parametrize("packing", ["", ".gz", ".zip"])
@pytest.mark.parametrize("edition", ["csv", "json", "xml"])
def test_every_edition_says_the_same(golden_copy: GoldenCopy, edition: str, packing: str) -> None:
    child, parent, top = (golden_copy.lei(number) for number in range(3))
    entities = [
        golden_copy.entity(child, "Example & Sons", "XB", jurisdiction="XC"),
        golden_copy.entity(parent, "Öffentliche Hand", "XA-01", category="RESIDENT_GOVERNMENT_ENTITY"),
    ]
    relations = [
        golden_copy.relation(child, parent, percent="60.00"),
        golden_copy.relation(child, top, "IS_ULTIMATELY_CONSOLIDATED_BY"),
        golden_copy.relation(top, parent, "IS_FUND-MANAGED_BY"),
    ]
    exceptions = [
        golden_copy.exception(top, "NO_KNOWN_PERSON"),
        golden_copy.exception(parent, "LEGAL_OBSTACLES", "NON_PUBLIC", category="ULTIMATE"),
        golden_copy.exception(child, "NO_LEI", category="ULTIMATE"),
    ]
    gleif = register(
        level_1=golden_copy.write("LEIRecord", entities, edition, packing),
        relationships=golden_copy.write("RelationshipRecord", relations, edition, packing),
        exceptions=golden_copy.write("Exception", exceptions, edition, packing),
    )
    assert gleif.holdings.schema == HOLDINGS
    assert [tuple(row.values()) for row in gleif.holdings.to_pylist()] == [
        (child, parent, 0.6, 0.6, "direct", "consolidation", "IS_DIRECTLY_CONSOLIDATED_BY"),
        (child, top, 0.0, 1.0, "indirect", "consolidation", "IS_ULTIMATELY_CONSOLIDATED_BY"),
    ]
    assert gleif.gaps.schema == GAPS
    assert sorted(tuple(row.values()) for row in gleif.gaps.to_pylist()) == sorted(
        [(top, "NO_KNOWN_PERSON", None), (parent, "LEGAL_OBSTACLES", None), (parent, "NON_PUBLIC", None)]
    )
    described = gleif.describe({child, parent, "nobody"})
    assert described.schema == ENTITIES
    assert sorted(tuple(row.values()) for row in described.to_pylist()) == sorted(
        [
            (child, "Example & Sons", "entity", "XB", "XC", None),
            (parent, "Öffentliche Hand", "state", "XA-01", "XA", None),
        ]
    )


@pytest.mark.parametrize(
    ("more", "holds"),
    [
        ({}, True),
        ({"status": "INACTIVE"}, False),
        ({"registration": "LAPSED"}, True),
        ({"registration": "ANNULLED"}, False),
        ({"registration": "DUPLICATE"}, False),
        (
            {"periods": [{"PeriodType": "RELATIONSHIP_PERIOD", "StartDate": "2027-01-01T00:00:00Z"}]},
            False,
        ),
        (
            {
                "periods": [
                    {"PeriodType": "ACCOUNTING_PERIOD", "StartDate": "2018-01-01", "EndDate": "2018-12-31"},
                    {"PeriodType": "RELATIONSHIP_PERIOD", "StartDate": "2018-01-01", "EndDate": "2020-01-01"},
                ]
            },
            False,
        ),
        (
            {"periods": [{"PeriodType": "ACCOUNTING_PERIOD", "StartDate": "2018-01-01", "EndDate": "2018-12-31"}]},
            True,
        ),
    ],
    ids=["active", "ended", "lapsed", "annulled", "duplicate", "later", "over", "old accounts"],
)  # fmt: skip
def test_only_relationships_that_hold_on_the_day_count(
    golden_copy: GoldenCopy, more: dict[str, Any], *, holds: bool
) -> None:
    records = [golden_copy.relation(golden_copy.lei(1), golden_copy.lei(2), **more)]
    found = register(relationships=golden_copy.write("RelationshipRecord", records)).holdings
    assert bool(len(found)) is holds


@pytest.mark.parametrize(
    ("dates", "count"),
    [
        ({"StartDate": "2026-11-20T00:00:00Z"}, 1),
        ({"StartDate": "2026-11-21T00:00:00Z"}, 0),
        ({"EndDate": "2026-11-20T00:00:00Z"}, 0),
        ({"EndDate": "2026-11-21T00:00:00Z"}, 1),
    ],
)
def test_a_period_begins_with_its_first_day_and_is_over_on_its_last(
    golden_copy: GoldenCopy, dates: dict[str, str], count: int
) -> None:
    period = {"PeriodType": "RELATIONSHIP_PERIOD", **dates}
    records = [golden_copy.relation(golden_copy.lei(1), golden_copy.lei(2), periods=[period])]
    assert len(register(relationships=golden_copy.write("RelationshipRecord", records)).holdings) == count


@pytest.mark.parametrize(
    ("percent", "bounds"),
    [
        ("60", (0.6, 0.6)),
        ("1.00", (1.0, 1.0)),
        ("0.60", (0.006, 0.6)),
        ("100.0", (1.0, 1.0)),
        ("0", (0.0, 1.0)),
        ("140", (0.0, 1.0)),
        ("most", (0.0, 1.0)),
    ],
)
def test_a_percentage_is_read_as_it_may_have_been_meant(
    golden_copy: GoldenCopy, percent: str, bounds: tuple[float, float]
) -> None:
    records = [golden_copy.relation(golden_copy.lei(1), golden_copy.lei(2), percent=percent)]
    row = register(relationships=golden_copy.write("RelationshipRecord", records)).holdings.to_pylist()[0]
    assert (row["low"], row["high"]) == pytest.approx(bounds)


def test_a_branch_is_the_company_itself(golden_copy: GoldenCopy) -> None:
    records = [golden_copy.relation(golden_copy.lei(1), golden_copy.lei(2), "IS_INTERNATIONAL_BRANCH_OF")]
    row = register(relationships=golden_copy.write("RelationshipRecord", records)).holdings.to_pylist()[0]
    assert (row["low"], row["high"], row["basis"]) == (1.0, 1.0, "branch")


def test_a_deleted_record_of_the_json_edition_does_not_count(golden_copy: GoldenCopy) -> None:
    deleted = {
        **golden_copy.exception(golden_copy.lei(1), "NON_PUBLIC"),
        "Extension": {"gleif:Deletion": "2026"},
    }
    path = golden_copy.write(
        "Exception", [deleted, golden_copy.exception(golden_copy.lei(2), "NO_LEI")], "json"
    )
    assert register(exceptions=path).gaps.column("reason").to_pylist() == ["NO_LEI"]


@pytest.mark.parametrize("edition", ["csv", "json", "xml"])
def test_a_file_in_the_place_of_another_is_refused(golden_copy: GoldenCopy, edition: str) -> None:
    path = golden_copy.write("Exception", [golden_copy.exception(golden_copy.lei(1), "NO_LEI")], edition)
    with pytest.raises(OwnershipError, match="RelationshipRecord"):
        _ = register(relationships=path).holdings


@pytest.mark.parametrize(
    "content",
    [
        b'{"relations": [{"RelationshipRecord": ',
        b'{"relations": [1, 2]}',
        b"[" * 100_000,
        b"\xff\xfe{",
        b"<a><b></a>",
        b'<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>',
        b'Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType\n"a,b',
        b"PK\x03\x04 not an archive",
        b"\x1f\x8b not gzip",
        b"",
        b"one,two\n1,2\n",
    ],
    ids=["cut", "numbers", "deep", "binary", "unbalanced", "document type", "quote", "zip", "gzip", "empty", "other"],
)  # fmt: skip
def test_a_damaged_file_is_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(OwnershipError) as caught:
        _ = register(relationships=path).holdings
    assert caught.value.hint


def test_a_missing_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(OwnershipError, match="cannot be read"):
        _ = register(relationships=tmp_path / "nothing.csv").holdings


def test_only_a_well_formed_lei_is_known(golden_copy: GoldenCopy) -> None:
    lei = golden_copy.lei(7)
    assert register().find(f"lei:{lei.lower()}") == lei
    assert register().find(lei[:-1] + ("0" if lei[-1] != "0" else "1")) is None
    assert register().find("GB-COH:1") is None
