"""Whatever is done to cases, the trail holds and replays to what is there."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings, strategies as st

from stillwatch.domain.cases import Case, CaseLabel, CaseStatus, FalsePositiveReason, Triage
from stillwatch.domain.findings import Finding
from stillwatch.domain.severity import Confidence, Label, Severity
from stillwatch.errors import CaseError
from stillwatch.respond import cases
from stillwatch.respond.audit import AuditTrail, Write, verify
from stillwatch.respond.cases import rows
from stillwatch.respond.cases.verifying import differences
from stillwatch.respond.store import Store, open_store

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNTS = [f"account-{number}" for number in range(8)]

names = st.sampled_from(["case-1", "case-2", "campaign-0", "case-9"])
texts = st.text(max_size=30) | st.sampled_from(["seen", "a relay", "nothing new"])
versions = st.none() | st.integers(1, 6)
steps = st.integers(0, 72).map(lambda hours: timedelta(hours=hours))


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    """Return what detection might say of one of two campaigns."""
    return Finding(
        finding_id="f",
        campaign_id=f"campaign-{draw(st.integers(0, 1))}",
        label=draw(st.sampled_from([Label.DISTILLATION, Label.RESALE])),
        title="a title",
        severity=draw(st.sampled_from(Severity)),
        confidence=draw(st.sampled_from(Confidence)),
        p_value=0.001,
        q_value=0.01,
        accounts=tuple(draw(st.lists(st.sampled_from(ACCOUNTS), min_size=1, unique=True))),
        exchanges=draw(st.integers(1, 5_000)),
        input_tokens=1,
        output_tokens=1,
        first_seen=START - timedelta(days=3),
        last_seen=START + timedelta(hours=draw(st.integers(0, 5))),
    )


Change = Callable[[Write], object]


def _found(finding: Finding) -> Change:
    return lambda write: cases.record_finding(write, finding)


def _assigned(name: str, who: str | None, version: int | None) -> Change:
    return lambda write: cases.assign(write, name, who, version=version)


def _moved(name: str, status: CaseStatus, version: int | None) -> Change:
    return lambda write: cases.move(write, name, status, version=version)


def _triaged(name: str, verdict: Triage, reason: FalsePositiveReason | None) -> Change:
    return lambda write: cases.triage(write, name, verdict, reason)


def _noted(name: str, text: str) -> Change:
    return lambda write: cases.add_note(write, name, text)


def _erased(name: str, number: int) -> Change:
    return lambda write: cases.erase_note(write, name, number, "names a person")


def _labeled(name: str, label: CaseLabel, accounts: list[str]) -> Change:
    return lambda write: cases.add_label(write, name, label, "known", accounts=accounts)


def _unlabeled(name: str, label: CaseLabel | int) -> Change:
    return lambda write: cases.withdraw_label(write, name, label, "not so")


def _closed(name: str, text: str) -> Change:
    return lambda write: cases.close(write, name, text)


def _reopened(name: str) -> Change:
    return lambda write: cases.reopen(write, name, "not done")


def _snoozed(name: str, span: timedelta) -> Change:
    return lambda write: cases.snooze(write, name, write.now + span, "later")


def _woken(name: str) -> Change:
    return lambda write: cases.wake(write, name, "now")


def _linked(name: str, decision: int) -> Change:
    return lambda write: cases.link_decision(write, name, f"decision-{decision}")


changes = st.one_of(
    st.builds(_found, findings()),
    st.builds(_found, findings()),
    st.builds(_assigned, names, st.none() | st.just("person:bob"), versions),
    st.builds(_moved, names, st.sampled_from(CaseStatus), versions),
    st.builds(_triaged, names, st.sampled_from(Triage), st.none() | st.sampled_from(FalsePositiveReason)),
    st.builds(_noted, names, texts),
    st.builds(_erased, names, st.integers(1, 3)),
    st.builds(_labeled, names, st.sampled_from(CaseLabel), st.lists(st.sampled_from(ACCOUNTS), max_size=2)),
    st.builds(_unlabeled, names, st.sampled_from(CaseLabel) | st.integers(1, 4)),
    st.builds(_closed, names, texts),
    st.builds(_reopened, names),
    st.builds(_snoozed, names, steps),
    st.builds(_woken, names),
    st.builds(_linked, names, st.integers(1, 2)),
)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@settings(max_examples=60)
@given(history=st.lists(st.tuples(changes, steps), min_size=1, max_size=25))
def test_any_history_holds_and_replays_to_the_cases(
    make_url: Callable[[], str], history: list[tuple[Change, timedelta]]
) -> None:
    clock = Clock()
    with open_store(make_url()) as store:
        trail = AuditTrail(store, clock)
        for change, passes in [(_found(FIRST), timedelta()), *history]:
            clock.now += passes
            _try(store, trail, change)
        assert verify(store, [trail.head()]).holds
        assert differences(store) == ()


FIRST = Finding(
    finding_id="f",
    campaign_id="campaign-0",
    label=Label.DISTILLATION,
    title="a title",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    p_value=0.001,
    q_value=0.01,
    accounts=tuple(ACCOUNTS[:4]),
    exchanges=100,
    input_tokens=1,
    output_tokens=1,
    first_seen=START - timedelta(days=3),
    last_seen=START,
)


def _try(store: Store, trail: AuditTrail, change: Change) -> None:
    """Do one thing; what is refused leaves everything as it was."""
    head, before = trail.head(), _cases_in(store)
    with suppress(CaseError), trail.writing("person:alice") as write:
        change(write)
        return
    assert trail.head() == head
    assert _cases_in(store) == before


def _cases_in(store: Store) -> tuple[Case, ...]:
    with store.reading() as connection:
        return rows.everything(connection)
