"""Write the reference pages from the code, so that they cannot go stale.

python docs/generate.py           write them
python docs/generate.py --check   exit 1 when a page differs from the code
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import log_format_pages
import signal_pages
from stillwatch.cli import build_app
from stillwatch.detect.findings.report.json_report import dump_schema
from stillwatch.detect.fingerprints.elicitation import Kind, Rule, load_rules
from stillwatch.domain.findings import SCHEMA_VERSION
from stillwatch.settings import CONFIG_FILE, ENV_PREFIX, NESTING, Settings

DOCS: Final = Path(__file__).parent
NOTICE: Final = (
    "<!-- Generated from the code by docs/generate.py. Change the code, then run ./run docs. -->\n"
)


def cli_page() -> str:
    """Return every command with its options, from the same docstrings that --help shows."""
    app = build_app()
    names = sorted(name for name in app if not name.startswith("-"))
    pages = [app[name].generate_docs(heading_level=2, usage_name=f"stillwatch {name}") for name in names]
    return "\n".join(part.strip() + "\n" for part in (NOTICE, "# Commands", *pages, EXIT_CODES))


EXIT_CODES: Final = """
## Exit codes

| code | meaning |
|---|---|
| 0 | clean: nothing found, or findings with `--no-exit-codes` |
| 1 | an error, after whatever could be written was written |
| 2 | wrong usage or settings |
| 3 | nothing to read |
| 11, 12, 13, 14 | findings; the worst is low, medium, high, critical |
| 15 | `access`: something is not known, or needs verification |
| 16 | `access`: an organization is refused, or a place on a programme is refused or has lapsed |
| 130 | interrupted |
"""


def settings_page() -> str:
    """Return every setting with its variable, default and meaning."""
    lines = [
        NOTICE,
        "# Settings",
        "",
        f"Weakest first: the defaults below, `{CONFIG_FILE}` in the working folder, `{ENV_PREFIX}*` variables, flags.",
        "An unknown name is an error wherever it stands.",
    ]
    for group, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            lines += [
                "",
                f"## {group}",
                "",
                "| setting | variable | default | meaning |",
                "|---|---|---|---|",
            ]
            lines += [
                _setting_row(group, name, inner) for name, inner in field.annotation.model_fields.items()
            ]
    return "\n".join(lines) + "\n"


def _setting_row(group: str, name: str, field: FieldInfo) -> str:
    variable = f"{ENV_PREFIX}{group}{NESTING}{name}".upper()
    return f"| `{group}.{name}` | `{variable}` | `{field.default}` | {field.description} |"


def rules_page() -> str:
    """Return the catalogue of elicitation rules by kind."""
    lines = [NOTICE, "# Elicitation rules", "", RULES_INTRODUCTION.strip()]
    rules = load_rules()
    for kind in Kind:
        lines += ["", f"## {kind.value.replace('_', ' ').capitalize()}", "", f"The request {kind.sentence}."]
        for rule in (rule for rule in rules if rule.kind is kind):
            lines += _rule_lines(rule)
    return "\n".join(lines) + "\n"


RULES_INTRODUCTION: Final = """
A rule says what a request asks for that is worth having as training material. Rules are data in the spirit of
Sigma: YAML files that labs can read, test and give to each other. A hit is no finding. A scan compares how often the
members of a cluster hit a kind of rule with how often ordinary clusters of the same traffic do.

`stillwatch rules list` prints them and `stillwatch rules check FILE` tests your own. Each rule carries its own
examples, which are made up for it and are run as tests.
"""


def _rule_lines(rule: Rule) -> Iterator[str]:
    yield from ("", f"### {rule.title}", "", " ".join(rule.description.split()), "")
    yield f"- id `{rule.id}`, {rule.status.value}, level {rule.level.value}, {', '.join(rule.tags)}"
    yield f"- looks the same but is ordinary: {'; '.join(' '.join(text.split()) for text in rule.falsepositives)}"
    if rule.references:
        yield f"- published in: {', '.join(rule.references)}"


PAGES: Final[dict[str, Callable[[], str]]] = {
    "cli.md": cli_page,
    "log-formats.md": lambda: log_format_pages.page(NOTICE),
    "rules.md": rules_page,
    f"schema/findings-{SCHEMA_VERSION}.schema.json": dump_schema,
    "settings.md": settings_page,
}


def generated() -> dict[Path, str]:
    """Return the text of every generated page by its path."""
    texts = {name: page() for name, page in PAGES.items()} | signal_pages.pages(NOTICE)
    return {DOCS / name: text for name, text in texts.items()}


def stale(pages: dict[Path, str]) -> Iterable[Path]:
    """Return the pages whose file is missing or different."""
    return [
        path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def orphans(pages: dict[Path, str]) -> Iterable[Path]:
    """Return the pages of signals that no longer exist."""
    return sorted(set((DOCS / "signals").glob("*.md")) - set(pages))


def main() -> int:
    """Write the pages, or with --check only compare them."""
    pages = generated()
    changed = list(stale(pages))
    for path in changed:
        print(f"{'out of date' if '--check' in sys.argv else 'wrote'}: {path.relative_to(DOCS.parent)}")
    gone = list(orphans(pages))
    for path in gone:
        print(f"nothing makes this page: {path.relative_to(DOCS.parent)}")
    if "--check" in sys.argv:
        return 1 if changed or gone else 0
    for path in gone:
        path.unlink()
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
