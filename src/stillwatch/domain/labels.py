"""What people know of accounts, as calibration uses it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class LabeledAccounts:
    """Accounts that somebody looked at and labeled; most accounts are in neither set.

    Args:
        ordinary: Labeled benign or authorized.
        hostile: Labeled as a true campaign. Resale is neither: most people behind a relay ask for ordinary things.
    """

    ordinary: frozenset[str] = frozenset()
    hostile: frozenset[str] = frozenset()


NOBODY: Final = LabeledAccounts()
"""Where nobody labeled anything."""
