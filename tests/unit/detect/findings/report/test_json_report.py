import io
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, strategies as st

from stillwatch.detect.findings.report import read_report, render
from stillwatch.detect.findings.report.example import example_report
from stillwatch.detect.findings.report.json_report import build_schema, dump_json, dump_schema
from stillwatch.domain.findings import Finding, ScanReport
from stillwatch.errors import InputError

LOW = example_report().findings[-1]
PUBLISHED = Path(__file__).parents[5] / "docs" / "schema" / "findings-1.0.schema.json"


def test_a_report_survives_the_round_trip(report: ScanReport, tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    path.write_text(dump_json(report), encoding="utf-8")
    assert read_report(path) == report


def test_the_published_schema_is_the_one_the_code_makes() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == dump_schema(), (
        "run `./run schema > docs/schema/findings-1.0.schema.json` and read the difference"
    )


def test_what_docstrings_say_of_an_attribute_stands_at_the_attribute() -> None:
    schema = build_schema()
    assert "Attributes:" not in json.dumps(schema)
    assert schema["$defs"]["Finding"]["properties"]["q_value"]["description"] == (
        "p-value after false-discovery control, 0 to 1."
    )
    undescribed = [n for n, p in schema["properties"].items() if "description" not in p]
    assert undescribed == []


def test_the_schema_accepts_a_report(report: ScanReport) -> None:
    jsonschema.Draft202012Validator(build_schema()).validate(json.loads(dump_json(report)))


def test_the_schema_refuses_a_finding_without_a_q_value(report: ScanReport) -> None:
    document = json.loads(dump_json(report))
    del document["findings"][0]["q_value"]
    with pytest.raises(jsonschema.ValidationError, match="q_value"):
        jsonschema.Draft202012Validator(build_schema()).validate(document)


def test_the_schema_refuses_another_major_version(report: ScanReport) -> None:
    document = json.loads(dump_json(report)) | {"schema_version": "2.0"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(build_schema()).validate(document)


def test_a_later_minor_version_still_passes_the_schema_and_the_reader(
    report: ScanReport, tmp_path: Path
) -> None:
    document = json.loads(dump_json(report)) | {"schema_version": "1.7", "mood": "new"}
    document["findings"][0]["something_new"] = [1, 2]
    jsonschema.Draft202012Validator(build_schema()).validate(document)
    path = tmp_path / "findings.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert read_report(path).findings == report.findings


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema_version": "2.0"}', "\x00", "null"])
def test_a_file_that_is_no_report_is_one_clear_error(content: str, tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="is not a findings") as caught:
        read_report(path)
    assert caught.value.hint


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_report(tmp_path / "absent.json")


def test_an_error_does_not_echo_what_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    path.write_text('{"schema_version": "prompt text of a customer"}', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_report(path)
    assert "customer" not in caught.value.message


def test_json_lines_hold_one_finding_each_and_no_authorized_cluster(report: ScanReport) -> None:
    stream = io.StringIO()
    render(report, "jsonl", stream)
    read = tuple(Finding.model_validate_json(line) for line in stream.getvalue().splitlines())
    assert read == report.findings


@given(st.text(min_size=1))
def test_any_text_in_a_title_stays_on_its_own_json_line(title: str) -> None:
    line = LOW.model_copy(update={"title": title}).model_dump_json()
    assert "\n" not in line
    assert Finding.model_validate_json(line).title == title
