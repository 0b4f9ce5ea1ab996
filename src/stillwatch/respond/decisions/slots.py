"""Compact storage of a million entries: columns of numbers, chained where several share a value.

No object per entry is kept that the garbage collector would have to visit; a full collection would otherwise stop
every call for a tenth of a second.
"""

from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from stillwatch.respond.decisions.changes import Policy

NONE: Final = -1
"""End of a chain."""

_GAP: Final = ""


class Slot(NamedTuple):
    """One entry at one of its values."""

    entry_id: str
    policy: Policy


class PolicyTable:
    """Policies by number, each kept once and only as long as a slot needs it."""

    def __init__(self) -> None:
        self.by_number: list[Policy] = []
        self._users = array("q")
        self._numbers: dict[Policy, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        """Return the policies in use."""
        return len(self._numbers)

    def hold(self, policy: Policy) -> int:
        """Return the policy's number and count one more user."""
        number = self._numbers.get(policy)
        if number is None:
            number = self._numbers[policy] = self._place(policy)
        self._users[number] += 1
        return number

    def release(self, number: int) -> None:
        """Count one user less; forget the policy after the last."""
        self._users[number] -= 1
        if self._users[number] == 0:
            del self._numbers[self.by_number[number]]
            self._free.append(number)

    def _place(self, policy: Policy) -> int:
        if self._free:
            number = self._free.pop()
            self.by_number[number] = policy
            return number
        self.by_number.append(policy)
        self._users.append(0)
        return len(self.by_number) - 1


class SlotTable:
    """Slots by number. A slot is one value of one entry; slots with the same value form a chain."""

    def __init__(self) -> None:
        self.start_us = array("q")
        self.end_us = array("q")
        self.next = array("q")
        self.entry_id: list[str] = []
        self._policy = array("q")
        self._policies = PolicyTable()
        self._free: list[int] = []

    def __len__(self) -> int:
        """Return the slots in use."""
        return len(self.entry_id) - len(self._free)

    @property
    def size(self) -> int:
        """Return the slots there are, used or free."""
        return len(self.entry_id)

    def ended(self, now_us: int, start: int, count: int) -> tuple[str, ...]:
        """Return the entries that have ended among the slots from `start` on."""
        stretch = range(start, min(start + count, self.size))
        found = (self.entry_id[slot] for slot in stretch if self.end_us[slot] <= now_us)
        return tuple(dict.fromkeys(entry_id for entry_id in found if entry_id != _GAP))

    def add(self, entry_id: str, start_us: int, end_us: int, policy: Policy, following: int) -> int:
        """Fill a slot that comes before `following` in its chain; return its number."""
        number = self._policies.hold(policy)
        if self._free:
            slot = self._free.pop()
            self.start_us[slot] = start_us
            self.end_us[slot] = end_us
            self.next[slot] = following
            self._policy[slot] = number
            self.entry_id[slot] = entry_id
            return slot
        self.start_us.append(start_us)
        self.end_us.append(end_us)
        self.next.append(following)
        self._policy.append(number)
        self.entry_id.append(entry_id)
        return len(self.entry_id) - 1

    def remove(self, head: int, entry_id: str) -> int:
        """Free the entry's slots in a chain; return the chain's new head."""
        kept = [slot for slot in self.chain(head) if self.entry_id[slot] != entry_id]
        freed = [slot for slot in self.chain(head) if self.entry_id[slot] == entry_id]
        for slot in freed:
            self.entry_id[slot] = _GAP
            self._policies.release(self._policy[slot])
        self._free.extend(freed)
        following = NONE
        for slot in reversed(kept):
            self.next[slot] = following
            following = slot
        return following

    def chain(self, head: int) -> Iterator[int]:
        """Yield the slots of a chain."""
        while head != NONE:
            yield head
            head = self.next[head]

    def in_force(self, head: int, now_us: int) -> Iterator[Slot]:
        """Yield what acts at `now_us` in a chain."""
        policies = self._policies.by_number
        while head != NONE:
            if self.start_us[head] <= now_us < self.end_us[head]:
                yield Slot(self.entry_id[head], policies[self._policy[head]])
            head = self.next[head]
