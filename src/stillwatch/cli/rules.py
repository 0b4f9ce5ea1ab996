"""`stillwatch rules`: list the elicitation rules, or check a file of them."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stillwatch.cli import terminal

if TYPE_CHECKING:
    from stillwatch.detect.fingerprints.elicitation import Rule


def rules(
    action: Literal["list", "check"] = "list",
    *paths: Path,
    format: Literal["pretty", "json"] = "pretty",  # noqa: A002 - the flag is --format
) -> int:
    """List elicitation rules, or check them and run their examples.

    Args:
        action: `list` prints the rules; `check` loads them strictly and runs the examples in them as tests.
        paths: Rule files, or folders of them. Without any, the shipped rules.
        format: `pretty` for people, `json` for programs.

    Returns:
        0, or 1 when an example came out wrong.
    """
    from stillwatch.detect.fingerprints.elicitation import load_rules  # noqa: PLC0415 - loads on demand

    loaded = load_rules(list(paths) or None)
    if action == "check":
        return _check(loaded)
    sys.stdout.write(_as_json(loaded) if format == "json" else _as_table(loaded))
    return 0


def _check(loaded: "tuple[Rule, ...]") -> int:
    from stillwatch.detect.fingerprints.elicitation import failed_examples  # noqa: PLC0415 - loads on demand

    failures = failed_examples(loaded)
    for failure in failures:
        print(f"error: {failure.sentence}")
    count = sum(len(rule.examples.match) + len(rule.examples.no_match) for rule in loaded)
    terminal.say(f"{len(loaded)} rules, {count} examples, {len(failures)} wrong")
    return 1 if failures else 0


def _as_table(loaded: "tuple[Rule, ...]") -> str:
    rows = [("KIND", "LEVEL", "STATUS", "TITLE", "ID")]
    rows += [(rule.kind, rule.level, rule.status, rule.title, str(rule.id)) for rule in loaded]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _as_json(loaded: "tuple[Rule, ...]") -> str:
    fields = {"id", "title", "kind", "level", "status", "description", "references", "falsepositives", "tags"}
    return json.dumps([rule.model_dump(mode="json", include=fields) for rule in loaded], indent=2) + "\n"
