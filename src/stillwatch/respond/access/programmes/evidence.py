"""What is known of many accounts besides their rows: small tables by account, and the answers of the ownership rule."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from stillwatch.errors import ProgrammesError
from stillwatch.respond.access.ownership.assessment import Outcome
from stillwatch.respond.access.programmes.eligibility import Evidence


def read_evidence(
    *, entities: Path | None = None, ownership: Path | None = None, requests: Path | None = None
) -> Mapping[str, Evidence]:
    """Put together what is known of accounts.

    Args:
        entities: CSV with `account_id,entity_id`: whose organization is which.
        ownership: What `stillwatch access check --format json` printed.
        requests: CSV with `account_id,requests`: how many requests each made in its term.

    Returns:
        Account id to evidence; an account that is absent has none.

    Raises:
        ProgrammesError: A file is missing or malformed.
    """
    outcomes = _outcomes(ownership) if ownership else {}
    owned = _column(entities, "entity_id") if entities else {}
    used = _column(requests, "requests") if requests else {}
    return {
        account: Evidence(outcomes.get(owned.get(account, "")), _count(used.get(account), requests))
        for account in {**owned, **used}
    }


def _outcomes(path: Path) -> dict[str, Outcome]:
    """Read the outcome of each organization."""
    try:
        document = json.loads(path.read_text("utf-8"))
        return {str(entry["entity_id"]): Outcome(entry["outcome"]) for entry in document}
    except OSError as error:
        raise ProgrammesError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProgrammesError(f"{path} is not what `stillwatch access check --format json` prints") from error


def _column(path: Path, name: str) -> dict[str, str]:
    """Read one column of a CSV file by account."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, strict=True))
            return {row["account_id"]: row[name] for row in rows}
    except OSError as error:
        raise ProgrammesError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except (KeyError, csv.Error, UnicodeDecodeError) as error:
        raise ProgrammesError(f"{path} is no CSV with the columns account_id and {name}") from error


def _count(text: str | None, path: Path | None) -> int | None:
    """Read a number of requests; an empty cell is not known."""
    if not text:
        return None
    if not text.isdecimal():
        raise ProgrammesError(f"{path}: {text!r} is no number of requests")
    return int(text)
