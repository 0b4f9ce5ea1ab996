"""Read elicitation rules from files and folders, and say exactly what is wrong with a bad one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from stillwatch.detect.fingerprints.elicitation.kinds import Kind
from stillwatch.detect.fingerprints.elicitation.rule import Rule
from stillwatch.errors import RuleError

SHIPPED_RULES = Path(__file__).parent / "rules"
LARGEST_FILE_BYTES = 1_000_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_rules(paths: Sequence[str | Path] | None = None) -> tuple[Rule, ...]:
    """Load rules, in a stable order.

    Args:
        paths: Files, or folders that are searched for `*.yml` and `*.yaml`. None loads the shipped rules; pass
            `SHIPPED_RULES` beside your own folder to have both.

    Returns:
        The rules sorted by kind and title.

    Raises:
        RuleError: A path does not exist or has no rules, a file is no YAML, a rule is malformed (the message names
            file, rule and field), or two rules have one id.
    """
    sources = [SHIPPED_RULES] if paths is None else [Path(path) for path in paths]
    found = [(file, rule) for source in sources for file in _files(source) for rule in read_rule_file(file)]
    _reject_repeated_ids(found)
    order = list(Kind)
    return tuple(sorted((rule for _, rule in found), key=lambda rule: (order.index(rule.kind), rule.title)))


def read_rule_file(file: Path) -> list[Rule]:
    """Read one file; it may hold several rules as YAML documents."""
    return [_rule(file, number, document) for number, document in enumerate(_documents(file), start=1)]


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    if not source.is_dir():
        raise RuleError(f"{source} does not exist", hint="give a rule file or a folder of them to --rules")
    files = sorted(file for file in source.rglob("*") if file.suffix in {".yml", ".yaml"} and file.is_file())
    if not files:
        raise RuleError(f"{source} holds no rules", hint="rule files end in .yml or .yaml")
    yield from files


def _documents(file: Path) -> list[object]:
    try:
        if file.stat().st_size > LARGEST_FILE_BYTES:
            raise RuleError(
                f"{file} is larger than {LARGEST_FILE_BYTES:,} bytes", hint="split it into several files"
            )
        with file.open(encoding="utf-8") as stream:
            return [document for document in yaml.load_all(stream, Loader=_Loader) if document is not None]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or str(error)
        raise RuleError(
            f"{file}{line} is not valid YAML: {problem}", hint="quote text that has a colon in it"
        ) from error
    except OSError as error:
        raise RuleError(f"{file} cannot be read: {error.strerror}") from error


def _rule(file: Path, number: int, document: object) -> Rule:
    if not isinstance(document, dict):
        raise RuleError(
            f"{file}: rule {number} is not a mapping", hint="a rule begins with `id:` and `title:`"
        )
    try:
        return Rule.model_validate(document)
    except ValidationError as error:
        name = document.get("title") or document.get("id") or f"number {number}"
        raise RuleError(f"{file}: rule {str(name)!r}: {_problems(error)}", hint=_hint(error)) from error


def _problems(error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in problem["loc"] if part != "str" and "Search" not in str(part))
        if problem["loc"][-1:] == ("str",) and problem["type"] == "string_type":
            continue
        problems.append(f"{where or 'rule'}: {problem['msg'].removeprefix('Value error, ')}")
    return "; ".join(dict.fromkeys(problems))


def _hint(error: ValidationError) -> str:
    types = {problem["type"] for problem in error.errors(include_url=False, include_context=False)}
    if "missing" in types:
        return "docs/rules.md shows a complete rule; every field named there without a default is needed"
    if "extra_forbidden" in types:
        return "the field is not known; docs/rules.md lists those that are"
    return ""


def _reject_repeated_ids(found: Sequence[tuple[Path, Rule]]) -> None:
    first: dict[object, Path] = {}
    for file, rule in found:
        if rule.id in first:
            raise RuleError(
                f"{file}: rule {rule.title!r} has the id {rule.id}, which a rule in {first[rule.id]} has as well",
                hint="give the new rule an id of its own, for example from `uuidgen`",
            )
        first[rule.id] = file
