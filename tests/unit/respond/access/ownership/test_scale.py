"""A register of a hundred thousand companies is read and solved as a whole; a few are cut out of it."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from tests.unit.respond.access.conftest import GoldenCopy

from stillwatch.respond.access.ownership.assessment import Outcome
from stillwatch.respond.access.ownership.attribution import cascade, proportional, system_of
from stillwatch.respond.access.ownership.graph import build_graph
from stillwatch.respond.access.ownership.policy import OwnershipPolicy
from stillwatch.respond.access.ownership.rule import OwnershipRule
from stillwatch.respond.access.ownership.sources.gleif import GleifRegister
from stillwatch.respond.access.ownership.tables import ENTITIES, HOLDINGS, TableRegister

COMPANIES = 100_000
POLICY = OwnershipPolicy(unsupported=frozenset({"XA"}))
POLICY_DAY = date(2026, 11, 20)


def drawn_network() -> TableRegister:
    """Draw companies with two owners each, anywhere, so that one large circle forms; 5 % are unsupported."""
    rng = np.random.default_rng(20261120)
    names = pa.array([f"c{number}" for number in range(COMPANIES)])
    subjects = np.repeat(np.arange(COMPANIES), 2)
    owners = rng.integers(0, COMPANIES, len(subjects))
    share = pa.array(np.full(len(subjects), 0.45))
    words = [pa.array([word] * len(subjects)) for word in ("direct", "shareholding")]
    ends = [names.take(pa.array(numbers)) for numbers in (subjects, owners)]
    nothing = pa.nulls(len(subjects), pa.string())
    holdings = pa.Table.from_arrays([*ends, share, share, *words, nothing], schema=HOLDINGS)
    place = pa.array(np.where(rng.random(COMPANIES) < 0.05, "XA", "XC"))
    nowhere = pa.nulls(COMPANIES, pa.string())
    kind = pa.array(["entity"] * COMPANIES)
    columns = [names, nowhere, kind, place, nowhere, nowhere]
    return TableRegister("drawn", holdings=holdings, entities=pa.Table.from_arrays(columns, schema=ENTITIES))


def test_a_hundred_thousand_companies_in_one_circle_are_solved() -> None:
    graph = build_graph([f"c{number}" for number in range(COMPANIES)], [drawn_network()], POLICY)
    assert len(graph.nodes) == COMPANIES
    system = system_of(graph)
    found = proportional(system).unsupported
    again = np.zeros(COMPANIES)
    np.maximum.at(again, system.subject, system.weights @ found)
    assert np.abs(np.where(system.unsupported, 1.0, again) - found).max() < 1e-9
    assert 0.2 < found.mean() < 0.8
    counted = cascade(system, POLICY.threshold, inclusive=False).unsupported
    assert (counted[system.unsupported] == 1.0).all()
    assert 0.05 < (counted > POLICY.threshold).mean() < 1.0


def test_one_group_is_cut_out_of_a_large_golden_copy(tmp_path: Path, golden_copy: GoldenCopy) -> None:
    leis = [golden_copy.lei(number) for number in range(COMPANIES)]
    parents = [number // 10 for number in range(1, COMPANIES)]  # a tree of five levels under company 0
    pacsv.write_csv(
        pa.table(
            {
                "Relationship.StartNode.NodeID": leis[1:],
                "Relationship.EndNode.NodeID": [leis[parent] for parent in parents],
                "Relationship.RelationshipType": ["IS_DIRECTLY_CONSOLIDATED_BY"] * (COMPANIES - 1),
            }
        ),
        tmp_path / "rr.csv",
    )
    places = pa.array(["XA" if number in {0, 7} else "XC" for number in range(COMPANIES)])
    level_1 = {"LEI": leis, "Entity.LegalName": leis, "Entity.HeadquartersAddress.Country": places}
    pacsv.write_csv(pa.table(level_1), tmp_path / "lei.csv")
    gleif = GleifRegister(level_1=tmp_path / "lei.csv", relationships=tmp_path / "rr.csv", as_of=POLICY_DAY)
    assert len(gleif.holdings) == COMPANIES - 1
    graph = build_graph([leis[99_999], leis[70_000]], [gleif], POLICY)
    assert len(graph.nodes) == 11
    found = OwnershipRule([gleif], POLICY).assess([leis[99_999], leis[70_000]])
    assert [each.outcome for each in found] == [Outcome.REFUSED, Outcome.REFUSED]
    assert [len(each.paths[0].steps) for each in found] == [5, 4]
