"""Appeals: a customer objects, and a person who did not take the decision answers."""

import random
from typing import Final

from sqlalchemy import insert, select, update

from stillwatch.domain.cases import CaseLabel
from stillwatch.domain.decisions import Appeal, AppealOutcome, is_person
from stillwatch.errors import DecisionError
from stillwatch.respond.audit import Write
from stillwatch.respond.cases import accounts_of, add_label, label_accounts
from stillwatch.respond.cases.wording import digest_of
from stillwatch.respond.decisions.planning import new_id
from stillwatch.respond.decisions.reading import appeal_of, decision_of
from stillwatch.respond.decisions.taking import release, revised
from stillwatch.respond.decisions.wording import MAX_STATEMENT, named, said
from stillwatch.respond.store.decision_tables import appeals

KIND: Final = "appeal"
"""The kind of object under which the trail keeps appeals."""


def open_appeal(
    write: Write, decision_id: str, account_id: str, statement: str, *, rng: random.Random
) -> Appeal:
    """Open an appeal. The decision goes on until a person has answered.

    Args:
        write: The open transaction; its actor is who received the appeal.
        decision_id: What is appealed against.
        account_id: Who appeals.
        statement: What the customer says.
        rng: Draws the id.

    Raises:
        DecisionError: the decision does not touch the account, or an appeal is open already.
    """
    decision = decision_of(write.connection, decision_id)
    if account_id not in decision.accounts:
        raise DecisionError(f"the decision was not about the account {account_id!r}")
    _refuse_second(write, decision_id, account_id)
    appeal = Appeal(
        appeal_id=new_id("appeal", rng),
        decision_id=decision_id,
        account_id=account_id,
        statement=said(statement, "an appeal needs a statement", MAX_STATEMENT),
        opened_at=write.now,
    )
    facts = {
        "decision_id": decision_id,
        "account_id": named(account_id),
        "statement_digest": digest_of(appeal.statement),  # a customer's words can be erased, the trail cannot
    }
    write.record("appeal.opened", KIND, appeal.appeal_id, facts)
    write.connection.execute(
        insert(appeals).values(
            appeal_id=appeal.appeal_id,
            decision_id=decision_id,
            account_id=account_id,
            outcome=appeal.outcome.value,
            opened_at=appeal.opened_at,
            record=appeal.model_dump(mode="json"),
        )
    )
    return appeal


def answer_appeal(
    write: Write,
    appeal_id: str,
    outcome: AppealOutcome,
    answer: str,
    *,
    label: CaseLabel | None = None,
) -> Appeal:
    """Answer an appeal; reinstating lets the account go and labels it.

    Args:
        write: The open transaction; its actor is the person who answers.
        appeal_id: Which appeal.
        outcome: `kept` or `reinstated`.
        answer: What the customer is told.
        label: What the account really is. Benign unless said otherwise when it is reinstated; when the decision is
            kept, nothing is labeled unless a label is given.

    Raises:
        DecisionError: it was answered already, or the person is not allowed to answer.
    """
    appeal = appeal_of(write.connection, appeal_id)
    if appeal.outcome is not AppealOutcome.OPEN or outcome is AppealOutcome.OPEN:
        raise DecisionError("an appeal is answered once, with kept or reinstated")
    _require_another_person(write, appeal)
    text = said(answer, "the customer is owed an answer")
    changes = {"outcome": outcome, "answer": text, "answered_by": write.actor, "answered_at": write.now}
    after = revised(appeal, changes)
    write.record("appeal.answered", KIND, appeal_id, {"outcome": outcome.value, "answer": text})
    write.connection.execute(
        update(appeals)
        .where(appeals.c.appeal_id == appeal_id)
        .values(outcome=outcome.value, answered_at=write.now, record=after.model_dump(mode="json"))
    )
    if outcome is AppealOutcome.REINSTATED:
        _reinstate(write, after)
    _label(write, after, label)
    return after


def _refuse_second(write: Write, decision_id: str, account_id: str) -> None:
    waiting = write.connection.execute(
        select(appeals.c.appeal_id).where(
            appeals.c.decision_id == decision_id,
            appeals.c.account_id == account_id,
            appeals.c.outcome == AppealOutcome.OPEN.value,
        )
    ).scalar()
    if waiting is not None:
        raise DecisionError("an appeal of this account is open already", hint=f"answer {waiting}")


def _require_another_person(write: Write, appeal: Appeal) -> None:
    """Nobody judges their own decision."""
    if not is_person(write.actor):
        raise DecisionError("a person answers an appeal", hint="say who you are: person:NAME")
    decision = decision_of(write.connection, appeal.decision_id)
    if write.actor == decision.author:
        raise DecisionError(
            "the person who took a decision does not answer the appeal against it", hint="ask somebody else"
        )


def _reinstate(write: Write, appeal: Appeal) -> None:
    decision = decision_of(write.connection, appeal.decision_id)
    if decision.undone_at is None and decision.ends_at > write.now and appeal.account_id in decision.bound:
        release(write, appeal.decision_id, appeal.account_id, f"appeal {appeal.appeal_id} was granted")


def _label(write: Write, appeal: Appeal, label: CaseLabel | None) -> None:
    """Let detection and playbooks know what a person found out about the account."""
    if label is None and appeal.outcome is AppealOutcome.REINSTATED:
        label = CaseLabel.BENIGN
    if label is None:
        return
    reason = f"appeal {appeal.appeal_id}: {appeal.outcome}"
    case_id = decision_of(write.connection, appeal.decision_id).case_id
    if case_id is not None and appeal.account_id in accounts_of(write.connection, case_id):
        add_label(write, case_id, label, reason, accounts=(appeal.account_id,))
    else:
        label_accounts(write, label, (appeal.account_id,), reason)
