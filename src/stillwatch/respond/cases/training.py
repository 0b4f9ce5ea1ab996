"""Labels as a table, for training and for calibration elsewhere."""

from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.detect.findings.report.atomic import replace_whole
from stillwatch.domain.cases import Case, CaseLabel, KnownLabel
from stillwatch.domain.labels import LabeledAccounts
from stillwatch.errors import InputError
from stillwatch.respond.cases import rows
from stillwatch.respond.cases.labels import ORDINARY, labels_of
from stillwatch.respond.store import Store

SCHEMA: Final = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("label", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("whole_case", pa.bool_(), nullable=False),
        pa.field("labeled_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("withdrawn_at", pa.timestamp("us", "UTC")),
        pa.field("author", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("label_id", pa.int32(), nullable=False),
        pa.field("case_id", pa.string()),
        pa.field("campaign_id", pa.string()),
        pa.field("triage", pa.dictionary(pa.int8(), pa.string())),
        pa.field("false_positive_reason", pa.dictionary(pa.int8(), pa.string())),
        pa.field("finding_label", pa.dictionary(pa.int8(), pa.string())),
        pa.field("severity", pa.dictionary(pa.int8(), pa.string())),
        pa.field("first_seen", pa.timestamp("us", "UTC")),
        pa.field("last_seen", pa.timestamp("us", "UTC")),
    ],
    metadata={"stillwatch.schema": "labels-1.0"},
)
"""One row for each account of each label that was ever given. docs/cases.md says what the columns mean."""


_HINT: Final = "write the file with `stillwatch case export --labels FILE`"


def label_table(store: Store) -> pa.Table:
    """Return every label that was ever given, one row per account, in the columns of `SCHEMA`."""
    labels = labels_of(store)
    with store.reading() as connection:
        known = {case.case_id: case for case in rows.everything(connection)}
    parts = [_rows(label, known.get(label.case_id or "")) for label in labels]
    return pa.concat_tables([SCHEMA.empty_table(), *parts]).combine_chunks().unify_dictionaries()


def write_labels(store: Store, path: Path) -> int:
    """Write the labels as Parquet, whole or not at all.

    Returns:
        How many rows were written.

    Raises:
        OutputError: the file cannot be written.
    """
    table = label_table(store)
    replace_whole(path, lambda file: pq.write_table(table, file, compression="zstd"))
    return int(table.num_rows)


def read_labels(path: Path) -> LabeledAccounts:
    """Read what calibration learns from a table that `write_labels` wrote.

    Raises:
        InputError: the file cannot be read, or is another table.
    """
    wanted = ["account_id", "label", "whole_case", "labeled_at", "withdrawn_at", "label_id"]
    try:
        rows = pq.read_table(path, columns=wanted).to_pylist()
        in_force = [row for row in rows if row["withdrawn_at"] is None]
        in_force.sort(key=lambda row: (not row["whole_case"], row["labeled_at"], row["label_id"]))
        said = {row["account_id"]: CaseLabel(row["label"]) for row in in_force}
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or 'not a Parquet file'}", hint=_HINT
        ) from error
    except (pa.ArrowInvalid, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} holds no labels", hint=_HINT) from error
    return LabeledAccounts(
        ordinary=frozenset(name for name, label in said.items() if label in ORDINARY),
        hostile=frozenset(name for name, label in said.items() if label is CaseLabel.TRUE_CAMPAIGN),
    )


def _rows(label: KnownLabel, case: Case | None) -> pa.Table:
    """Return the rows of one label."""
    facts = {
        "label": label.label.value,
        "whole_case": label.whole,
        "labeled_at": label.since,
        "withdrawn_at": label.until,
        "author": label.author,
        "reason": label.reason,
        "label_id": label.label_id,
        "case_id": label.case_id,
        "campaign_id": label.campaign_id,
        **_facts_of_case(case),
    }
    columns = [
        pa.array(label.accounts, pa.string())
        if field.name == "account_id"
        else pa.array([facts.get(field.name)] * len(label.accounts), field.type)
        for field in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def _facts_of_case(case: Case | None) -> dict[str, object]:
    if case is None:
        return {}
    return {
        "triage": case.triage.value,
        "false_positive_reason": case.false_positive_reason.value if case.false_positive_reason else None,
        "finding_label": case.figures.label.value,
        "severity": case.figures.severity.value,
        "first_seen": case.figures.first_seen,
        "last_seen": case.figures.last_seen,
    }
