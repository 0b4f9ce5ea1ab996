"""Whether an account may be on its programme, with every reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from stillwatch.domain.record import Record, UtcTime
from stillwatch.respond.access.ownership.assessment import Outcome
from stillwatch.respond.access.programmes.programme import OwnershipNeed, Programme

_INDIVIDUAL = "individual"


class Status(StrEnum):
    """What an account's place on a programme is, worst first."""

    REFUSED = "refused"
    LAPSED = "lapsed"
    NEEDS_VERIFICATION = "needs_verification"
    ELIGIBLE = "eligible"

    @property
    def phrase(self) -> str:
        """Return the words people read."""
        return self.value.replace("_", " ")


class Reason(Record):
    """Why an account is not simply eligible: what it leads to, and a plain sentence."""

    status: Status
    sentence: str


class Eligibility(Record):
    """The answer for one account.

    Attributes:
        account_id: the account.
        programme: its programme.
        status: the worst of the reasons; eligible without any.
        reasons: every one of them.
        lapses_at: when its place ends or ended; None when that is not known.
        playbook: the programme's own playbook, which also holds for places that lapsed.
    """

    account_id: str
    programme: str
    status: Status
    reasons: tuple[Reason, ...]
    lapses_at: UtcTime | None
    playbook: str


@dataclass(frozen=True)
class Evidence:
    """What is known of an account besides its row; None where it is not known.

    Args:
        ownership: What the ownership rule said about its organization.
        requests: Requests in its term so far.
    """

    ownership: Outcome | None = None
    requests: int | None = None


def evaluate(
    account: Mapping[str, Any], programme: Programme, evidence: Evidence, now: datetime
) -> Eligibility:
    """Judge an account's place on a programme.

    Args:
        account: A row of `domain.requests.ACCOUNTS`.
        programme: The programme that it is on.
        evidence: What else is known.
        now: The time, with a zone.

    Returns:
        The answer. What is missing never makes an account eligible: it asks for verification.
    """
    lapses_at = _lapses_at(account, programme)
    reasons = (
        *_lapsing(account, programme, evidence, lapses_at, now),
        *_proving(account, programme),
        *_owning(account, programme, evidence),
    )
    order = list(Status)
    status = min((reason.status for reason in reasons), key=order.index, default=Status.ELIGIBLE)
    return Eligibility(
        account_id=str(account["account_id"]),
        programme=programme.programme,
        status=status,
        reasons=reasons,
        lapses_at=lapses_at,
        playbook=programme.playbook,
    )


def _lapses_at(account: Mapping[str, Any], programme: Programme) -> datetime | None:
    """Return when the place ends: with the term, or with the programme, whichever is first."""
    ends = []
    if programme.ends_on is not None:
        ends.append(datetime.combine(programme.ends_on + timedelta(days=1), time(), UTC))
    created = account.get("created_at")
    if programme.term_days is not None and isinstance(created, datetime):
        ends.append(created.astimezone(UTC) + timedelta(days=programme.term_days))
    return min(ends, default=None)


def _lapsing(
    account: Mapping[str, Any],
    programme: Programme,
    evidence: Evidence,
    lapses_at: datetime | None,
    now: datetime,
) -> Iterator[Reason]:
    """Say what has run out."""
    closed = account.get("closed_at")
    if isinstance(closed, datetime) and closed <= now:
        yield Reason(status=Status.LAPSED, sentence=f"The account was closed on {closed:%Y-%m-%d}.")
    if lapses_at is not None and lapses_at <= now:
        yield Reason(status=Status.LAPSED, sentence=f"The place ended on {lapses_at:%Y-%m-%d}.")
    if programme.term_days is not None and account.get("created_at") is None:
        yield _unproven("It is not known when the account was created, and with that when its place ends.")
    if programme.max_requests is None:
        return
    if evidence.requests is None:
        yield _unproven("It is not known how many requests the account has made.")
    elif evidence.requests > programme.max_requests:
        used = f"{evidence.requests:,} requests were made of {programme.max_requests:,}"
        yield Reason(status=Status.LAPSED, sentence=f"The volume is used up: {used}.")


def _proving(account: Mapping[str, Any], programme: Programme) -> Iterator[Reason]:
    """Say what the account has not shown."""
    needs = programme.requires
    if needs.verified and account.get("verified") is not True:
        unknown = account.get("verified") is None
        yield _unproven(
            "It is not known whether the account is verified." if unknown else "It is not verified."
        )
    kind = account.get("account_type")
    if needs.account_types and kind not in needs.account_types:
        admitted = " or ".join(needs.account_types)
        yield _unproven(f"Its type is {kind or 'not known'}; the programme is for {admitted}.")
    domain = (account.get("email_domain") or "").lower()
    if needs.email_domains and not any(_is_under(domain, each) for each in needs.email_domains):
        yield _unproven(f"Its e-mail domain, {domain or 'not known'}, is none of the programme's.")


def _owning(account: Mapping[str, Any], programme: Programme, evidence: Evidence) -> Iterator[Reason]:
    """Say what the ownership rule says. A person is nobody's, and is asked only for verification."""
    need = programme.requires.ownership
    if evidence.ownership is Outcome.REFUSED:
        yield Reason(status=Status.REFUSED, sentence="The ownership rule refuses its organization.")
        return
    if need is OwnershipNeed.UNCHECKED or account.get("account_type") == _INDIVIDUAL:
        return
    if evidence.ownership is None:
        yield _unproven("The ownership of its organization was not checked.")
    elif evidence.ownership is Outcome.UNKNOWN and need is OwnershipNeed.CLEAR:
        yield _unproven("The ownership rule could not clear its organization.")


def _unproven(sentence: str) -> Reason:
    return Reason(status=Status.NEEDS_VERIFICATION, sentence=sentence)


def _is_under(domain: str, parent: str) -> bool:
    """Say whether a domain is another or lies below it."""
    return domain == parent or domain.endswith("." + parent)
