"""Find the phrases of all rules in many texts, in one compiled pass over an Arrow buffer.

The automaton reports where literals end. A literal that opens phrases is only noted, however many phrases it opens; one that goes
on with a phrase is checked for word edges, and then for how it follows the part before it: gaps cost nothing per
character. No step backtracks; time is linear in the text whatever it holds.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from stillwatch.detect.fingerprints.elicitation.automaton import Automaton, build_automaton
from stillwatch.detect.fingerprints.elicitation.normalizing import BYTE_TABLE, prepare_texts
from stillwatch.detect.fingerprints.elicitation.phrase import Phrase, is_word_character
from stillwatch.detect.fingerprints.elicitation.proof import REPORTED, Proof, Use

# Places remembered per part behind the first. A part needs an earlier one only when the part before it ended inside of it,
# more often than this at different places.
_REMEMBERED = 8

_SPACE, _ZERO, _NINE = 0x20, 0x30, 0x39
_NUMBER_DIGITS = 6
_BARRIER_BYTE = REPORTED[0]

_CODES = np.frombuffer(BYTE_TABLE, np.uint8)
_IN_WORD = np.array([is_word_character(chr(code)) for code in range(256)], np.bool_)

Hits = npt.NDArray[np.bool_]


class PhraseScanner:
    """Tests texts for groups of phrases.

    Args:
        groups: For each group its phrases; a row belongs to the group when one of them occurs in it.
    """

    def __init__(self, groups: Sequence[Sequence[Phrase]]) -> None:
        """Compile the literals of all phrases into one automaton, and what each can prove into tables."""
        self.group_count = len(groups)
        proof = Proof()
        for group, phrases in enumerate(groups):
            for phrase in phrases:
                proof.add(group, phrase.parts)
        self._automaton = build_automaton(proof.literals(), _IN_WORD)
        self._tables = _tables(proof, self._automaton)

    def scan(self, texts: pa.Array) -> Hits:
        """Find the groups that occur.

        Args:
            texts: `(n_rows,)` strings, null where there is none; less than 2 GiB of text.

        Returns:
            `(n_groups, n_rows)` bool.
        """
        hits = np.zeros((self.group_count, len(texts)), np.bool_)
        if not self.group_count or not len(texts):
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
            (_CODES, _IN_WORD),
            (machine.steps, machine.start, machine.first_end, machine.first_output, machine.outputs),
            self._tables,
            hits,
        )
        return hits


def _tables(proof: Proof, machine: Automaton) -> tuple[Any, ...]:
    """Lay out what literals prove as arrays; the order is that in which `_scan` takes them apart."""
    lengths = np.array([len(literal.text) for literal in proof.literals()], np.int32)
    uses, first_use = _laid_out(proof.uses())
    openings, first_opening = _laid_out(proof.openings())
    gates = proof.opener_count + proof.slot_count + 1
    masks = np.zeros((max(len(openings), 1), (gates + 63) // 64), np.uint64)
    for index, openers in enumerate(proof.opened()):
        for opener in openers:
            masks[index, opener // 64] |= np.uint64(1 << (opener % 64))
    return (
        lengths,
        uses,
        np.ascontiguousarray(uses[:, Use._fields.index("gate")]).astype(np.uint32),
        first_use,
        _edge_bits(openings),
        first_opening,
        masks,
        _most_openings(machine, np.diff(first_opening)),
        proof.opener_count,
        proof.slot_count,
    )


def _edge_bits(openings: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Which edges an opening needs: 1 for a word to begin, 2 for a word to end."""
    starts, ends = (openings[:, Use._fields.index(name)] for name in ("whole_start", "whole_end"))
    return (starts + 2 * ends).astype(np.uint8)


def _most_openings(machine: Automaton, openings: npt.NDArray[np.int32]) -> int:
    """The most notes that one byte of text can give rise to."""
    so_far = np.concatenate([[0], np.cumsum(openings[machine.outputs])])
    at_state = so_far[machine.first_output[1:]] - so_far[machine.first_output[:-1]]
    return int(at_state.max(initial=0) + openings[-1])


