"""What the end of each literal proves about the phrases that it occurs in."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stillwatch.detect.fingerprints.elicitation.automaton import Literal
from stillwatch.detect.fingerprints.elicitation.normalizing import BARRIER
from stillwatch.detect.fingerprints.elicitation.phrase import Part, Spelling

REPORTED = BARRIER + b"0123456789"
"""Bytes at which the scanner looks up whatever literal ends there: where a text was cut, and numbers."""

# Stand for gates as long as it is not known how many openers there are.
_ALWAYS = -1
_FIRST_SLOT = 1 << 30
_NO_EDGES = (False, False)


class Use(NamedTuple):
    """One way in which a literal goes on with a phrase, or opens some; -1 where a field says nothing.

    Args:
        group: The group of the phrase.
        gate: What has to come before: an opener for the second part of a phrase, for later ones a slot, counted on
            behind the openers, and behind the slots one gate that is always open.
        slot: The slot that this fills; none for the last part.
        gap: Characters allowed since the part before.
        unbroken: No space among them.
        whole_start: A word has to begin with it.
        whole_end: A word has to end with it.
    """

    group: int = -1
    gate: int = -1
    slot: int = -1
    gap: int = 0
    unbroken: bool = False
    whole_start: bool = False
    whole_end: bool = False


class Proof:
    """Collects phrases and tells for each literal how it opens and goes on with them.

    Phrases whose first parts are alike share an opener, and a spelling is noted once for all phrases it opens: common verbs open
    dozens. The literal after the last one stands for numbers.
    """

    def __init__(self) -> None:
        self.slot_count = 0
        self._uses: dict[bytes | None, list[Use]] = {bytes([byte]): [] for byte in REPORTED}
        self._openers: dict[tuple[Spelling, ...], int] = {}
        self._openings: dict[bytes | None, dict[tuple[bool, bool], list[int]]] = {}

    def add(self, group: int, parts: Sequence[Part]) -> None:
        """Add one phrase."""
        gate = _ALWAYS if len(parts) == 1 else self._open(parts[0])
        for index, part in enumerate(parts[len(parts) > 1 :], start=int(len(parts) > 1)):
            slot = -1 if index == len(parts) - 1 else self.slot_count
            self.slot_count += slot >= 0
            for text, (starts, ends) in _spellings(part):
                use = Use(group, gate, slot, part.gap, part.unbroken, starts, ends)
                self._uses.setdefault(text, []).append(use)
            gate = _FIRST_SLOT + slot

    def _open(self, part: Part) -> int:
        alike = tuple(sorted(part.spellings, key=lambda spelling: spelling.text))
        known = len(self._openers)
        opener = self._openers.setdefault(alike, known)
        if opener == known:
            for text, edges in _spellings(part):
                self._uses.setdefault(text, [])
                self._openings.setdefault(text, {}).setdefault(edges, []).append(opener)
        return opener

    @property
    def opener_count(self) -> int:
        """How many different first parts there are."""
        return len(self._openers)

    def literals(self) -> list[Literal]:
        """The literals to look for."""
        return [Literal(text, self._starts_words(text)) for text in self._texts() if text is not None]

    def _starts_words(self, text: bytes) -> bool:
        starts = [use.whole_start for use in self._uses[text]]
        starts += [edges[0] for edges in self._openings.get(text, {})]
        return bool(starts) and all(starts)

    def _texts(self) -> Iterator[bytes | None]:
        yield from (text for text in self._uses if text is not None)
        yield None

    def uses(self) -> Iterator[list[Use]]:
        """For each literal, and then for numbers, how it goes on with phrases."""
        for text in self._texts():
            yield [use._replace(gate=self._final_gate(use.gate)) for use in self._uses.get(text, [])]

    def _final_gate(self, gate: int) -> int:
        if gate == _ALWAYS:
            return self.opener_count + self.slot_count
        return gate - _FIRST_SLOT + self.opener_count if gate >= _FIRST_SLOT else gate

    def openings(self) -> Iterator[list[Use]]:
        """For each literal, and then for numbers, the edges with which it opens phrases."""
        for text in self._texts():
            edges = self._openings.get(text, {})
            yield [Use(whole_start=starts, whole_end=ends) for starts, ends in edges]

    def opened(self) -> Iterator[list[int]]:
        """For each row of `openings`, laid end to end, the openers."""
        for text in self._texts():
            yield from self._openings.get(text, {}).values()


def _spellings(part: Part) -> Iterator[tuple[bytes | None, tuple[bool, bool]]]:
    """The texts of a part with their edges; a number has no text."""
    if not part.spellings:
        yield None, _NO_EDGES
    for spelling in part.spellings:
        yield spelling.text.encode(), (spelling.whole_start, spelling.whole_end)
