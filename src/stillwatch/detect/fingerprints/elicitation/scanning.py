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

_SPACE, _ZERO, _NINE = 0x20, 0x30, 0x39
_NUMBER_DIGITS = 6
_BARRIER_BYTE = BARRIER[0]
_DIGIT, _LETTER = 1, 2

_CODES = np.frombuffer(BYTE_TABLE, np.uint8)
_CHARACTER_KIND = np.array(
    [
        0 if not is_word_character(chr(code)) else _DIGIT if chr(code).isdigit() else _LETTER
        for code in range(256)
    ],
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
        # Read for every use of every occurrence, so kept small and apart.
        self._slot_before = np.ascontiguousarray(self._uses[:, 1])
        self._needs_edges = np.array([_edges_needed(found) for found in [*uses.values(), numbers]], np.uint8)

    def _register(
        self,
        group: int,
        parts: Sequence[Part],
        uses: dict[bytes, list[tuple[int, ...]]],
        numbers: list[tuple[int, ...]],
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
            machine.steps,
            machine.first_end,
            machine.first_output,
            machine.outputs,
            self._lengths,
            self._uses,
            self._first_use,
            self._slot_before,
            self._needs_edges,
            max(self._slot_count, 1),
            hits,
        )
        return hits


def _edges_needed(uses: Sequence[tuple[int, ...]]) -> int:
    """Whether every use of a literal needs a word to begin (1) and to end (2) with it."""
    return int(bool(uses) and all(use[5] for use in uses)) + 2 * int(
        bool(uses) and all(use[6] for use in uses)
    )


def _table(rows: Sequence[Sequence[tuple[int, ...]]]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Lay lists of uses end to end."""
    flat = [use for uses in rows for use in uses]
    first = np.cumsum([0, *(len(uses) for uses in rows)]).astype(np.int32)
    return np.array(flat, np.int32).reshape(-1, 7), first


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _follows(  # noqa: PLR0917 - compiled code knows no keywords
    ends: Any, filled: int, start: int, gap: int, unbroken: int, text: Any
) -> bool:
    """Whether a remembered end lies close enough before `start`, newest first."""
    for index in range(min(filled, _REMEMBERED)):
        end = ends[(filled - 1 - index) % _REMEMBERED]
        if end > start:
            continue
        if start - end > 4 * gap:  # four bytes at most in a character of UTF-8
            return False
        between = 0
        spaces = 0
        for place in range(end, start):
            between += (text[place] & 0xC0) != 0x80
            spaces += text[place] == _SPACE
        if between <= gap and not (unbroken and spaces):
            return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _scan(  # noqa: C901, PLR0912, PLR0915, PLR0917 - one loop per byte; calls inside of it would cost more than its work
    data: Any,
    offsets: Any,
    codes: Any,
    kinds: Any,
    steps: Any,
    first_end: int,
    first_output: Any,
    outputs: Any,
    lengths: Any,
    uses: Any,
    first_use: Any,
    slot_before: Any,
    needs_edges: Any,
    slot_count: int,
    hits: Any,
) -> None:
    """Scan all rows; everything per row is kept in small arrays that an epoch number clears."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    text = np.zeros(longest + 1, np.uint8)  # the row, squeezed, as far as it has been read
    ends = np.zeros((slot_count, _REMEMBERED), np.int32)
    filled = np.zeros(slot_count, np.int32)
    slot_epoch = np.full(slot_count, -1, np.int32)
    group_row = np.full(len(hits), -1, np.int32)
    number_uses = len(lengths)
    ending = np.uintp(first_end)  # of the same type as a state: unlike integers are compared as floats
    epoch = 0
    for row in range(len(offsets) - 1):
        epoch += 1
        state = np.uintp(0)
        place = 0
        digits = 0
        previous = 0
        stop = offsets[row + 1]
        for index in range(offsets[row], stop):
            code = codes[data[np.uintp(index)]]
            if code == _SPACE and previous == _SPACE:
                continue
            previous = code
            text[np.uintp(place)] = code
            place += 1
            state = np.uintp(steps[(state << np.uintp(8)) | np.uintp(code)])
            is_digit = _ZERO <= code <= _NINE
            if state < ending and not is_digit:
                digits = 0
                if code == _BARRIER_BYTE:
                    epoch += 1
                continue
            first = first_output[state]
            last = first_output[state + np.uintp(1)]
            following = kinds[codes[data[index + 1]]] if index + 1 < stop else 0
            digits = digits + 1 if is_digit else 0
            number = is_digit and following != _DIGIT and digits <= _NUMBER_DIGITS
            for output in range(first, last + number):
                literal = outputs[output] if output < last else number_uses
                start = place - (lengths[literal] if output < last else digits)
                open_start = start == 0 or kinds[text[start - 1]] == 0
                needed = needs_edges[literal]
                if (needed & 1 and not open_start) or (needed & 2 and following != 0):
                    continue
                for use in range(first_use[literal], first_use[literal + 1]):
                    before = slot_before[use]
                    if before >= 0 and slot_epoch[before] != epoch:
                        continue
                    group = uses[use, 0]
                    if group_row[group] == row:
                        continue
                    if (uses[use, 5] and not open_start) or (uses[use, 6] and following != 0):
                        continue
                    if before >= 0 and not _follows(
                        ends[before], filled[before], start, uses[use, 3], uses[use, 4], text
                    ):
                        continue
                    slot = uses[use, 2]
                    if slot < 0:
                        group_row[group] = row
                        hits[group, row] = True
                        continue
                    if slot_epoch[slot] != epoch:
                        slot_epoch[slot] = epoch
                        filled[slot] = 0
                    ends[slot, filled[slot] % _REMEMBERED] = place
                    filled[slot] += 1
