"""What one sender delivered: requests to be checked and stored, and what could not even be parsed."""

from __future__ import annotations

from dataclasses import dataclass, field

from stillwatch.detect.logs.reading.rejected import SENTENCES, Reason
from stillwatch.detect.logs.reading.rows import Row

MAX_LISTED = 100
"""Refusals that are listed one by one in an answer; the others are counted."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One request that was not let in. Holds no value of it.

    Args:
        line: Line of the body, or number of the span, from 1.
        reason: Why.
        column: Canonical column at fault, where it is one.
        detail: What the parser said of the structure.
    """

    line: int
    reason: Reason
    column: str = ""
    detail: str = ""

    def as_json(self) -> dict[str, object]:
        """Write it for an answer."""
        subject = f"{self.column}: " if self.column else ""
        tail = f" ({self.detail})" if self.detail else ""
        found: dict[str, object] = {"line": self.line, "reason": self.reason.value}
        if self.column:
            found["column"] = self.column
        return {**found, "sentence": f"{subject}{SENTENCES[self.reason]}{tail}"}


@dataclass(slots=True)
class Delivery:
    """Requests of one body, before admission.

    Args:
        rows: The requests.
        lines: The line of each, from 1.
        refused: Lines that hold no request.
        ignored: Lines or spans that are valid and no request.
        size_bytes: Bytes of the body, for the bound on what is held in memory.
        source: Which receiver took it.
    """

    source: str
    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    ignored: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery. Whoever holds one may forget the accepted requests: they are on disk.

    Args:
        accepted: Requests on disk.
        refused: Requests that will never be let in as they are.
        ignored: What was valid and no request.
    """

    accepted: int
    refused: tuple[Refused, ...] = ()
    ignored: int = 0

    def as_json(self) -> dict[str, object]:
        """Write it for an answer."""
        listed = [one.as_json() for one in self.refused[:MAX_LISTED]]
        return {
            "accepted": self.accepted,
            "rejected": len(self.refused),
            "ignored": self.ignored,
            "errors": listed,
            "errors_omitted": len(self.refused) - len(listed),
        }
