"""The authorizations file: YAML, JSON, JSON lines or CSV.

Unlike a log it is written by hand and decides who is left alone, so that nothing in it is guessed or skipped:
the first mistake is an error that says where it is.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from stillwatch.domain.authorizations import Authorization, Purpose
from stillwatch.errors import AuthorizationsError

_LISTS = ("account_ids", "models", "capabilities")
_MOST_BYTES = 64 << 20
_HINT = (
    "each entry needs authorization_id, purpose, starts_on, ends_on, approved_by and one of account_ids, "
    "organization and email_domain"
)
_ALIASES = {"reseller": Purpose.CONTRACTED_RESALE, "resale": Purpose.CONTRACTED_RESALE}


def read_authorizations(path: str | Path) -> tuple[Authorization, ...]:
    """Read the file of recorded permissions.

    Args:
        path: A `.yml`, `.yaml`, `.json`, `.jsonl` or `.csv` file. In CSV several values stand in one cell with
            `;` between them.

    Returns:
        The permissions, in the order of the file.

    Raises:
        AuthorizationsError: The file is missing or malformed, or names one permission twice.
    """
    path = Path(path)
    text = _text_of(path)
    entries = _entries(path, text)
    found = tuple(_authorization(entry, number, path) for number, entry in enumerate(entries, start=1))
    _check_unique(found, path)
    return found


def purpose_named(text: str | None) -> Purpose | None:
    """Read the purpose from an account table's `authorization`, such as `evaluation:e2e85e`.

    Args:
        text: The cell.

    Returns:
        The purpose; None for an empty cell and for words that name none.
    """
    word = (text or "").partition(":")[0].strip().lower()
    if word in _ALIASES:
        return _ALIASES[word]
    return Purpose(word) if word in set(Purpose) else None


def _text_of(path: Path) -> str:
    """Read the file."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise AuthorizationsError(f"{path} is larger than {_MOST_BYTES >> 20} MiB")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise AuthorizationsError(
            f"{path} cannot be read: {error.strerror}", hint="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise AuthorizationsError(f"{path} is not UTF-8 text", hint="save it as UTF-8") from error


def _entries(path: Path, text: str) -> Sequence[Any]:
    """Parse the file by its ending."""
    kind = path.suffix.lower()
    try:
        if kind in {".jsonl", ".ndjson"}:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        if kind == ".csv":
            return [_of_csv(row, path) for row in csv.DictReader(io.StringIO(text), strict=True)]
        document = json.loads(text) if kind == ".json" else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError, csv.Error, RecursionError) as error:
        raise AuthorizationsError(f"{path} cannot be parsed: {_first_line(error)}", hint=_HINT) from error
    except ValueError as error:  # a date such as 2026-02-31 fails inside the YAML parser
        raise AuthorizationsError(f"{path} holds an impossible value: {_first_line(error)}") from error
    return _listed(document, path)


def _listed(document: Any, path: Path) -> Sequence[Any]:
    """Accept a list of entries, bare or under `authorizations`; an empty file permits nothing."""
    if document is None:
        return []
    if isinstance(document, dict) and set(document) == {"authorizations"}:
        document = document["authorizations"] or []
    if not isinstance(document, list):
        raise AuthorizationsError(f"{path} holds no list of authorizations", hint=_HINT)
    return document


def _of_csv(row: Mapping[str | None, Any], path: Path) -> dict[str, Any]:
    """Turn one CSV row into an entry."""
    if None in row or None in row.values():
        raise AuthorizationsError(f"{path}: a row has another number of fields than the header", hint=_HINT)
    given = {str(name): value for name, value in row.items() if value != ""}
    for name in _LISTS:
        if name in given:
            given[name] = [each.strip() for each in given[name].split(";") if each.strip()]
    return given


def _authorization(entry: Any, number: int, path: Path) -> Authorization:
    """Check one entry."""
    if not isinstance(entry, dict):
        raise AuthorizationsError(f"{path}, entry {number}: not a mapping of fields", hint=_HINT)
    given = {
        name: [value] if name in _LISTS and isinstance(value, str) else value for name, value in entry.items()
    }
    try:
        return Authorization.model_validate(given)
    except ValidationError as error:
        name = entry.get("authorization_id")
        label = f"entry {number}" if not isinstance(name, str) else f"entry {number} ({name})"
        raise AuthorizationsError(f"{path}, {label}: {_sentence(error)}", hint=_HINT) from error


def _sentence(error: ValidationError) -> str:
    """Say what is wrong with which field, without pydantic's own layout."""
    return "; ".join(
        f"{'.'.join(str(part) for part in detail['loc'])}: {_said(detail['msg'])}"
        if detail["loc"]
        else _said(detail["msg"])
        for detail in error.errors()
    )


def _said(message: str) -> str:
    """Drop pydantic's prefix."""
    return message.removeprefix("Value error, ").lower()


def _check_unique(found: Sequence[Authorization], path: Path) -> None:
    """Refuse two permissions with one id: nobody could say which one holds."""
    seen: set[str] = set()
    for each in found:
        if each.authorization_id in seen:
            raise AuthorizationsError(
                f"{path}: {each.authorization_id} is there twice", hint="give each its own id"
            )
        seen.add(each.authorization_id)


def _first_line(error: BaseException) -> str:
    """Return the part of a parser's message that a person can use."""
    return " ".join(str(error).split())
