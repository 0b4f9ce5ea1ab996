"""Everything that is known of one case, as one snapshot of the store sees it."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from stillwatch.domain.cases import Case, Note
from stillwatch.domain.findings import Finding
from stillwatch.errors import UnknownCaseError
from stillwatch.respond.audit import AuditEntry
from stillwatch.respond.audit.trail import history_of
from stillwatch.respond.cases import rows
from stillwatch.respond.cases.replay import CASE


@dataclass(frozen=True)
class WholeCase:
    """A case with everything that belongs to it.

    Args:
        case: The case.
        finding: The newest finding that is kept word for word.
        accounts: The accounts that belong to it now, sorted.
        notes: Its notes, in order.
        history: What was done to it, in order.
    """

    case: Case
    finding: Finding
    accounts: tuple[str, ...]
    notes: tuple[Note, ...]
    history: tuple[AuditEntry, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "case": self.case.model_dump(mode="json"),
            "accounts": list(self.accounts),
            "notes": [note.model_dump(mode="json") for note in self.notes],
            "history": [
                {
                    "sequence": entry.sequence,
                    "time": entry.time.isoformat(),
                    "actor": entry.actor,
                    "action": entry.action,
                    "facts": entry.facts,
                }
                for entry in self.history
            ],
            "finding": self.finding.model_dump(mode="json"),
        }


def whole_case(connection: Connection, name: str) -> WholeCase:
    """Return a case by its id or its campaign's id, with everything that belongs to it.

    Raises:
        UnknownCaseError: there is no such case.
    """
    case = _known(connection, name)
    return WholeCase(
        case=case,
        finding=rows.finding_in(connection, case),
        accounts=rows.accounts_of(connection, case.case_id),
        notes=rows.notes_of(connection, case.case_id),
        history=history_of(connection, CASE, case.case_id),
    )


def kept_finding(connection: Connection, name: str, digest: str) -> str:
    """Return a finding that a case kept word for word, as JSON.

    Raises:
        UnknownCaseError: there is no such case, or it kept no finding of this digest.
    """
    case = _known(connection, name)
    text = rows.snapshot(connection, case.case_id, digest)
    if text is None:
        hint = f"`stillwatch case show {case.case_id} --format json` lists the digests in its history"
        raise UnknownCaseError(f"{case.case_id} kept no finding {digest!r}", hint=hint)
    return json.dumps(json.loads(text), indent=2)


def _known(connection: Connection, name: str) -> Case:
    case = rows.find(connection, name)
    if case is None:
        raise UnknownCaseError(f"there is no case {name!r}")
    return case
