"""Cases: a campaign under an analyst's hands.

Every function that changes something takes the open transaction of `AuditTrail.writing`, writes one entry of the
trail for each change, and returns the case as it is then:

    with trail.writing("person:alice") as write:
        case = record_finding(write, finding).case
        assign(write, case.case_id, "person:bob", version=case.version)

Readers take a connection of `Store.reading` and see one snapshot.
"""

from stillwatch.respond.cases.changes import (
    add_note,
    assign,
    close,
    erase_note,
    link_decision,
    move,
    reopen,
    snooze,
    triage,
    wake,
)
from stillwatch.respond.cases.evidence import Change, Recorded, record_finding
from stillwatch.respond.cases.labels import (
    add_label,
    label_accounts,
    label_of_each,
    labeled_accounts,
    labels_of,
    withdraw_account_label,
    withdraw_label,
)
from stillwatch.respond.cases.replay import CaseAction, replayed
from stillwatch.respond.cases.rows import accounts_of, find, finding_in, notes_of, snapshot

__all__ = [
    "CaseAction",
    "Change",
    "Recorded",
    "accounts_of",
    "add_label",
    "add_note",
    "assign",
    "close",
    "erase_note",
    "find",
    "finding_in",
    "label_accounts",
    "label_of_each",
    "labeled_accounts",
    "labels_of",
    "link_decision",
    "move",
    "notes_of",
    "record_finding",
    "reopen",
    "replayed",
    "snapshot",
    "snooze",
    "triage",
    "wake",
    "withdraw_account_label",
    "withdraw_label",
]
