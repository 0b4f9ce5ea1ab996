"""The audit trail: append-only, hash-chained, one entry for every fact that was written, in the same transaction.

    trail = AuditTrail(store, clock)
    with trail.writing("person:alice") as write:
        write.connection.execute(...)
        write.record("case.assigned", "case", "case-1", {"assignee": "bob"})

Leaving the block commits both or neither. A block that wrote without `record` raises: that is a bug. The sequence of
the entries is also how others learn what changed: `trail.since(sequence, kinds=("decision",))`.
"""

from stillwatch.respond.audit.chain import GENESIS, AuditEntry, Head
from stillwatch.respond.audit.trail import AuditTrail, Write
from stillwatch.respond.audit.verifying import Break, BreakKind, Verification, verify

__all__ = [
    "GENESIS",
    "AuditEntry",
    "AuditTrail",
    "Break",
    "BreakKind",
    "Head",
    "Verification",
    "Write",
    "verify",
]
