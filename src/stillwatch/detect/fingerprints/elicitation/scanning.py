"""Find the phrases of all rules in many texts, in one compiled pass over an Arrow buffer.

The automaton reports where literals end. Each report is checked for word edges, and then for how it follows the part
before it in its phrase: for every part the last places where the phrase was complete up to it are remembered, so
gaps cost nothing per character. No step backtracks; time is linear in the text whatever it holds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from stillwatch.detect.fingerprints.elicitation.automaton import build_automaton
from stillwatch.detect.fingerprints.elicitation.normalizing import BARRIER, BYTE_TABLE, prepare_texts
from stillwatch.detect.fingerprints.elicitation.phrase import Part, Phrase, is_word_character

# Places remembered per part. A part needs an earlier one only when the part before it ended inside of it, more often
# than this at different places.
_REMEMBERED = 8

_SPACE = 0x20
_NUMBER_DIGITS = 6
_BARRIER_BYTE = BARRIER[0]
_DIGIT, _LETTER = 1, 2

_CODES = np.frombuffer(BYTE_TABLE, np.uint8)
_CHARACTER_KIND = np.array(
    [0 if not is_word_character(chr(code)) else _DIGIT if chr(code).isdigit() else _LETTER for code in range(256)],
    np.uint8,
)

Hits = npt.NDArray[np.bool_]


class PhraseScanner:
    """Tests texts for groups of phrases.

    Args:
        groups: For each group its phrases; a row belongs to the group when one of them occurs in it.
    """

    def __init__(self, groups: Sequence[Sequence[Phrase]]) -> None:
        """Compile the literals of all phrases into one automaton, and what each can prove into a table."""
        self.group_count = len(groups)
        uses: dict[bytes, list[tuple[int, ...]]] = {}
        numbers: list[tuple[int, ...]] = []
        self._slot_count = 0
        for group, phrases in enumerate(groups):
            for phrase in phrases:
                self._register(group, phrase.parts, uses, numbers)
        literals = list(uses)
        self._automaton = build_automaton(literals) if literals else None
        self._lengths = np.array([len(literal) for literal in literals], np.int32)
        self._uses, self._first_use = _table([*uses.values(), numbers])

    def _register(
        self, group: int, parts: Sequence[Part], uses: dict[bytes, list[tuple[int, ...]]], numbers: list[tuple[int, ...]]
    ) -> None:
        before = -1
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            slot = -1 if last else self._slot_count
            self._slot_count += not last
            for spelling in part.spellings:
                use = (group, before, slot, part.gap, part.unbroken, spelling.whole_start, spelling.whole_end)
                uses.setdefault(spelling.text.encode(), []).append(use)
            if not part.spellings:
                numbers.append((group, before, slot, part.gap, part.unbroken, False, False))
            before = slot

    def scan(self, texts: pa.Array) -> Hits:
        """Find the groups that occur.

        Args:
            texts: `(n_rows,)` strings, null where there is none; less than 2 GiB of text.

        Returns:
            `(n_groups, n_rows)` bool.
        """
        hits = np.zeros((self.group_count, len(texts)), np.bool_)
        if self._automaton is None or not len(texts):
            return hits
        prepared = prepare_texts(texts)
        offsets = np.frombuffer(prepared.buffers()[1], np.int32, len(prepared) + 1, prepared.offset * 4)
        data = prepared.buffers()[2]
        if data is None or not data.size:
            return hits
        machine = self._automaton
        _scan(
            np.frombuffer(data, np.uint8),
            offsets,
            _CODES,
            _CHARACTER_KIND,
            machine.classes,
            machine.steps,
            machine.first_output,
            machine.outputs,
            machine.ends,
            self._lengths,
            self._uses,
            self._first_use,
            max(self._slot_count, 1),
            hits,
        )
        return hits


def _table(rows: Sequence[Sequence[tuple[int, ...]]]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Lay lists of uses end to end."""
    flat = [use for uses in rows for use in uses]
    first = np.cumsum([0, *(len(uses) for uses in rows)]).astype(np.int32)
    return np.array(flat, np.int32).reshape(-1, 7), first


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _follows(ends: Any, filled: int, start: int, gap: int, unbroken: int, characters: Any, last_space: Any) -> bool:
    """Whether a remembered end lies close enough before `start`."""
    for index in range(min(filled, _REMEMBERED)):
        end = ends[index]
        if end <= start and characters[start] - characters[end] <= gap and (not unbroken or last_space[start] < end):
            return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _apply(  # type: ignore[no-untyped-def]
    uses: Any, first: int, last: int, start: int, end: int, row: int, epoch: int, edge_start: bool, edge_end: bool,
    ends: Any, filled: Any, slot_epoch: Any, group_row: Any, characters: Any, last_space: Any, hits: Any,
):  # noqa: ANN202, FBT001
    """Advance every phrase that has this literal."""
    for index in range(first, last):
        group = uses[index, 0]
        if group_row[group] == row:
            continue
        if (uses[index, 5] and not edge_start) or (uses[index, 6] and not edge_end):
            continue
        before = uses[index, 1]
        if before >= 0:
            if slot_epoch[before] != epoch:
                continue
            if not _follows(ends[before], filled[before], start, uses[index, 3], uses[index, 4], characters, last_space):
                continue
        slot = uses[index, 2]
        if slot < 0:
            group_row[group] = row
            hits[group, row] = True
            continue
        if slot_epoch[slot] != epoch:
            slot_epoch[slot] = epoch
            filled[slot] = 0
        ends[slot, filled[slot] % _REMEMBERED] = end
        filled[slot] += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _scan(  # type: ignore[no-untyped-def]
    data: Any, offsets: Any, codes: Any, kinds: Any, classes: Any, steps: Any, first_output: Any, outputs: Any,
    is_end: Any, lengths: Any, uses: Any, first_use: Any, slot_count: int, hits: Any,
):  # noqa: ANN202, C901, PLR0912, PLR0915
    """Scan all rows; everything per row is kept in small arrays that an epoch number clears."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    text_kinds = np.zeros(longest + 2, np.uint8)  # word character or not, by place in the squeezed text
    characters = np.zeros(longest + 2, np.int32)  # characters before a place
    last_space = np.zeros(longest + 2, np.int32)  # last space before a place, -1 for none
    ends = np.zeros((slot_count, _REMEMBERED), np.int32)
    filled = np.zeros(slot_count, np.int32)
    slot_epoch = np.full(slot_count, -1, np.int32)
    group_row = np.full(len(hits), -1, np.int32)
    number_uses = len(lengths)
    epoch = 0
    for row in range(len(offsets) - 1):
        epoch += 1
        state = 0
        place = 0
        digits = 0
        previous = 0
        last_space[0] = -1
        stop = offsets[row + 1]
        for index in range(offsets[row], stop):
            raw = data[index]
            code = codes[raw]
            if code == _SPACE and previous == _SPACE:
                continue
            previous = code
            text_kinds[place] = kinds[code]
            last_space[place + 1] = place if code == _SPACE else last_space[place]
            characters[place + 1] = characters[place] + (1 if (code & 0xC0) != 0x80 else 0)
            place += 1
            if code == _BARRIER_BYTE:
                epoch += 1
                state = 0
                digits = 0
                continue
            state = steps[state, classes[code]]
            is_digit = kinds[code] == _DIGIT
            if not is_digit and not is_end[state]:
                digits = 0
                continue
            following = kinds[codes[data[index + 1]]] if index + 1 < stop else 0
            if is_end[state]:
                for output in range(first_output[state], first_output[state + 1]):
                    literal = outputs[output]
                    start = place - lengths[literal]
                    edge_start = start == 0 or text_kinds[start - 1] == 0
                    _apply(
                        uses, first_use[literal], first_use[literal + 1], start, place, row, epoch, edge_start,
                        following == 0, ends, filled, slot_epoch, group_row, characters, last_space, hits,
                    )
            if is_digit:
                digits += 1
                if following != _DIGIT and digits <= _NUMBER_DIGITS and first_use[number_uses] != first_use[number_uses + 1]:
                    _apply(
                        uses, first_use[number_uses], first_use[number_uses + 1], place - digits, place, row, epoch, True,
                        True, ends, filled, slot_epoch, group_row, characters, last_space, hits,
                    )
            else:
                digits = 0
