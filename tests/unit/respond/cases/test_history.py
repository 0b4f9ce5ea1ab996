"""Every entry of a case's history has a sentence of its own."""

from datetime import UTC, datetime

import pytest

from stillwatch.domain.cases import Figures
from stillwatch.domain.severity import Confidence, Label, Severity
from stillwatch.respond.audit import GENESIS, AuditEntry
from stillwatch.respond.cases.history import sentence, told
from stillwatch.respond.cases.replay import CaseAction, facts_of
from stillwatch.respond.store.columns import canonical_json

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIGURES = Figures(
    finding_id="f",
    label=Label.DISTILLATION,
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    q_value=0.01,
    first_seen=NOON,
    last_seen=NOON,
    exchanges=1_000,
    accounts=12,
    accounts_digest="0" * 64,
)
MORE = FIGURES.model_copy(update={"severity": Severity.HIGH, "exchanges": 2_000, "accounts": 20})

SAID: dict[CaseAction, tuple[dict[str, object], str]] = {
    CaseAction.OPENED: (
        {"campaign_id": "c", "figures": facts_of(FIGURES), "snapshot": "a"},
        "opened: medium, distillation-shaped demand, 12 accounts, 1,000 exchanges",
    ),
    CaseAction.UPDATED: (
        {"figures": facts_of(MORE), "joined": 9, "left": 1, "snapshot": None},
        "updated: high, distillation-shaped demand, 20 accounts, 2,000 exchanges",
    ),
    CaseAction.REOPENED: ({"reason": "new evidence"}, "reopened it: new evidence"),
    CaseAction.MOVED: ({"status": "awaiting_information"}, "set it to awaiting information"),
    CaseAction.ASSIGNED: ({"assignee": None}, "assigned it to nobody"),
    CaseAction.NOTED: ({"number": 3, "digest": "a"}, "wrote note 3"),
    CaseAction.NOTE_ERASED: ({"number": 3, "reason": "a name"}, "erased note 3: a name"),
    CaseAction.LABELED: (
        {
            "label_id": 7,
            "label": "benign",
            "whole": False,
            "accounts": 2,
            "accounts_digest": "",
            "reason": "students",
        },
        "labeled 2 accounts benign (label 7): students",
    ),
    CaseAction.UNLABELED: ({"label_id": 7, "reason": "no"}, "withdrew label 7: no"),
    CaseAction.TRIAGED: (
        {"triage": "false_positive", "false_positive_reason": "classroom", "evidence": "a"},
        "called it a false positive: a course or a competition",
    ),
    CaseAction.CLOSED: ({"reason": "done", "evidence": "a"}, "closed it: done"),
    CaseAction.SNOOZED: (
        {"until": "2026-12-01T00:00:00+00:00", "reason": "later", "evidence": "a"},
        "snoozed it until 2026-12-01 00:00 UTC: later",
    ),
    CaseAction.WOKEN: ({"reason": "now"}, "ended the snooze: now"),
    CaseAction.LINKED: ({"decision_id": "d-1", "evidence": "a"}, "linked decision d-1"),
}


def entry(action: CaseAction, facts: dict[str, object]) -> AuditEntry:
    return AuditEntry(
        1, 0, "person:alice", action.value, "case", "case-1", canonical_json(facts), GENESIS, GENESIS
    )


@pytest.mark.parametrize("action", CaseAction)
def test_each_action_is_told_in_words(action: CaseAction) -> None:
    facts, said = SAID[action]
    assert sentence(entry(action, facts)) == said


def test_an_update_says_what_is_different() -> None:
    history = [entry(action, SAID[action][0]) for action in (CaseAction.OPENED, CaseAction.UPDATED)]
    assert [said for _, said in told(history)][1] == (
        "updated: severity medium → high, exchanges 1,000 → 2,000, 9 accounts joined, 1 account left"
    )


def test_what_people_wrote_is_inert() -> None:
    assert "\u202e" not in sentence(entry(CaseAction.CLOSED, {"reason": "\u202e", "evidence": "a"}))
