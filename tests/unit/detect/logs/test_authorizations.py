"""The authorizations file."""

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from stillwatch.detect.logs import purpose_named, read_authorizations
from stillwatch.domain.authorizations import Authorization, Purpose
from stillwatch.errors import AuthorizationsError

ENTRY: dict[str, Any] = {
    "authorization_id": "auth-1",
    "purpose": "licensed_distillation",
    "account_ids": ["acct-1", "acct-2"],
    "models": ["example-large"],
    "max_requests": 5_000,
    "starts_on": "2026-01-01",
    "ends_on": "2026-06-30",
    "approved_by": "r.moss",
}


def as_csv(entry: dict[str, Any]) -> str:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, list(entry))
    writer.writeheader()
    writer.writerow(
        {name: ";".join(value) if isinstance(value, list) else value for name, value in entry.items()}
    )
    return sink.getvalue()


TEXTS = {
    "yml": yaml.safe_dump([ENTRY]),
    "yaml": yaml.safe_dump({"authorizations": [ENTRY]}),
    "json": json.dumps([ENTRY]),
    "jsonl": json.dumps(ENTRY) + "\n\n",
    "csv": as_csv(ENTRY),
}


@pytest.mark.parametrize("ending", sorted(TEXTS))
def test_every_format_gives_the_same_permission(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"authorizations.{ending}"
    path.write_text(TEXTS[ending])
    assert read_authorizations(path) == (
        Authorization(
            authorization_id="auth-1",
            purpose=Purpose.LICENSED_DISTILLATION,
            account_ids=("acct-1", "acct-2"),
            models=("example-large",),
            max_requests=5_000,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 6, 30),
            approved_by="r.moss",
        ),
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"purpose": "anything"}, "purpose"),
        ({"ends_on": "2025-01-01"}, "ends_on lies before starts_on"),
        ({"account_ids": []}, "one of account_ids, organization and email_domain"),
        ({"max_requests": 0}, "max_requests"),
        ({"max_request": 5}, "max_request"),
        ({"approved_by": ""}, "approved_by"),
        ({"starts_on": "soon"}, "starts_on"),
    ],
)
def test_a_mistake_is_an_error_that_names_the_entry_and_the_field(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "authorizations.json"
    path.write_text(json.dumps([{**ENTRY, "authorization_id": "fine"}, {**ENTRY, **changes}]))
    with pytest.raises(AuthorizationsError) as raised:
        read_authorizations(path)
    assert "entry 2 (auth-1)" in raised.value.message
    assert said in raised.value.message
    assert "authorization_id, purpose" in raised.value.hint


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yml", "- [unclosed"),
        ("a.yml", "- starts_on: 2026-02-31"),
        ("a.yml", "just words"),
        ("a.json", "[1, 2"),
        ("a.json", "[1]"),
        ("a.jsonl", "{}\n{"),
        ("a.csv", "authorization_id,purpose\nx\n"),
        ("a.json", json.dumps([ENTRY, ENTRY])),
    ],
)
def test_a_malformed_file_is_a_clean_error(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(AuthorizationsError):
        read_authorizations(path)


@given(content=st.binary(max_size=200), ending=st.sampled_from(["yml", "json", "jsonl", "csv"]))
def test_arbitrary_bytes_are_an_error_or_no_permission(
    content: bytes, ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / f"a.{ending}"
    path.write_bytes(content)
    try:
        found = read_authorizations(path)
    except AuthorizationsError:
        return
    assert found == ()


def test_an_empty_file_permits_nothing_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("# nobody yet\n")
    assert read_authorizations(path) == ()
    with pytest.raises(AuthorizationsError, match="cannot be read"):
        read_authorizations(tmp_path / "absent.yml")


def test_a_permission_holds_from_its_first_to_its_last_day(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([ENTRY]))
    (found,) = read_authorizations(path)
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 1)]
    assert [found.is_in_date(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("cell", "purpose"),
    [
        ("evaluation:e2e85e", Purpose.EVALUATION),
        ("reseller:10a6f5", Purpose.CONTRACTED_RESALE),
        ("Research", Purpose.RESEARCH),
        ("unknown:1", None),
        ("", None),
        (None, None),
    ],
)
def test_the_account_tables_cell_names_a_purpose(cell: str | None, purpose: Purpose | None) -> None:
    assert purpose_named(cell) is purpose
