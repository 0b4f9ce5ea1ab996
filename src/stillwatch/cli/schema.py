"""`stillwatch schema`: print the JSON Schema of findings.json, or an example of it."""

import sys


def schema(*, example: bool = False) -> int:
    """Print the JSON Schema of findings.json.

    Args:
        example: Print a complete findings.json of an invented scan instead.

    Returns:
        0.
    """
    if example:
        from stillwatch.detect.findings.report.example import example_report  # noqa: PLC0415 - loads on demand
        from stillwatch.detect.findings.report.json_report import dump_json  # noqa: PLC0415

        sys.stdout.write(dump_json(example_report()))
    else:
        from stillwatch.detect.findings.report.json_report import dump_schema  # noqa: PLC0415 - loads on demand

        sys.stdout.write(dump_schema())
    return 0
