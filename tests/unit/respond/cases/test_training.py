"""Labels as a table: what is written is read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.detect.findings.report.example import example_report
from stillwatch.domain.cases import CaseLabel
from stillwatch.errors import InputError
from stillwatch.respond import cases
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.cases.training import read_labels, write_labels
from stillwatch.respond.store import Store, open_store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FINDING = example_report().findings[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with labels of every kind, and some that were withdrawn."""
    with open_store(f"sqlite:///{tmp_path}/stillwatch.db") as store:
        with AuditTrail(store, lambda: NOON).writing("person:alice") as write:
            cases.record_finding(write, FINDING)
            cases.label_accounts(write, CaseLabel.BENIGN, ("elsewhere",), "an appeal")
            mistaken = cases.label_accounts(write, CaseLabel.BENIGN, ("mistaken",), "an appeal")
            cases.add_label(write, "case-1", CaseLabel.BENIGN, "known")
        with AuditTrail(store, lambda: NOON + timedelta(hours=1)).writing("person:alice") as write:
            cases.withdraw_account_label(write, mistaken, "the appeal was a lie")
            cases.withdraw_label(write, "case-1", CaseLabel.BENIGN, "it was not")
            cases.add_label(
                write, "case-1", CaseLabel.AUTHORIZED, "one of them", accounts=FINDING.accounts[:1]
            )
            cases.add_label(write, "case-1", CaseLabel.TRUE_CAMPAIGN, "known")
        yield store


def test_calibration_learns_the_same_from_the_table_as_from_the_store(store: Store, tmp_path: Path) -> None:
    rows = write_labels(store, tmp_path / "labels.parquet")
    assert rows == 2 * len(FINDING.accounts) + 3
    learned = read_labels(tmp_path / "labels.parquet")
    assert learned == cases.labeled_accounts(cases.labels_of(store, as_of=NOON + timedelta(days=1)))
    assert learned.ordinary == {"elsewhere", FINDING.accounts[0]}
    assert learned.hostile == set(FINDING.accounts[1:])


def test_resale_teaches_calibration_nothing(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        with AuditTrail(store, lambda: NOON).writing("person:alice") as write:
            cases.label_accounts(write, CaseLabel.RESALE, ("a",), "a relay")
        learned = cases.labeled_accounts(cases.labels_of(store))
    assert not learned.ordinary | learned.hostile


def test_the_same_labels_are_the_same_bytes(store: Store, tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_labels(store, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_file_that_holds_no_labels_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("account_id,label\n")
    pq.write_table(pa.table({"account_id": ["a"]}), tmp_path / "other.parquet")
    for name in ("text", "other.parquet", "absent"):
        with pytest.raises(InputError) as refused:
            read_labels(tmp_path / name)
        assert "case export" in refused.value.hint
