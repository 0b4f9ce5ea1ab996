"""The organizations that are to be checked, from a file."""

import csv
from pathlib import Path

from stillwatch.errors import OwnershipError

_COLUMN = "entity_id"


def read_identifiers(path: Path) -> tuple[str, ...]:
    """Read identifiers, each once, in their order.

    Args:
        path: CSV whose header has `entity_id`, or text with one identifier on each line. Empty ones are left out.

    Raises:
        OwnershipError: The file is missing or no text.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise OwnershipError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except UnicodeDecodeError as error:
        raise OwnershipError(f"{path} is no UTF-8 text", hint="save it as UTF-8") from error
    header = next(csv.reader(lines[:1]), [])
    if _COLUMN in header:
        found = [(row[_COLUMN] or "").strip() for row in csv.DictReader(lines)]
    else:
        found = [line.strip() for line in lines]
    return tuple(dict.fromkeys(each for each in found if each))
