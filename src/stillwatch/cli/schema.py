"""Print the JSON Schema of findings.json."""

import json


def schema() -> int:
    """Print the JSON Schema of findings.json, for validators and code generators."""
    from stillwatch.domain.findings import ScanReport  # noqa: PLC0415 - pydantic is not needed for --help

    print(json.dumps(ScanReport.model_json_schema(), indent=2, sort_keys=True))
    return 0
