"""`stillwatch signals`: list the signals and the kinds of link, or explain one."""

import inspect
import json
from collections.abc import Iterator
from typing import Literal

from stillwatch.errors import UsageError


def signals(name: str = "", *, format: Literal["pretty", "json"] = "pretty") -> int:  # noqa: A002 - the flag is --format
    """List what a scan looks at: signals test a cluster's demand, links tie accounts together.

    Args:
        name: Explain this signal or link instead.
        format: `pretty` for people, `json` for programs.

    Returns:
        0.
    """
    entries = {entry["name"]: entry for entry in _catalogue()}
    if name and name not in entries:
        raise UsageError(f"no signal or link is called {name!r}", hint="`stillwatch signals` lists them")
    chosen = [entries[name]] if name else list(entries.values())
    if format == "json":
        print(json.dumps(chosen, indent=2))
    elif name:
        print(_explained(entries[name]))
    else:
        print(_listed(chosen))
    return 0


def _catalogue() -> Iterator[dict[str, str]]:
    """Yield every signal, then every kind of link, as both lists are found in their folders."""
    from stillwatch.detect.links.registry import link_kinds  # noqa: PLC0415 - numpy is not needed for --help
    from stillwatch.detect.signals.registry import signals as all_signals  # noqa: PLC0415

    for one in all_signals():
        yield _entry(one, "signal", one.speaks_for)
    for kind in link_kinds():
        yield _entry(kind, "link", kind.family)


def _entry(described: object, kind: str, about: str) -> dict[str, str]:
    """Return what is said about one of them; `about` is the label it speaks for, or the link's family."""
    return {
        "name": str(getattr(described, "name", "")),
        "kind": kind,
        "about": about,
        "title": str(getattr(described, "title", "")),
        "description": inspect.getdoc(type(described)) or "",
    }


def _listed(entries: list[dict[str, str]]) -> str:
    rows = [("KIND", "NAME", "ABOUT", "WHAT IS SEEN")]
    rows += [(entry["kind"], entry["name"], entry["about"], entry["title"]) for entry in entries]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True)) for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _explained(entry: dict[str, str]) -> str:
    return f"{entry['kind']} {entry['name']}: {entry['title']}\nabout: {entry['about']}\n\n{entry['description']}"
