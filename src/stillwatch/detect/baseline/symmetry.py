"""What two periods know of their accounts, brought to what both of them know.

A p-value against a baseline is right only if the baseline could have shown as much as the scan. Where one side knows
who paid and the other does not, ordinary clusters of the other look less tied than they are, and everything scanned
looks rarer than it is. So what one side lacks is left out of the comparison on both, and the report says so.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pyarrow as pa

from stillwatch.detect.logs import AccountTable

IDENTITY = ("account_id", "authorization")  # who it is and what is permitted: nothing is tied by these
MAY_BE_EMPTY = frozenset(
    {"closed_at", "close_reason"}
)  # a period in which no account was closed is one as well
NEARLY_AS_MANY = (
    0.9  # a pair is tied only where both of its accounts are known: 0.9 squared keeps four ties of five
)


@dataclass(frozen=True)
class KnownAccounts:
    """One period's accounts, and what is known of them.

    Args:
        active: Accounts that sent requests.
        table: What is known, or None.
    """

    active: AbstractSet[str]
    table: AccountTable | None

    @property
    def coverage(self) -> float:
        """Share of the active accounts that the table knows, 0 to 1."""
        if self.table is None or not self.active:
            return 0.0
        known = self.active & set(self.table.table["account_id"].to_pylist())
        return len(known) / len(self.active)

    @property
    def columns(self) -> frozenset[str]:
        """Columns that can be evidence: those the file has, with a value or with good reason to have none."""
        if self.table is None:
            return frozenset()
        table = self.table.table
        return frozenset(
            name
            for name in self.table.columns.difference(IDENTITY)
            if name in MAY_BE_EMPTY or table[name].null_count < table.num_rows
        )


@dataclass(frozen=True)
class Matched:
    """What both sides know of their accounts.

    Args:
        columns: Columns of the accounts table that both can be compared by.
        left_out: Columns that the scan has and the comparison does without.
        baseline: The baseline's accounts with these columns; None without any.
        sentence: What was left out and why; empty when nothing was.
    """

    columns: frozenset[str]
    left_out: frozenset[str]
    baseline: pa.Table | None
    sentence: str = ""


def matched(scanned: KnownAccounts, baseline: KnownAccounts) -> Matched:
    """Keep the columns of which both sides know about as much.

    Args:
        scanned: The scan's accounts.
        baseline: The baseline's accounts.
    """
    mine, theirs = scanned.columns, baseline.columns
    covered = baseline.coverage >= NEARLY_AS_MANY * scanned.coverage
    if mine and not (theirs and covered):
        return Matched(frozenset(), mine, None, _unknown(baseline))
    both = mine & theirs
    return Matched(both, mine - both, _only(baseline, both), _left_out(mine - both))


def _only(side: KnownAccounts, columns: frozenset[str]) -> pa.Table | None:
    """Return a side's table with the columns that both have."""
    if side.table is None or not columns:
        return None
    names = side.table.table.column_names
    return side.table.table.select([name for name in names if name == "account_id" or name in columns])


def _unknown(baseline: KnownAccounts) -> str:
    known = "has no accounts table"
    if baseline.table is not None:
        known = f"has {baseline.coverage:.0%} of its accounts in the accounts table"
    return (
        f"the baseline {known} (--baseline-accounts): what is known of accounts was left out of the comparison on "
        "both sides, because the baseline could not have shown it"
    )


def _left_out(columns: frozenset[str]) -> str:
    if not columns:
        return ""
    return (
        f"the baseline's accounts table lacks {', '.join(sorted(columns))}: left out of the comparison on both sides, "
        "because the baseline could not have shown it"
    )
