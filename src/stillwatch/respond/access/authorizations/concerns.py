"""What a person should look at in authorizations that are formally right."""

from collections.abc import Iterator, Sequence, Set as AbstractSet
from datetime import date, timedelta
from itertools import combinations
from typing import Final, NamedTuple

from stillwatch.domain.authorizations import Authorization, Purpose

_LONG: Final = timedelta(days=366)
_VOLUME_PURPOSES: Final = frozenset({Purpose.LICENSED_DISTILLATION, Purpose.EVALUATION, Purpose.RESEARCH})


class Concern(NamedTuple):
    """One thing to look at."""

    authorization_id: str
    sentence: str


def concerns_about(
    authorizations: Sequence[Authorization], today: date, known_accounts: AbstractSet[str] | None = None
) -> tuple[Concern, ...]:
    """Find what makes a permission wider, longer or less accountable than somebody may have meant.

    Args:
        authorizations: Permissions that were read without an error.
        today: The day (UTC).
        known_accounts: All account ids; None when they are not known.

    Returns:
        Concerns in the order of the permissions. None of them makes a permission invalid.
    """
    found = [
        Concern(each.authorization_id, sentence)
        for each in authorizations
        for sentence in (
            *_approval(each, today),
            *_span(each, today),
            *_scope(each),
            *_accounts(each, known_accounts),
        )
    ]
    return (*found, *_conflicts(authorizations))


def _approval(each: Authorization, today: date) -> Iterator[str]:
    """Somebody said so, at some time, before it began."""
    if each.approved_on is None:
        yield "It does not say when it was approved (approved_on)."
    elif each.approved_on > today:
        yield f"It is approved in the future, on {each.approved_on}."
    elif each.approved_on > each.starts_on:
        yield f"It was approved on {each.approved_on}, after it began on {each.starts_on}."


def _span(each: Authorization, today: date) -> Iterator[str]:
    """What is long or over."""
    if each.ends_on < today:
        yield f"It ended on {each.ends_on}."
    if each.ends_on - each.starts_on > _LONG:
        yield f"It holds for {(each.ends_on - each.starts_on).days + 1} days; a year is easier to look at again."


def _scope(each: Authorization) -> Iterator[str]:
    """What is wide open."""
    if each.max_requests is None and each.purpose in _VOLUME_PURPOSES:
        yield "It permits any number of requests (max_requests)."
    if not each.models:
        yield "It covers every model (models)."
    if not each.capabilities and each.purpose is Purpose.LICENSED_DISTILLATION:
        yield "It covers every capability (capabilities)."


def _accounts(each: Authorization, known: AbstractSet[str] | None) -> Iterator[str]:
    """Who is named and not there."""
    missing = [] if known is None else [account for account in each.account_ids if account not in known]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield f"The accounts table does not hold {', '.join(missing[:3])}{more}."


def _conflicts(authorizations: Sequence[Authorization]) -> Iterator[Concern]:
    """One account under two purposes at once: nobody can say which of them covers its use."""
    for one, other in combinations(authorizations, 2):
        shared = set(one.account_ids) & set(other.account_ids)
        apart = one.ends_on < other.starts_on or other.ends_on < one.starts_on
        if shared and not apart and one.purpose is not other.purpose:
            yield Concern(
                one.authorization_id,
                f"{min(shared)} is also under {other.authorization_id}, for another purpose at the same time.",
            )
