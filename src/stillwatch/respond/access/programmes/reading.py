"""The file of programmes, and the playbooks that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from stillwatch.errors import ProgrammesError
from stillwatch.respond.access.programmes.programme import Programme
from stillwatch.respond.decisions.playbook import Playbook
from stillwatch.respond.decisions.playbook_files import load

_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Programmes:
    """The programmes of a lab, and the playbook of each.

    Args:
        by_name: As the accounts table names them.
        playbooks: The same names to their own playbooks.
    """

    by_name: Mapping[str, Programme]
    playbooks: Mapping[str, Playbook]

    def playbook_for(self, programme: str | None, otherwise: Playbook) -> Playbook:
        """Return the playbook of an account on a programme.

        Args:
            programme: What the accounts table says; None for an account on none.
            otherwise: The playbook of everybody else.

        Returns:
            The programme's own, also for an account whose place has lapsed: lapsing makes nothing milder.
        """
        return self.playbooks.get(programme or "", otherwise)


def read_programmes(path: str | Path) -> Programmes:
    """Read the file of programmes.

    Args:
        path: YAML with a list of `Programme` under `programmes`.

    Returns:
        The programmes with their playbooks.

    Raises:
        ProgrammesError: The file is missing or malformed, or names a programme twice.
        PlaybookError: A playbook is missing or malformed.
    """
    path = Path(path)
    found = [_programme(entry, number, path) for number, entry in enumerate(_entries(path), start=1)]
    by_name = {each.programme: each for each in found}
    if len(by_name) < len(found):
        raise ProgrammesError(f"{path} names a programme twice")
    playbooks = {name: load(path.parent / each.playbook) for name, each in by_name.items()}
    return Programmes(by_name, playbooks)


def _entries(path: Path) -> Sequence[Any]:
    """Parse the file."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ProgrammesError(f"{path} is larger than {_MOST_BYTES >> 20} MiB")
        document = yaml.safe_load(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ProgrammesError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        raise ProgrammesError(f"{path} cannot be parsed: {' '.join(str(error).split())}") from error
    entries = document.get("programmes") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(entries, list) or not entries:
        raise ProgrammesError(f"{path} holds no list of programmes")
    return entries


def _programme(entry: Any, number: int, path: Path) -> Programme:
    """Check one entry and say in one sentence what is wrong."""
    try:
        return Programme.model_validate(entry)
    except ValidationError as error:
        raise ProgrammesError(f"{path}, entry {number}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    """Say what is wrong with which field."""
    return "; ".join(
        ": ".join(
            (".".join(map(str, detail["loc"])) or "it", detail["msg"].removeprefix("Value error, ").lower())
        )
        for detail in error.errors()
    )
