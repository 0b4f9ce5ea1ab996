"""Walk the automaton over many texts, four side by side.

A step of the automaton waits for memory: the next state is known only when the last one has been looked up. Four texts
at once wait together, which takes a third of the time. What each text proves is read at its end, by `following`.
"""

from typing import Any

import numpy as np
from numba import njit

from stillwatch.detect.fingerprints.elicitation.following import follow, room_to_follow

LANES = 4
_BYTE = np.uintp(8)
_HIGH = np.uintp(32)
_ONE = np.uintp(1)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def walk(text: Any, starts: Any, foreign: Any, in_word: Any, machine: Any, tables: Any, hits: Any) -> None:
    """Find the groups whose phrases occur in each text.

    Args:
        text: `(n_bytes,)` uint8, squeezed texts end to end.
        starts: `(n_rows + 1,)` int64, where each begins and ends.
        foreign: `(n_rows,)` bool, whether a text has other than ASCII characters.
        in_word: `(256,)` bool, which bytes belong to words.
        machine: The tables of the automaton.
        tables: What literals prove, as `scanning` lays it out.
        hits: `(n_groups, n_rows)` bool, set where a group occurs.
    """
    longest = np.max(starts[1:] - starts[:-1])
    steps, start_state, first_end = machine[0], np.uintp(machine[1]), np.uintp(machine[2])
    room = room_to_follow(longest, len(hits), tables)
    ends = np.empty((LANES, longest + 1), np.int64)  # of literals: the state above the place
    row_of = np.full(LANES, -1, np.int64)
    place = np.zeros(LANES, np.int64)
    stop = np.zeros(LANES, np.int64)
    state = np.zeros(LANES, np.uintp)
    found = np.zeros(LANES, np.uintp)
    lanes = (row_of, place, stop, state, found)
    waiting = 0
    while True:
        shortest = longest
        live = 0
        for lane in range(LANES):
            row = row_of[lane]
            if place[lane] == stop[lane]:
                if row >= 0 and found[lane] > 0:
                    width = 4 if foreign[row] else 1
                    here = (text[starts[row] : stop[lane]], starts[row], width)
                    follow(row, here, ends[lane][: found[lane]], in_word, machine, tables, room, hits)
                waiting = _take_next(lane, waiting, starts, start_state, lanes)
            if row_of[lane] >= 0:
                live += 1
                shortest = min(shortest, stop[lane] - place[lane])
        if live == 0:
            return
        if live == LANES:
            _step_all(text, steps, first_end, place, state, found, ends, shortest)
            continue
        for lane in range(LANES):
            if row_of[lane] >= 0:
                _step_one(text, steps, first_end, lane, place, stop, state, found, ends)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _take_next(lane: int, waiting: int, starts: Any, start_state: Any, lanes: Any) -> int:
    """Give a lane the next text that is not empty, if there is one, and return the one behind it."""
    row_of, place, stop, state, found = lanes
    rows = len(starts) - 1
    while waiting < rows and starts[waiting] == starts[waiting + 1]:
        waiting += 1
    row_of[lane] = -1
    if waiting < rows:
        row_of[lane] = waiting
        place[lane], stop[lane] = starts[waiting], starts[waiting + 1]
        state[lane], found[lane] = start_state, np.uintp(0)
    return waiting + 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _step_all(
    text: Any, steps: Any, first_end: Any, place: Any, state: Any, found: Any, ends: Any, count: int
) -> None:
    """Take `count` steps in each lane. Spelled out, because a loop over lanes keeps nothing in registers."""
    at_0, at_1, at_2, at_3 = np.uintp(place[0]), np.uintp(place[1]), np.uintp(place[2]), np.uintp(place[3])
    state_0, state_1, state_2, state_3 = state[0], state[1], state[2], state[3]
    found_0, found_1, found_2, found_3 = found[0], found[1], found[2], found[3]
    ends_0, ends_1, ends_2, ends_3 = ends[0], ends[1], ends[2], ends[3]
    for _ in range(count):
        state_0 = np.uintp(steps[(state_0 << _BYTE) | np.uintp(text[at_0])])
        state_1 = np.uintp(steps[(state_1 << _BYTE) | np.uintp(text[at_1])])
        state_2 = np.uintp(steps[(state_2 << _BYTE) | np.uintp(text[at_2])])
        state_3 = np.uintp(steps[(state_3 << _BYTE) | np.uintp(text[at_3])])
        # Written always and kept sometimes: a branch would be guessed wrong at every literal.
        ends_0[found_0] = np.int64((state_0 << _HIGH) | at_0)
        ends_1[found_1] = np.int64((state_1 << _HIGH) | at_1)
        ends_2[found_2] = np.int64((state_2 << _HIGH) | at_2)
        ends_3[found_3] = np.int64((state_3 << _HIGH) | at_3)
        found_0 += np.uintp(state_0 >= first_end)
        found_1 += np.uintp(state_1 >= first_end)
        found_2 += np.uintp(state_2 >= first_end)
        found_3 += np.uintp(state_3 >= first_end)
        at_0 += _ONE
        at_1 += _ONE
        at_2 += _ONE
        at_3 += _ONE
    place[0], place[1], place[2], place[3] = at_0, at_1, at_2, at_3
    state[0], state[1], state[2], state[3] = state_0, state_1, state_2, state_3
    found[0], found[1], found[2], found[3] = found_0, found_1, found_2, found_3


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _step_one(
    text: Any,
    steps: Any,
    first_end: Any,
    lane: int,
    place: Any,
    stop: Any,
    state: Any,
    found: Any,
    ends: Any,
) -> None:
    """Walk one lane to its end, when there are too few texts left for all lanes."""
    for at in range(place[lane], stop[lane]):
        state[lane] = np.uintp(steps[(state[lane] << _BYTE) | np.uintp(text[at])])
        ends[lane, found[lane]] = np.int64((state[lane] << _HIGH) | np.uintp(at))
        found[lane] += np.uintp(state[lane] >= first_end)
    place[lane] = stop[lane]
