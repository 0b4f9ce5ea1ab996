"""Tell from the ends of literals in one text which groups of phrases occur in it.

A literal that opens phrases is only noted, however many phrases it opens; one that goes on with a phrase is checked for
word edges, and then for how it follows the part before it: gaps cost nothing per character. No step backtracks; time is
linear in the text whatever it holds.
"""

from typing import Any

import numpy as np
from numba import njit

from stillwatch.detect.fingerprints.elicitation.proof import REPORTED

# Places remembered per part behind the first. A part needs an earlier one only when the part before it ended inside of it,
# more often than this at different places.
_REMEMBERED = 8

_SPACE, _ZERO, _NINE = 0x20, 0x30, 0x39
_NUMBER_DIGITS = 6
_BARRIER_BYTE = REPORTED[0]
_PLACE_BITS = 0xFFFFFFFF


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def room_to_follow(longest: int, groups: int, tables: Any) -> Any:
    """Make the small arrays that `follow` works in; each row begins anew with them."""
    masks, most_openings, slots = tables[6], tables[7], tables[9]
    notes = np.zeros(((longest + 1) * most_openings, 2), np.int32)  # what opened phrases, and where it ended
    seen = np.zeros(masks.shape[1], np.uint64)  # openings and slots so far, as bits
    ends = np.zeros((max(slots, 1), _REMEMBERED), np.int32)
    filled = np.zeros(max(slots, 1), np.int32)
    group_row = np.full(groups, -1, np.int64)
    return notes, seen, ends, filled, group_row


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
def _digits_before(text: Any, place: int) -> int:
    digits = 0
    while digits < place and _ZERO <= text[place - 1 - digits] <= _NINE:
        digits += 1
    return digits


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def follow(  # noqa: C901, PLR0912, PLR0915 - one loop per literal; calls inside of it would cost more than its work
    row: int,
    here: Any,
    ended: Any,
    in_word: Any,
    machine: Any,
    tables: Any,
    room: Any,
    hits: Any,
) -> None:
    """Set the hits of one text.

    Args:
        row: Its number.
        here: The text `(n_bytes,)` uint8, squeezed; where it begins in the places of `ended`; bytes at most in a character.
        ended: `(n,)` int64, states in which literals end, above their places, in order.
        in_word: `(256,)` bool, which bytes belong to words.
        machine: The tables of the automaton.
        tables: What literals prove, as `scanning` lays it out.
        room: From `room_to_follow`.
        hits: `(n_groups, n_rows)` bool.
    """
    first_output, outputs = machine[3], machine[4]
    lengths, uses, gates, first_use, edges, first_opening, masks, _, openers, slots = tables
    notes, seen, ends, filled, group_row = room
    one = np.uint64(1)
    number = len(lengths)
    always = openers + slots  # the gate of phrases of one part
    text, text_start, width = here
    noted = 0
    seen[:] = 0
    seen[always >> 6] = one << np.uint64(always & 63)
    for index in range(len(ended)):
        place = (ended[index] & _PLACE_BITS) - text_start + 1
        state = np.uintp(ended[index] >> 32)
        code = text[place - 1]
        if code == _BARRIER_BYTE:
            noted = 0
            seen[:] = 0
            seen[always >> 6] = one << np.uint64(always & 63)
            continue
        following = place < len(text) and in_word[text[place]]
        digits = 0
        if _ZERO <= code <= _NINE and not (following and _ZERO <= text[place] <= _NINE):
            digits = _digits_before(text, place)
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