def _laid_out(rows: Iterable[Sequence[Use]]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Lay lists of uses end to end."""
    lists = list(rows)
    first = np.cumsum([0, *map(len, lists)]).astype(np.int32)
    return np.array([use for uses in lists for use in uses], np.int32).reshape(-1, len(Use._fields)), first


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _near(text: Any, width: int, end: int, start: int, gap: int, unbroken: int) -> bool:
    """Whether no more than `gap` characters, and no space if unbroken, lie between two places."""
    if width == 1 and not unbroken:
        return start - end <= gap
    between = 0
    for place in range(end, start):
        between += (text[place] & 0xC0) != 0x80
        if unbroken and text[place] == _SPACE:
            return False
    return between <= gap


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _follows(
    text: Any, width: int, ends: Any, slot: int, filled: int, start: int, gap: int, unbroken: int
) -> bool:
    """Whether a remembered end lies close enough before `start`, newest first."""
    for index in range(min(filled, _REMEMBERED)):
        end = ends[slot, (filled - 1 - index) % _REMEMBERED]
        if end > start:
            continue
        if start - end > width * gap:
            return False
        if _near(text, width, end, start, gap, unbroken):
            return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _opened(
    text: Any,
    width: int,
    notes: Any,
    noted: int,
    masks: Any,
    opener: int,
    start: int,
    gap: int,
    unbroken: int,
) -> bool:
    """Whether a noted literal that opens the phrase ends close enough before `start`, newest first."""
    word = opener >> 6
    bit = np.uint64(1) << np.uint64(opener & 63)
    for index in range(noted - 1, -1, -1):
        end = notes[index, 1]
        if end > start:
            continue
        if start - end > width * gap:
            return False
        if masks[notes[index, 0], word] & bit and _near(text, width, end, start, gap, unbroken):
            return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _scan(  # noqa: C901, PLR0912, PLR0915 - one loop per byte; calls inside of it would cost more than its work
    data: Any, offsets: Any, characters: Any, machine: Any, tables: Any, hits: Any
) -> None:
    """Scan all rows; everything per row is kept in small arrays that begin anew with each."""
    codes, in_word = characters
    steps, start_state, first_end, first_output, outputs = machine
    lengths, uses, gates, first_use, edges, first_opening, masks, most_openings, openers, slots = tables
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    text = np.zeros(longest + 1, np.uint8)  # the row, squeezed, as far as it has been read
    notes = np.zeros(((longest + 1) * most_openings, 2), np.int32)  # what opened phrases, and where it ended
    seen = np.zeros(masks.shape[1], np.uint64)  # openings and slots so far, as bits
    ends = np.zeros((max(slots, 1), _REMEMBERED), np.int32)
    filled = np.zeros(max(slots, 1), np.int32)
    group_row = np.full(len(hits), -1, np.int32)
    number = len(lengths)
    always = openers + slots  # the gate of phrases of one part
    one = np.uint64(1)
    ending = np.uintp(first_end)  # of the same type as a state: unlike integers are compared as floats
    for row in range(len(offsets) - 1):
        state = np.uintp(start_state)
        place = 0
        previous = 0
        foreign = 0
        noted = 0
        seen[:] = 0
        seen[always >> 6] = one << np.uint64(always & 63)
        stop = offsets[row + 1]
        for index in range(offsets[row], stop):
            code = codes[data[np.uintp(index)]]
            if code == _SPACE and previous == _SPACE:
                continue
            previous = code
            foreign |= code
            text[np.uintp(place)] = code
            place += 1
            state = np.uintp(steps[(state << np.uintp(8)) | np.uintp(code)])
            if state < ending:
                continue
            if code == _BARRIER_BYTE:
                noted = 0
                seen[:] = 0
                seen[always >> 6] = one << np.uint64(always & 63)
                continue
            following = index + 1 < stop and in_word[codes[data[index + 1]]]
            digits = 0
            if _ZERO <= code <= _NINE and not (following and _ZERO <= data[index + 1] <= _NINE):
                while digits < place and _ZERO <= text[place - 1 - digits] <= _NINE:
                    digits += 1
            width = 4 if foreign & 0x80 else 1  # bytes at most in a character so far
            first = first_output[state]
            last = first_output[state + np.uintp(1)]
            for output in range(first, last + (0 < digits <= _NUMBER_DIGITS)):
                literal = outputs[output] if output < last else number
                start = place - (lengths[literal] if output < last else digits)
                inside = start > 0 and in_word[text[start - 1]]
                for opening in range(first_opening[literal], first_opening[literal + 1]):
                    if (edges[opening] & 1 and inside) or (edges[opening] & 2 and following):
                        continue
                    notes[noted, 0] = opening
                    notes[noted, 1] = place
                    noted += 1
                    for word in range(len(seen)):
                        seen[word] |= masks[opening, word]
                for use in range(first_use[literal], first_use[literal + 1]):
                    gate = gates[use]
                    if not (seen[gate >> np.uint32(6)] >> np.uint64(gate & np.uint32(63))) & one:
                        continue
                    group = uses[use, 0]
                    if group_row[group] == row or (uses[use, 5] and inside) or (uses[use, 6] and following):
                        continue
                    gap = uses[use, 3]
                    unbroken = uses[use, 4]
                    if gate < openers:
                        if not _opened(text, width, notes, noted, masks, gate, start, gap, unbroken):
                            continue
                    elif gate < always:
                        before = gate - openers
                        if not _follows(text, width, ends, before, filled[before], start, gap, unbroken):
                            continue
                    slot = uses[use, 2]
                    if slot < 0:
                        group_row[group] = row
                        hits[group, row] = True
                        continue
                    bit = openers + slot
                    if not (seen[bit >> 6] >> np.uint64(bit & 63)) & one:
                        seen[bit >> 6] |= one << np.uint64(bit & 63)
                        filled[slot] = 0
                    ends[slot, filled[slot] % _REMEMBERED] = place
                    filled[slot] += 1
