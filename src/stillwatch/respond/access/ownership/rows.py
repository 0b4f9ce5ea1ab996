"""Claims that may be added up, put into rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final

from stillwatch.respond.access.ownership.policy import IndirectShares, OwnershipPolicy
from stillwatch.respond.access.ownership.tables import BRANCH, CONSOLIDATION, EXCLUSIVE_STEP, Way

ROUNDING: Final = 1e-9
"""Shares are published with a few decimals; what is smaller comes from arithmetic."""

_UNRANKED: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Claim:
    """An owner holds between `low` and `high` of a subject.

    Args:
        subject, owner: Entity ids.
        low, high: Share, 0 to 1.
        way: Direct, or through somebody.
        basis: What the share is a share of.
        control: Least share as the cascade counts it. The ultimate parent of a group holds a majority of a majority of
            a majority: it is one of the group whatever the product of the shares is.
        rank: Place of the basis in the policy; a higher number counts only where nothing better is stated.
        statement: The statement in the source.
        clears: Whether it may show that a share is harmless. A company between an indirect owner and the subject may
            be of an unsupported region, so that an indirect claim counts against the subject only.
    """

    subject: str
    owner: str
    low: float
    high: float
    way: Way
    basis: str
    control: float = 0.0
    rank: int = 0
    statement: str | None = None
    clears: bool = True

    @classmethod
    def of(cls, entry: Mapping[str, Any], policy: OwnershipPolicy) -> "Claim":
        """Read one row of `HOLDINGS` as the policy counts it."""
        basis, way = entry["basis"], Way(entry["way"])
        low, high = entry["low"], entry["high"]
        control, clears = low, way is Way.DIRECT
        if basis in {CONSOLIDATION, BRANCH}:
            rank = 0
            if policy.consolidation_is_majority and high > 0.5:
                control = max(low, 0.5 + EXCLUSIVE_STEP)
                low = control if way is Way.DIRECT else low
        else:
            rank = policy.bases.index(basis) if basis in policy.bases else _UNRANKED
            clears = clears or policy.indirect_shares is IndirectShares.AS_STATED
            ignored = way is Way.INDIRECT and policy.indirect_shares is IndirectShares.IGNORED
            low = control = 0.0 if rank == _UNRANKED or ignored else low
        return cls(
            subject=entry["subject"],
            owner=entry["owner"],
            low=low,
            high=max(low, high),
            way=way,
            basis=basis,
            control=control,
            rank=rank,
            statement=entry["statement"],
            clears=clears,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """Claims about one subject that count different shares of it.

    Args:
        subject: Entity id.
        register: Which register claims it.
        way: Direct or indirect.
        claims: One per owner; their lower bounds add up to 1 at most, in both readings.
        accepted: Unnamed share that the lab takes as harmless.
        claimed_total: What the lower bounds added up to in the source; above 1 the source contradicts itself, and
            the claims were scaled down to 1.
    """

    subject: str
    register: str
    way: Way
    claims: Sequence[Claim]
    accepted: float = 0.0
    claimed_total: float = 0.0

    @property
    def clears(self) -> bool:
        """Whether it may show that a share is harmless."""
        return all(claim.clears for claim in self.claims)

    @property
    def contradicts_itself(self) -> bool:
        """Whether more than everything was claimed."""
        return self.claimed_total > 1.0 + 1e-6  # four decimals of a percent, rounded up once by each owner


def rows_of(
    register: str,
    claims: Iterable[Claim],
    accepted: Mapping[str, float | None],
    ends: AbstractSet[str] = frozenset(),
) -> Iterator[Row]:
    """Put the claims of one register into rows.

    Args:
        register: Its name.
        claims: Claims about several subjects.
        accepted: Subject to unnamed share that is harmless; None is all that is left.
        ends: Persons and states, of whom none owns another.

    Yields:
        The direct row of each subject, and its indirect rows: one for all indirect owners who are ends, and one for
        each other, because two companies may hold the same shares, one through the other.
    """
    by_subject: dict[tuple[str, Way], list[Claim]] = defaultdict(list)
    for claim in claims:
        by_subject[claim.subject, claim.way].append(claim)
    for subject in accepted:
        by_subject.setdefault((subject, Way.DIRECT), [])
    for (subject, way), found in by_subject.items():
        merged = _merged(found)
        if way is Way.DIRECT:
            yield _row(subject, register, way, merged, accepted.get(subject, 0.0))
            continue
        together = [claim for claim in merged if claim.owner in ends]
        apart = [[claim] for claim in merged if claim.owner not in ends]
        for kept in (together, *apart) if together else apart:
            yield _row(subject, register, way, kept, 0.0)


def _merged(claims: Sequence[Claim]) -> list[Claim]:
    """Measure on the best basis on which any share is stated, with one claim per owner.

    Of several claims about the same pair the strongest counts. Owners of whom only another basis speaks stay, with an
    unstated share: they belong into the explanation.
    """
    stated = [claim for claim in claims if claim.control > 0.0] or claims
    best = min((claim.rank for claim in stated), default=0)
    by_owner: dict[str, Claim] = {}
    for claim in sorted(claims, key=lambda each: each.rank != best):
        counted = claim if claim.rank == best else replace(claim, low=0.0, control=0.0, high=1.0)
        known = by_owner.setdefault(claim.owner, counted)
        if (counted.low, counted.control) > (known.low, known.control):
            by_owner[claim.owner] = replace(counted, high=max(counted.high, known.high))
    return list(by_owner.values())


def _row(subject: str, register: str, way: Way, claims: Sequence[Claim], accepted: float | None) -> Row:
    """Finish a row: scale down what adds up to more than everything, and measure the accepted rest."""
    total = sum(claim.low for claim in claims)
    control = sum(claim.control for claim in claims)
    if max(total, control) > 1.0:
        claims = [
            replace(claim, low=claim.low / max(total, 1.0), control=claim.control / max(control, 1.0))
            for claim in claims
        ]
    rest = max(0.0, 1.0 - total)
    return Row(
        subject, register, way, tuple(claims), rest if accepted is None else min(accepted, rest), total
    )
