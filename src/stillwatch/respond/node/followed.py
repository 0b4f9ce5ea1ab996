"""What comes after findings, as detection sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.findings import Finding
from stillwatch.domain.labels import LabeledAccounts


@dataclass(frozen=True, slots=True)
class Followed:
    """What followed from findings.

    Args:
        opened: Cases opened, for the first time or again.
        updated: Cases updated.
        decisions: Decisions taken.
    """

    opened: int = 0
    updated: int = 0
    decisions: int = 0


class FollowUp(Protocol):
    """What happens with the findings of a round, and what people said of earlier ones."""

    def labeled(self, now: datetime) -> LabeledAccounts:
        """Return what people know of accounts, for calibration."""
        ...

    def permitted(self) -> Sequence[Authorization]:
        """Return the permissions on record, past ones too."""
        ...

    def follow(self, findings: Sequence[Finding], now: datetime, programmes: Mapping[str, str]) -> Followed:
        """Open or update cases, and take the decisions that the playbook asks for. Twice is once."""
        ...
