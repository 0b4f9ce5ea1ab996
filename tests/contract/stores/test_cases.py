"""Cases follow findings, carry what people know, and forget nothing."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Executable, delete, text, update

from stillwatch.domain.cases import Case, CaseLabel, CaseStatus, FalsePositiveReason, Triage
from stillwatch.domain.findings import Finding, TimelinePoint
from stillwatch.domain.severity import Severity
from stillwatch.errors import CaseConflictError, CaseError, UnknownCaseError
from stillwatch.respond import cases
from stillwatch.respond.audit import AuditTrail, Write
from stillwatch.respond.cases import Change, Recorded, rows
from stillwatch.respond.cases.evidence import record_findings
from stillwatch.respond.cases.labels import label_of_each, labels_of
from stillwatch.respond.cases.listing import chosen
from stillwatch.respond.cases.statistics import statistics_of
from stillwatch.respond.cases.verifying import differences
from stillwatch.respond.cases.whole import kept_finding, whole_case
from stillwatch.respond.store import Store
from stillwatch.respond.store.case_tables import (
    case_accounts,
    case_label_accounts,
    case_notes,
    case_snapshots,
    cases as case_rows,
)

ALICE = "person:alice"


@pytest.fixture
def do(trail: AuditTrail) -> Callable[[Callable[[Write], Case]], Case]:
    """Return a runner of one change in a transaction of its own."""

    def run(change: Callable[[Write], Case]) -> Case:
        with trail.writing(ALICE) as write:
            return change(write)

    return run


Do = Callable[[Callable[[Write], Case]], Case]
Wait = Callable[[timedelta], None]


def found(trail: AuditTrail, finding: Finding) -> Recorded:
    with trail.writing("system:detection") as write:
        return cases.record_finding(write, finding)


def grown(finding: Finding, *, accounts: int = 0, factor: float = 1.0, **changes: object) -> Finding:
    """Return the same campaign later."""
    more = tuple(f"new-{number}" for number in range(accounts))
    return finding.model_copy(
        update={
            "accounts": (*finding.accounts, *more),
            "exchanges": int(finding.exchanges * factor),
            "last_seen": finding.last_seen + timedelta(hours=1),
            **changes,
        }
    )


def accounts_in(store: Store, name: str = "case-1") -> set[str]:
    with store.reading() as connection:
        return set(rows.accounts_of(connection, name))


def actions(trail: AuditTrail, name: str = "case-1") -> list[str]:
    return [entry.action.removeprefix("case.") for entry in trail.of("case", name)]


def test_a_finding_opens_a_case(store: Store, trail: AuditTrail, finding: Finding) -> None:
    recorded = found(trail, finding)
    assert recorded.change is Change.OPENED
    assert recorded.case.status is CaseStatus.OPEN
    assert recorded.case.figures.exchanges == finding.exchanges
    assert accounts_in(store) == set(finding.accounts)
    assert differences(store) == ()


def test_the_same_finding_again_changes_nothing(trail: AuditTrail, finding: Finding) -> None:
    found(trail, finding)
    assert found(trail, finding).change is Change.UNCHANGED
    assert actions(trail) == ["opened"]


def test_an_older_finding_changes_nothing(trail: AuditTrail, finding: Finding) -> None:
    found(trail, grown(finding, accounts=5))
    assert found(trail, finding).change is Change.UNCHANGED


def test_one_campaign_is_one_case_and_others_have_their_own(trail: AuditTrail, finding: Finding) -> None:
    found(trail, finding)
    found(trail, grown(finding, accounts=1))
    other = found(trail, finding.model_copy(update={"campaign_id": "another"}))
    assert other.case.case_id == "case-2"


def test_accounts_join_and_leave_with_the_findings(store: Store, trail: AuditTrail, finding: Finding) -> None:
    found(trail, finding)
    smaller = grown(finding, accounts=2)
    smaller = smaller.model_copy(update={"accounts": smaller.accounts[1:]})
    assert found(trail, smaller).change is Change.UPDATED
    assert accounts_in(store) == set(smaller.accounts)
    found(
        trail,
        grown(smaller, last_seen=smaller.last_seen, accounts=0).model_copy(
            update={"accounts": finding.accounts}
        ),
    )
    assert accounts_in(store) == set(finding.accounts)
    assert differences(store) == ()


def test_a_change_of_severity_is_kept_word_for_word(
    store: Store, trail: AuditTrail, finding: Finding
) -> None:
    first = found(trail, finding).case
    second = found(trail, grown(finding, severity=Severity.CRITICAL)).case
    assert second.snapshot.digest != first.snapshot.digest
    with store.reading() as connection:
        kept = json.loads(kept_finding(connection, "case-1", first.snapshot.digest))
        assert kept["severity"] == finding.severity.value
        assert rows.finding_in(connection, second).severity is Severity.CRITICAL


def test_a_campaign_that_is_found_each_minute_is_kept_word_for_word_once_an_hour(
    trail: AuditTrail, finding: Finding, wait: Wait
) -> None:
    digests = set()
    for _ in range(90):
        finding = grown(finding, factor=1.0005)
        digests.add(found(trail, finding).case.snapshot.digest)
        wait(timedelta(seconds=59))
    assert len(digests) == 2
    assert len(actions(trail)) == 2


def test_a_closed_case_opens_again_with_new_evidence(trail: AuditTrail, finding: Finding, do: Do) -> None:
    found(trail, finding)
    do(lambda write: cases.close(write, "case-1", "customers of a school"))
    assert found(trail, finding).change is Change.UNCHANGED
    assert found(trail, grown(finding, accounts=1)).case.is_closed  # one account more is not worth it
    recorded = found(trail, grown(finding, accounts=60))
    assert recorded.change is Change.REOPENED
    assert recorded.case.closing is None


def days_after(finding: Finding, exchanges: int) -> tuple[TimelinePoint, ...]:
    day = finding.last_seen.date() + timedelta(days=1)
    return (*finding.timeline, TimelinePoint(day=day, exchanges=exchanges, accounts=9, output_tokens=1))


def test_a_closed_campaign_that_goes_on_as_before_opens_again_even_in_a_window_that_slides(
    trail: AuditTrail, finding: Finding, do: Do
) -> None:
    found(trail, finding)
    do(lambda write: cases.close(write, "case-1", "we asked them to stop"))
    smaller = grown(finding, factor=0.8)  # the first days have left the window
    assert found(trail, smaller).case.is_closed
    on = smaller.model_copy(update={"timeline": days_after(finding, finding.exchanges // 5)})
    assert found(trail, on).change is Change.REOPENED


def test_a_false_positive_may_go_on_as_it_is(trail: AuditTrail, finding: Finding, do: Do) -> None:
    found(trail, finding)
    do(lambda write: cases.triage(write, "case-1", Triage.FALSE_POSITIVE, FalsePositiveReason.BATCH_PIPELINE))
    do(lambda write: cases.close(write, "case-1", "a pipeline"))
    on = grown(finding, factor=3.0, timeline=days_after(finding, finding.exchanges))
    assert found(trail, on).case.is_closed
    assert found(trail, grown(on, severity=Severity.CRITICAL)).change is Change.REOPENED


def test_accounts_that_come_back_are_not_new(trail: AuditTrail, finding: Finding, do: Do) -> None:
    found(trail, finding)
    half = grown(finding).model_copy(update={"accounts": finding.accounts[:100]})
    found(trail, half)
    do(lambda write: cases.close(write, "case-1", "done"))
    whole = grown(half).model_copy(update={"accounts": finding.accounts})
    assert found(trail, whole).case.is_closed


def test_a_snoozed_case_stays_closed_until_the_snooze_ends(
    trail: AuditTrail, finding: Finding, do: Do, wait: Wait
) -> None:
    start = found(trail, finding).case.updated_at
    do(lambda write: cases.close(write, "case-1", "a study that will end"))
    do(lambda write: cases.snooze(write, "case-1", start + timedelta(days=7), "until the study ends"))
    bigger = grown(finding, accounts=60)
    assert found(trail, bigger).case.is_closed
    wait(timedelta(days=8))
    assert found(trail, bigger).change is Change.REOPENED


def test_a_snooze_has_an_end_within_a_year_and_can_be_ended(
    trail: AuditTrail, finding: Finding, do: Do
) -> None:
    now = found(trail, finding).case.updated_at
    for until in (now, now + timedelta(days=400)):
        with pytest.raises(CaseError, match="within a year"):
            do(lambda write, until=until: cases.snooze(write, "case-1", until, "busy"))  # type: ignore[misc]
    assert do(lambda write: cases.snooze(write, "case-1", now + timedelta(days=1), "busy")).is_snoozed(now)
    assert do(lambda write: cases.wake(write, "case-1", "not busy")).snooze is None


def test_a_change_made_for_an_older_version_is_refused_and_nothing_is_written(
    trail: AuditTrail, finding: Finding, do: Do
) -> None:
    seen = found(trail, finding).case.version
    do(lambda write: cases.assign(write, "case-1", "person:bob", version=seen))
    with pytest.raises(CaseConflictError, match="version 2 now; this change was made for version 1"):
        do(lambda write: cases.close(write, "case-1", "nothing to see", version=seen))
    assert actions(trail) == ["opened", "assigned"]


def test_a_case_is_found_by_its_campaign_too_and_an_unknown_one_is_an_error(
    trail: AuditTrail, finding: Finding, do: Do
) -> None:
    found(trail, finding)
    assert (
        do(lambda write: cases.move(write, finding.campaign_id, CaseStatus.INVESTIGATING)).case_id == "case-1"
    )
    with pytest.raises(UnknownCaseError):
        do(lambda write: cases.move(write, "case-99", CaseStatus.OPEN))


def test_a_closed_case_is_reopened_before_it_is_worked_on(
    trail: AuditTrail, finding: Finding, do: Do
) -> None:
    found(trail, finding)
    do(lambda write: cases.close(write, "case-1", "done"))
    with pytest.raises(CaseError, match="is closed"):
        do(lambda write: cases.assign(write, "case-1", "person:bob"))
    assert do(lambda write: cases.reopen(write, "case-1", "not done")).status is CaseStatus.OPEN
    with pytest.raises(CaseError, match="not closed"):
        do(lambda write: cases.reopen(write, "case-1", "again"))


def test_triage_has_three_states_and_a_reason_for_one_of_them(
    trail: AuditTrail, finding: Finding, do: Do
) -> None:
    assert found(trail, finding).case.triage is Triage.NOT_TRIAGED
    with pytest.raises(CaseError, match="has a reason"):
        do(lambda write: cases.triage(write, "case-1", Triage.FALSE_POSITIVE))
    with pytest.raises(CaseError, match="nothing else"):
        do(lambda write: cases.triage(write, "case-1", Triage.TRUE_POSITIVE, FalsePositiveReason.CLASSROOM))
    case = do(
        lambda write: cases.triage(write, "case-1", Triage.FALSE_POSITIVE, FalsePositiveReason.CLASSROOM)
    )
    assert case.triaged_on == case.snapshot.digest
    case = do(lambda write: cases.triage(write, "case-1", Triage.NOT_TRIAGED))
    assert (case.false_positive_reason, case.triaged_at, case.triaged_on) == (None, None, None)


def test_reviews_count_the_evidence_that_the_reviewer_saw(
    store: Store, trail: AuditTrail, finding: Finding, do: Do
) -> None:
    found(trail, finding)
    do(lambda write: cases.triage(write, "case-1", Triage.TRUE_POSITIVE))
    found(trail, grown(finding, severity=Severity.CRITICAL, evidence=finding.evidence[:1]))
    with store.reading() as connection:
        counted = {row.name for row in statistics_of(connection).evidence}
    assert counted == {item.name for item in finding.evidence if item.nats > 0}
    assert len(counted) > 1


def test_labels_are_given_withdrawn_and_remembered(
    store: Store, trail: AuditTrail, finding: Finding, do: Do
) -> None:
    found(trail, finding)
    given = do(lambda write: cases.add_label(write, "case-1", CaseLabel.BENIGN, "a course"))
    assert [mark.label for mark in given.labels] == [CaseLabel.BENIGN]
    with pytest.raises(CaseError, match="contradicts"):
        do(lambda write: cases.add_label(write, "case-1", CaseLabel.TRUE_CAMPAIGN, "no"))
    after = do(lambda write: cases.withdraw_label(write, "case-1", CaseLabel.BENIGN, "it was not"))
    assert after.labels == ()
    (known,) = labels_of(store)
    assert known.until == after.updated_at
    assert known.accounts == tuple(sorted(finding.accounts))
    assert labels_of(store, as_of=after.updated_at) == ()
    assert labels_of(store, as_of=given.updated_at)[0].label is CaseLabel.BENIGN
    with pytest.raises(CaseError, match="not labeled"):
        do(lambda write: cases.withdraw_label(write, "case-1", CaseLabel.BENIGN, "again"))


def test_who_joins_later_does_not_inherit_a_label(
    store: Store, trail: AuditTrail, finding: Finding, do: Do
) -> None:
    found(trail, finding)
    do(lambda write: cases.add_label(write, "case-1", CaseLabel.BENIGN, "a course"))
    found(trail, grown(finding, accounts=3))
    assert "new-0" not in label_of_each(labels_of(store))
    renewed = do(lambda write: cases.add_label(write, "case-1", CaseLabel.BENIGN, "they too"))
    assert len(renewed.labels) == 1
    assert label_of_each(labels_of(store, as_of=renewed.updated_at))["new-0"].label is CaseLabel.BENIGN
    assert differences(store) == ()


def test_a_label_on_some_accounts_beats_the_label_of_the_case(
    store: Store, trail: AuditTrail, finding: Finding, do: Do
) -> None:
    found(trail, finding)
    some = finding.accounts[:2]
    do(lambda write: cases.add_label(write, "case-1", CaseLabel.BENIGN, "bystanders", accounts=some))
    after = do(lambda write: cases.add_label(write, "case-1", CaseLabel.TRUE_CAMPAIGN, "the rest"))
    each = label_of_each(labels_of(store, as_of=after.updated_at))
    assert {name: each[name].label for name in some} == dict.fromkeys(some, CaseLabel.BENIGN)
    assert each[finding.accounts[5]].label is CaseLabel.TRUE_CAMPAIGN
    with pytest.raises(CaseError, match="has no account 'stranger'"):
        do(lambda write: cases.add_label(write, "case-1", CaseLabel.BENIGN, "who?", accounts=("stranger",)))


def test_accounts_without_a_case_can_be_labeled(store: Store, trail: AuditTrail) -> None:
    with trail.writing(ALICE) as write:
        number = cases.label_accounts(write, CaseLabel.BENIGN, ("a", "b"), "reinstated on appeal")
    (known,) = labels_of(store)
    assert (known.label_id, known.accounts, known.case_id) == (number, ("a", "b"), None)
    with trail.writing(ALICE) as write:
        withdrawn = cases.withdraw_account_label(write, number, "the appeal was a lie")
        with pytest.raises(UnknownCaseError, match="without a case"):
            cases.withdraw_account_label(write, number, "again")
    assert labels_of(store) == (withdrawn,)
    assert labels_of(store, as_of=withdrawn.until) == ()


@pytest.mark.parametrize(
    "text",
    ["", "   ", "x" * 4_001, "bell\x07", "key sk-abcdefghijklmnop1234"],
    ids=["empty", "blank", "long", "control", "key"],
)
def test_a_note_is_short_printable_text_without_credentials(
    trail: AuditTrail, finding: Finding, do: Do, text: str
) -> None:
    found(trail, finding)
    with pytest.raises(CaseError):
        do(lambda write: cases.add_note(write, "case-1", text))
    assert actions(trail) == ["opened"]


def test_a_note_can_be_erased_and_the_trail_still_holds(
    store: Store, trail: AuditTrail, finding: Finding, do: Do
) -> None:
    found(trail, finding)
    do(lambda write: cases.add_note(write, "case-1", "Ms. Roe of Example Labs called"))
    assert all("Roe" not in entry.payload for entry in trail.of("case", "case-1"))
    do(lambda write: cases.erase_note(write, "case-1", 1, "names a person"))
    with store.reading() as connection:
        (note,) = rows.notes_of(connection, "case-1")
    assert note.text is None
    assert differences(store) == ()
    with pytest.raises(CaseError, match="has no note 1"):
        do(lambda write: cases.erase_note(write, "case-1", 1, "again"))


def test_a_decision_is_linked_once(trail: AuditTrail, finding: Finding, do: Do) -> None:
    found(trail, finding)
    for _ in range(2):
        assert do(lambda write: cases.link_decision(write, "case-1", "decision-7")).decisions == (
            "decision-7",
        )


def test_findings_below_the_severity_open_no_case_and_still_update_theirs(
    trail: AuditTrail, finding: Finding
) -> None:
    low = finding.model_copy(update={"severity": Severity.LOW})
    with trail.writing(ALICE) as write:
        assert record_findings(write, [low]) == ()
        assert len(record_findings(write, [low], campaign=low.campaign_id)) == 1
        assert len(record_findings(write, [grown(low, accounts=1)])) == 1
        with pytest.raises(CaseError, match="no finding is of"):
            record_findings(write, [low], campaign="nobody")


def test_the_list_shows_what_asks_for_time_worst_first(
    store: Store, trail: AuditTrail, finding: Finding, do: Do
) -> None:
    for number, severity in enumerate((Severity.LOW, Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)):
        found(trail, finding.model_copy(update={"campaign_id": f"campaign-{number}", "severity": severity}))
    do(lambda write: cases.close(write, "case-3", "done"))
    case = do(lambda write: cases.snooze(write, "case-4", finding.last_seen.replace(year=2027), "later"))
    with store.reading() as connection:
        shown, hidden = chosen(connection, case.updated_at)
        assert ([each.case_id for each in shown], hidden) == (["case-2", "case-1"], 2)
        everything, _ = chosen(connection, case.updated_at, everything=True)
        assert [each.case_id for each in everything] == ["case-2", "case-4", "case-1", "case-3"]


def test_an_account_id_that_is_none_is_an_error(trail: AuditTrail, finding: Finding) -> None:
    with pytest.raises(CaseError, match="more than 512 characters"):
        found(trail, finding.model_copy(update={"accounts": ("x" * 513,)}))


def test_hostile_account_ids_are_kept_as_they_are(store: Store, trail: AuditTrail, finding: Finding) -> None:
    hostile = ("nul\x00", "\ud800", "'; DROP TABLE cases; --", "x" * 512, "\U0001f600" * 512)
    found(trail, finding.model_copy(update={"accounts": hostile}))
    assert accounts_in(store) == set(hostile)
    assert differences(store) == ()


def test_a_campaign_of_25000_accounts_is_one_case(store: Store, trail: AuditTrail, finding: Finding) -> None:
    many = tuple(f"account-{number}" for number in range(25_000))
    found(trail, finding.model_copy(update={"accounts": many}))
    found(trail, grown(finding, accounts=0).model_copy(update={"accounts": many[100:]}))
    assert len(accounts_in(store)) == 24_900
    assert differences(store) == ()


def test_everything_of_a_case_is_read_in_one_snapshot(
    store: Store, trail: AuditTrail, finding: Finding
) -> None:
    found(trail, finding)
    with store.reading() as connection:
        whole = whole_case(connection, "case-1")
        with pytest.raises(UnknownCaseError):
            whole_case(connection, "case-2")
        with pytest.raises(UnknownCaseError, match="kept no finding"):
            kept_finding(connection, "case-1", "0" * 64)
    assert whole.finding == finding
    assert json.loads(json.dumps(whole.as_json()))["accounts"] == sorted(finding.accounts)


TAMPERINGS: dict[str, Executable] = {
    "an account removed": delete(case_accounts).where(case_accounts.c.account_id.like("%1")),
    "a note changed": update(case_notes).values(text="nothing happened"),
    "a note removed": delete(case_notes),
    "a snapshot removed": delete(case_snapshots),
    "a snapshot changed": update(case_snapshots).values(finding=b"\x00"),
    "a case that is none": update(case_rows).values(record={"case_id": "case-1"}),
    "a case that is no JSON": text("UPDATE cases SET record = '{'"),
    "a labeled account removed": delete(case_label_accounts).where(
        case_label_accounts.c.account_id.like("%1")
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_facts_that_were_changed_behind_the_trail_are_found(
    store: Store, trail: AuditTrail, finding: Finding, do: Do, name: str
) -> None:
    found(trail, finding)
    do(lambda write: cases.add_note(write, "case-1", "seen"))
    do(lambda write: cases.add_label(write, "case-1", CaseLabel.RESALE, "a relay"))
    assert differences(store) == ()
    with store.writing() as connection:
        connection.execute(TAMPERINGS[name])
    assert len(differences(store)) == 1


def test_a_case_that_was_changed_behind_the_trail_is_found(
    store: Store, trail: AuditTrail, finding: Finding
) -> None:
    case = found(trail, finding).case
    with store.writing() as connection:
        rows.save(connection, case.model_copy(update={"assignee": "person:mallory"}))
    assert differences(store) == ("case-1 is not what its history leads to",)
