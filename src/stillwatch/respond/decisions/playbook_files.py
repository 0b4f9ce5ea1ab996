"""Read playbooks from YAML or TOML, and say on which line what is wrong."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from stillwatch.errors import PlaybookError
from stillwatch.respond.decisions.playbook import Playbook

_EXAMPLE: Final = files("stillwatch.respond.decisions") / "playbooks" / "cautious.yaml"
_MAX_BYTES: Final = 1_000_000


def example_text() -> str:
    """Return the commented example that ships with stillwatch."""
    return _EXAMPLE.read_text(encoding="utf-8")


def example() -> Playbook:
    """Return the playbook that ships with stillwatch."""
    return parse(example_text(), "cautious.yaml")


def load(path: Path) -> Playbook:
    """Read a playbook.

    Args:
        path: A file that ends in .yaml, .yml or .toml.

    Raises:
        PlaybookError: it cannot be read, or is no valid playbook; the message names the line.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PlaybookError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    if len(raw) > _MAX_BYTES:
        raise PlaybookError(f"{path} is larger than {_MAX_BYTES:,} bytes", hint="is it a playbook?")
    try:
        return parse(raw.decode("utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise PlaybookError(f"{path} is no UTF-8 text: {error}") from error


def parse(text: str, name: str) -> Playbook:
    """Read a playbook from text; the name's ending says whether it is YAML or TOML.

    Raises:
        PlaybookError: it is no valid playbook.
    """
    data, lines = _toml(text, name) if name.endswith(".toml") else _yaml(text, name)
    if not isinstance(data, dict):
        raise PlaybookError(f"{name} holds no playbook")
    try:
        return Playbook.model_validate(data)
    except ValidationError as error:
        raise PlaybookError(_sentence(error, name, lines)) from error


def _toml(text: str, name: str) -> tuple[Any, None]:
    try:
        return tomllib.loads(text), None
    except tomllib.TOMLDecodeError as error:
        raise PlaybookError(f"{name} is not valid TOML: {error}") from error


def _yaml(text: str, name: str) -> tuple[Any, yaml.Node | None]:
    """Return the data, and the tree that knows the lines."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_aliases(text, name)
        return yaml.safe_load(text), tree
    except yaml.YAMLError as error:
        raise PlaybookError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from error
    except (RecursionError, ValueError) as error:
        raise PlaybookError(f"{name} cannot be read: {error}") from error


def _refuse_aliases(text: str, name: str) -> None:
    """An alias of an alias of an alias grows without bound; a playbook needs none."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise PlaybookError(f"{name}:{line}: a playbook has no YAML aliases")


def _sentence(error: ValidationError, name: str, tree: yaml.Node | None) -> str:
    """Say every mistake, each with its place."""
    found = [(one["type"], one["loc"], one["msg"]) for one in error.errors()]
    places = [place for _, place, _ in found]
    return "; ".join(
        _mistake(name, tree, place, message)
        for kind, place, message in found
        if not _follows(kind, place, places)
    )


def _follows(kind: str, place: tuple[int | str, ...], places: list[tuple[int | str, ...]]) -> bool:
    """Say whether a list is too short only because something in it is wrong."""
    return kind == "too_short" and any(len(one) > len(place) and one[: len(place)] == place for one in places)


def _mistake(name: str, tree: yaml.Node | None, place: Sequence[int | str], message: str) -> str:
    line = _line(tree, place)
    where = ".".join(str(step) for step in place)
    plain = message.removeprefix("Value error, ").replace(
        "Extra inputs are not permitted", "there is no such field"
    )
    return f"{name}{f':{line}' if line else ''}: {where}{': ' if where else ''}{plain}"


def _line(node: yaml.Node | None, place: Sequence[int | str]) -> int | None:
    """Return the line of the innermost part that exists."""
    if node is None:
        return None
    line = node.start_mark.line + 1
    for step in place:
        following = _child(node, step)
        if following is None:
            break
        line, node = following
    return line


def _child(node: yaml.Node, step: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None
