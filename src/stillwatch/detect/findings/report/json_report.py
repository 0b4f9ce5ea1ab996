"""findings.json and its schema, and the same findings one per line.

Within version 1 a new minor version only adds optional fields. A reader of 1.0 therefore ignores fields it does
not know (the published schema leaves objects open for that), and `read_report` does the same for a report that
a newer stillwatch wrote.
"""

import json
import re
from pathlib import Path
from typing import IO, Any, Final

from pydantic import ValidationError

from stillwatch.domain.findings import SCHEMA_VERSION, ScanReport
from stillwatch.errors import InputError

SCHEMA_ID: Final = f"urn:stillwatch:schema:findings:{SCHEMA_VERSION}"
_ATTRIBUTE: Final = re.compile(r"^    (\w+): ", re.MULTILINE)
"""Where the text of one attribute begins in the docstring of a record."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def dump_json(report: ScanReport) -> str:
    """Return the report as findings.json holds it."""
    return report.model_dump_json(indent=2) + "\n"


def write_json_lines(report: ScanReport, stream: IO[str]) -> None:
    """Write one finding per line, most severe first; each line is `$defs/Finding` of the schema."""
    for finding in report.findings:
        stream.write(finding.model_dump_json() + "\n")


def read_report(path: Path) -> ScanReport:
    """Read a findings.json of this major version.

    Args:
        path: The file. Fields added by a newer minor version are ignored.

    Raises:
        InputError: the file cannot be read, is no findings.json, or is of another major version.
    """
    try:
        return ScanReport.model_validate_json(path.read_bytes(), extra="ignore")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", hint="check the path") from error
    except ValidationError as error:
        raise InputError(
            f"{path} is not a findings.json of version 1: {_first_problem(error)}",
            hint="compare it with `stillwatch schema`, or scan the logs again with this version",
        ) from error


def _first_problem(error: ValidationError) -> str:
    """Return where the file first differs, without echoing its content."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or "the whole file"
    return f"{where}: {problem['msg']}"


def build_schema() -> dict[str, Any]:
    """Return the JSON Schema of findings.json, as published in docs/schema."""
    schema = ScanReport.model_json_schema(mode="serialization")
    for node in (schema, *schema["$defs"].values()):
        _describe(node)
    _leave_open(schema)
    return {"$schema": _DIALECT, "$id": SCHEMA_ID, **schema, "title": f"stillwatch findings {SCHEMA_VERSION}"}


def dump_schema() -> str:
    """Return the schema as the published file holds it."""
    return json.dumps(build_schema(), indent=2, ensure_ascii=False) + "\n"


def _describe(node: dict[str, Any]) -> None:
    """Move what a docstring says about each attribute to that attribute."""
    summary, _, listed = node.get("description", "").partition("Attributes:")
    node["description"] = " ".join(summary.split())
    _, *pieces = _ATTRIBUTE.split(listed)
    for name, text in zip(pieces[::2], pieces[1::2], strict=True):
        node["properties"][name]["description"] = " ".join(text.split())


def _leave_open(node: Any) -> None:
    """Allow unknown fields everywhere, so that a later minor version still passes."""
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]
        for child in node.values():
            _leave_open(child)
    elif isinstance(node, list):
        for child in node:
            _leave_open(child)
