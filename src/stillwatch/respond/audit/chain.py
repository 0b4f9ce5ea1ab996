"""One entry of the trail and its hash.

The hash is SHA-256 over the canonical JSON of all fields of the entry and the hash of the entry before it (Schneier and
Kelsey 1999, "Secure audit logs to support computer forensics", section 3, without the encryption). Whoever changes an
entry must change all later ones; whoever can do that must also change every head that was written down elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from stillwatch.errors import AuditError, UsageError
from stillwatch.respond.store.columns import canonical_json, from_microseconds

GENESIS: Final = "0" * 64
"""What stands before the first entry."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One recorded act.

    Args:
        sequence: 1 for the first entry, without gaps.
        time_us: When, microseconds since 1970.
        actor: Who: `person:NAME`, `playbook:NAME@VERSION` or `system:PART`.
        action: What, as `case.assigned`.
        object_kind: What kind of thing it was done to, as `case`.
        object_id: Which one.
        payload: The facts, as canonical JSON text.
        previous_hash: Hash of the entry before, hexadecimal.
        entry_hash: Hash of this entry, hexadecimal.
    """

    sequence: int
    time_us: int
    actor: str
    action: str
    object_kind: str
    object_id: str
    payload: str
    previous_hash: str
    entry_hash: str

    @property
    def time(self) -> datetime:
        """Return when it was done."""
        return from_microseconds(self.time_us)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return the payload as a mapping.

        Raises:
            AuditError: the payload was changed into something else.
        """
        try:
            loaded: Mapping[str, Any] = json.loads(self.payload)
        except ValueError as error:
            raise AuditError(f"audit entry {self.sequence} was changed after it was written") from error
        return loaded

    def as_json(self) -> dict[str, Any]:
        """Return the entry as JSON values, with its payload unpacked."""
        return {
            "sequence": self.sequence,
            "time": self.time.isoformat(),
            "actor": self.actor,
            "action": self.action,
            "object_kind": self.object_kind,
            "object_id": self.object_id,
            "payload": self.facts,
            "previous_hash": self.previous_hash,
            "entry_hash": self.entry_hash,
        }

    def computed_hash(self) -> str:
        """Return the hash that the fields of this entry have."""
        return entry_hash(
            self.sequence,
            self.time_us,
            self.actor,
            self.action,
            self.object_kind,
            self.object_id,
            self.payload,
            self.previous_hash,
        )


def entry_hash(*fields: int | str) -> str:
    """Return the SHA-256 of an entry's fields, in the order of `AuditEntry`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(fields).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a trail at some time. Written down elsewhere, it shows later what was cut off or rewritten."""

    sequence: int
    entry_hash: str

    def __str__(self) -> str:
        """Write as `SEQUENCE:HASH`."""
        return f"{self.sequence}:{self.entry_hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `SEQUENCE:HASH`.

        Raises:
            UsageError: the text is something else.
        """
        sequence, _, digest = text.strip().partition(":")
        if not sequence.isascii() or not sequence.isdigit() or len(digest) != len(GENESIS):
            raise UsageError(
                f"{text!r} is no head of an audit trail", hint="write what `stillwatch audit head` printed"
            )
        return cls(int(sequence), digest.lower())
