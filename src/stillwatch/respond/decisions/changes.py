"""What travels from the store to every guard: entries in force, and changes to them.

Bare structs on purpose: a guard loads a million of them and never sees a decision's history.
"""

import msgspec

from stillwatch.domain.actions import Action, IndicatorKind, Withheld


class Policy(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What an entry does; shared by all entries that do the same.

    Attributes:
        action: what happens to a call.
        live: False records only.
        reason: why, for the provider's own eyes.
        withheld: what answers are given without.
        tags: what calls are marked with.
        requests_per_min: rate of the token bucket; 0 where there is none.
        burst: size of the token bucket; 0 where there is none.
        pooled: one bucket for everything the entry matches.
        share: part of the calls acted on, chosen by chance.
    """

    action: Action
    live: bool = False
    reason: str = ""
    withheld: tuple[Withheld, ...] = ()
    tags: tuple[str, ...] = ()
    requests_per_min: float = 0.0
    burst: int = 0
    pooled: bool = False
    share: float = 1.0


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One decision or indicator, as inline matching needs it.

    Attributes:
        entry_id: id of the decision or indicator.
        kind: what `values` are.
        values: the values matched; any of them is enough.
        start_us: first instant it acts, UTC microseconds.
        end_us: first instant it no longer does.
        policy: what it does.
    """

    entry_id: str
    kind: IndicatorKind
    values: tuple[str, ...]
    start_us: int
    end_us: int
    policy: Policy


class Change(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The newest state of one entry.

    Attributes:
        sequence: position in the order of all changes; who has seen N asks for what came after N.
        entry_id: which decision or indicator.
        entry: its state, or None when nothing of it is left to act.
    """

    sequence: int
    entry_id: str
    entry: Entry | None = None


class ChangePage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Changes in order, and whether more wait.

    Attributes:
        changes: in order of their sequence.
        until: ask for what came after this next time.
        more: whether asking again at once brings more.
    """

    changes: tuple[Change, ...] = ()
    until: int = 0
    more: bool = False
