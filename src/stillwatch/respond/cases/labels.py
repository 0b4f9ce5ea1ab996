"""Labels: what people know of accounts. They are withdrawn, never deleted."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from stillwatch.domain.cases import Case, CaseLabel, KnownLabel
from stillwatch.domain.labels import LabeledAccounts
from stillwatch.errors import CaseError, CaseStateError, UnknownCaseError
from stillwatch.respond.audit import Write
from stillwatch.respond.cases import rows
from stillwatch.respond.cases.changes import case_to_change
from stillwatch.respond.cases.evidence import commit
from stillwatch.respond.cases.replay import CaseAction
from stillwatch.respond.cases.wording import MAX_REASON, digest_of_names, linted
from stillwatch.respond.store import Store
from stillwatch.respond.store.bulk import insert_many
from stillwatch.respond.store.case_tables import case_label_accounts, case_labels, cases

ORDINARY: Final = frozenset({CaseLabel.BENIGN, CaseLabel.AUTHORIZED})
"""Labels of accounts that are left alone, and that others may be compared with."""

_LARGEST_ID: Final = 2**31 - 1
LABEL = "label"
"""The kind of object under which the trail keeps labels that belong to no case."""


def add_label(
    write: Write,
    name: str,
    label: CaseLabel,
    reason: str,
    *,
    accounts: Collection[str] = (),
    version: int | None = None,
) -> Case:
    """Label a case as it is now, or some of its accounts.

    Accounts that join later are not covered: an adversary must not inherit a benign label by joining. Labeling again
    renews a label for the accounts of that time.

    Args:
        write: The open transaction.
        name: The case's or the campaign's id.
        label: What it is.
        reason: Why.
        accounts: Some accounts of the case; none named means the whole case.
        version: The version that was looked at, or None.

    Raises:
        CaseError: the label contradicts one in force, or an account does not belong to the case.
    """
    case = case_to_change(write, name, version)
    members = rows.accounts_of(write.connection, case.case_id)
    if strangers := sorted(set(accounts) - set(members)):
        raise UnknownCaseError(
            f"{case.case_id} has no account {strangers[0]!r}", hint="name accounts of this case"
        )
    if not accounts:
        _refuse_contradiction(case, label)
        case = _withdraw_same(write, case, label)
    chosen, whole = tuple(sorted(set(accounts))) or members, not accounts
    text = linted(reason, "a reason", MAX_REASON)
    label_id = _insert(write, label, chosen, text, case_id=case.case_id, whole=whole)
    facts: dict[str, object] = {
        "label_id": label_id,
        "label": label.value,
        "whole": whole,
        "accounts": len(chosen),
        "accounts_digest": digest_of_names(chosen),
        "reason": text,
        "evidence": case.snapshot.digest,
    }
    return commit(write, case, CaseAction.LABELED, facts)


def withdraw_label(
    write: Write, name: str, label: CaseLabel | int, reason: str, *, version: int | None = None
) -> Case:
    """Take a label back; that it was given stays.

    Args:
        write: The open transaction.
        name: The case's or the campaign's id.
        label: The label of the whole case, or the number of any label on it.
        reason: Why.
        version: The version that was looked at, or None.

    Raises:
        CaseError: the case does not carry it.
    """
    case = case_to_change(write, name, version)
    named = [m for m in case.labels if label == m.label_id or (m.whole and label is m.label)]
    if not named:
        raise UnknownCaseError(
            f"{case.case_id} is not labeled {label}", hint="`stillwatch case show` lists its labels"
        )
    return _withdraw(write, case, named[0].label_id, linted(reason, "a reason", MAX_REASON))


def label_accounts(write: Write, label: CaseLabel, accounts: Collection[str], reason: str) -> int:
    """Label accounts that belong to no case, such as one that an appeal reinstated.

    Returns:
        The label's number.
    """
    if not accounts:
        raise CaseError("a label needs accounts")
    text = linted(reason, "a reason", MAX_REASON)
    chosen = tuple(sorted(set(accounts)))
    label_id = _insert(write, label, chosen, text, case_id=None, whole=False)
    facts = {
        "label": label.value,
        "accounts": len(chosen),
        "accounts_digest": digest_of_names(chosen),
        "reason": text,
    }
    write.record("label.given", LABEL, str(label_id), facts)
    return label_id


def withdraw_account_label(write: Write, label_id: int, reason: str) -> KnownLabel:
    """Take back a label that belongs to no case; that it was given stays.

    Returns:
        The label, with its end.

    Raises:
        UnknownCaseError: no label in force has this number, or it belongs to a case.
    """
    text = linted(reason, "a reason", MAX_REASON)
    row = (case_labels.c.label_id == label_id, case_labels.c.case_id.is_(None), case_labels.c.until.is_(None))
    if (
        label_id > _LARGEST_ID
        or write.connection.execute(select(case_labels.c.label_id).where(*row)).first() is None
    ):
        raise UnknownCaseError(
            f"no label {label_id} stands without a case",
            hint="a label on a case is withdrawn through its case",
        )
    write.connection.execute(update(case_labels).where(*row).values(until=write.now))
    write.record("label.withdrawn", LABEL, str(label_id), {"reason": text})
    return next(known for known in _known(write.connection, None) if known.label_id == label_id)


def labels_of(store: Store, *, as_of: datetime | None = None) -> tuple[KnownLabel, ...]:
    """Return labels in the order in which they were given.

    An account may carry several. Where they disagree, one that names single accounts beats one for a whole case, and
    a later one beats an earlier one: `label_of_each` does that.

    Args:
        store: The store.
        as_of: Only labels in force at this time; None returns withdrawn ones too.
    """
    with store.reading() as connection:
        return tuple(_known(connection, as_of))


def label_of_each(labels: Collection[KnownLabel]) -> dict[str, KnownLabel]:
    """Return the one label that counts for each account.

    Args:
        labels: Labels in force, as `labels_of(store, as_of=now)` returns them.
    """
    return {name: known for known in sorted(labels, key=_weight) for name in known.accounts}


def labeled_accounts(labels: Collection[KnownLabel]) -> LabeledAccounts:
    """Return what calibration learns from labels.

    Args:
        labels: Labels in force, as `labels_of(store, as_of=now)` returns them.
    """
    said = label_of_each(labels)
    return LabeledAccounts(
        ordinary=frozenset(name for name, known in said.items() if known.label in ORDINARY),
        hostile=frozenset(name for name, known in said.items() if known.label is CaseLabel.TRUE_CAMPAIGN),
    )


def _weight(known: KnownLabel) -> tuple[bool, datetime, int]:
    return (not known.whole, known.since, known.label_id)


def _known(connection: Connection, as_of: datetime | None) -> Iterator[KnownLabel]:
    query = select(case_labels, cases.c.campaign_id).join(
        cases, cases.c.case_id == case_labels.c.case_id, isouter=True
    )
    named = select(case_label_accounts)
    if as_of is not None:
        until = case_labels.c.until
        in_force = (case_labels.c.since <= as_of) & (until.is_(None) | (until > as_of))
        query = query.where(in_force)
        named = named.join(case_labels).where(in_force)
    accounts: dict[int, list[str]] = {}
    for row in connection.execute(named):
        accounts.setdefault(row.label_id, []).append(row.account_id)
    for row in connection.execute(query.order_by(case_labels.c.label_id)):
        yield KnownLabel(**_fields(row), accounts=tuple(sorted(accounts[row.label_id])))


def _fields(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def accounts_labeled(connection: Connection, label_id: int) -> tuple[str, ...]:
    """Return the accounts that a label names, sorted."""
    query = select(case_label_accounts.c.account_id).where(case_label_accounts.c.label_id == label_id)
    return tuple(sorted(connection.execute(query).scalars()))


def _refuse_contradiction(case: Case, label: CaseLabel) -> None:
    for mark in case.labels:
        if mark.whole and label.contradicts(mark.label):
            raise CaseStateError(
                f"{case.case_id} is labeled {mark.label.phrase}, which {label.phrase} contradicts",
                hint=f"withdraw it first: stillwatch case unlabel {case.case_id} {mark.label} --reason ...",
            )


def _withdraw_same(write: Write, case: Case, label: CaseLabel) -> Case:
    """Take back an earlier label of the whole case that says the same of the accounts of its time."""
    same = next((mark for mark in case.labels if mark.whole and mark.label is label), None)
    return case if same is None else _withdraw(write, case, same.label_id, "renewed")


def _withdraw(write: Write, case: Case, label_id: int, reason: str) -> Case:
    row = case_labels.c.label_id == label_id
    write.connection.execute(update(case_labels).where(row).values(until=write.now))
    return commit(write, case, CaseAction.UNLABELED, {"label_id": label_id, "reason": reason})


def _insert(
    write: Write,
    label: CaseLabel,
    accounts: Collection[str],
    reason: str,
    *,
    case_id: str | None,
    whole: bool,
) -> int:
    """Write a label and the accounts it names; return its number."""
    connection = write.connection
    query = select(func.coalesce(func.max(case_labels.c.label_id), 0) + 1)
    label_id = int(connection.execute(query).scalar_one())
    row = {
        "label_id": label_id,
        "label": label.value,
        "whole": whole,
        "case_id": case_id,
        "author": write.actor,
        "reason": reason,
        "since": write.now,
    }
    connection.execute(insert(case_labels).values(row))
    named = [{"label_id": label_id, "account_id": name} for name in accounts]
    insert_many(connection, case_label_accounts, named)
    return label_id
