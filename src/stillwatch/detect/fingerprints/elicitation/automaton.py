"""Build the automaton that finds every literal of every phrase in one pass over bytes.

Aho and Corasick 1975, "Efficient string matching: an aid to bibliographic search", with all failure links resolved into one
transition table over bytes, so that a step is one look-up whatever the number of literals.

Most literals begin with a word. An edge mark in front of every word, in literals and in thought in the text as well, keeps
the automaton from setting out in the middle of words; the marks are then folded into the steps, so no text ever holds one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Integers = npt.NDArray[np.int32]


# Stands in front of each word of a literal. Normalized text never holds it.
_EDGE = 0x01


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes to find.

    Args:
        text: The bytes, not empty.
        whole_start: Only where a word begins; the first byte has to belong to a word then.
    """

    text: bytes
    whole_start: bool


@dataclass(frozen=True, slots=True)
class Automaton:
    """The tables of a literal automaton.

    States are numbered by depth, so that the few that most text visits share a few pages of memory; those in which a
    literal ends come last, so that one comparison tells.

    Args:
        steps: `(n_states * 256,)` next state by state and byte.
        start: The state at the beginning of a text.
        first_end: The first state in which a literal ends.
        first_output: `(n_states + 1,)` where a state's literals begin in `outputs`.
        outputs: Literals that end in a state, longest first.
    """

    steps: npt.NDArray[Any]
    start: int
    first_end: int
    first_output: Integers
    outputs: Integers


def build_automaton(literals: Sequence[Literal], in_word: npt.NDArray[np.bool_]) -> Automaton:
    """Build the automaton of some distinct literals.

    Args:
        literals: What to find.
        in_word: `(256,)` whether a byte belongs to a word.
    """
    marked = [_with_edges(literal, in_word) for literal in literals]
    data = np.frombuffer(b"".join(marked), np.uint8)
    lengths = np.array([len(text) for text in marked], np.int32)
    steps, own, order, failure, last = _build(data, lengths, _states(marked))
    first_output, outputs = _collect(own, order, failure)
    order, outer_root = _fold_edges(steps, order, last, in_word)
    counts = np.append(np.diff(first_output), 0)
    ends = counts > 0
    order = np.concatenate([order[~ends[order]], order[ends[order]]])
    number = np.zeros(len(steps), np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    kind = np.uint16 if len(order) <= np.iinfo(np.uint16).max else np.int32
    renumbered = np.empty(len(order) * 256, kind)
    _renumber(steps, order, number, renumbered)
    first = np.concatenate([[0], np.cumsum(counts[order])]).astype(np.int32)
    parts = [
        outputs[first_output[state] : first_output[state] + counts[state]] for state in order[ends[order]]
    ]
    return Automaton(
        renumbered, int(number[outer_root]), int((~ends[order]).sum()), first, np.concatenate(parts)
    )


def _states(literals: Sequence[bytes]) -> int:
    """Count the different beginnings of literals, the empty one included."""
    ordered = sorted(literals)
    return 1 + sum(map(len, ordered)) - sum(_shared(*pair) for pair in pairwise(ordered))


def _shared(left: bytes, right: bytes) -> int:
    """Count the bytes with which two literals begin alike."""
    both = min(len(left), len(right))
    return next((place for place in range(both) if left[place] != right[place]), both)


def _with_edges(literal: Literal, in_word: npt.NDArray[np.bool_]) -> bytes:
    marked = bytearray()
    before = not literal.whole_start
    for byte in literal.text:
        if in_word[byte] and not before:
            marked.append(_EDGE)
        marked.append(byte)
        before = bool(in_word[byte])
    return bytes(marked)


def _fold_edges(
    steps: Integers, order: Integers, last: Integers, in_word: npt.NDArray[np.bool_]
) -> tuple[Integers, int]:
    """Take the edge in front of a word together with the word's first byte, in place.

    Args:
        steps: `(n_states + 1, 256)`; the last row becomes one more state, the root behind other than word bytes.
        order: The states by depth.
        last: `(n_states,)` the byte by which a state is entered.
        in_word: `(256,)` whether a byte belongs to a word.

    Returns:
        The states but those that end in an edge, by depth, with the new root; and that root's number.
    """
    root = len(steps) - 1
    outside = np.append(~in_word[np.maximum(last, 0)], True)
    outside[0] = False
    _fold(steps, outside, np.append(last == _EDGE, False), in_word)
    kept = order[last[order] != _EDGE]
    return np.concatenate([kept[:1], [root], kept[1:]]).astype(np.int32), root


@njit(cache=True)  # type: ignore[untyped-decorator]
def _build(data: Any, lengths: Any, most_states: int) -> Any:
    """Insert the literals into a trie, then resolve failures in breadth-first order; one row of steps stays free."""
    steps = np.full((most_states + 1, 256), -1, np.int32)
    own = np.full(most_states, -1, np.int32)
    last = np.full(most_states, -1, np.int32)
    count = 1
    position = 0
    for literal in range(len(lengths)):
        state = 0
        for _ in range(lengths[literal]):
            code = data[position]
            position += 1
            if steps[state, code] < 0:
                steps[state, code] = count
                last[count] = code
                count += 1
            state = steps[state, code]
        own[state] = literal
    failure = np.zeros(count, np.int32)
    order = np.zeros(count, np.int32)
    filled = 1
    taken = 0
    while taken < filled:
        state = order[taken]
        taken += 1
        for code in range(256):
            target = steps[state, code]
            fallback = steps[failure[state], code] if state else 0
            if target < 0:
                steps[state, code] = fallback
            else:
                failure[target] = fallback
                order[filled] = target
                filled += 1
    return steps, own, order, failure, last


@njit(cache=True)  # type: ignore[untyped-decorator]
def _collect(own: Any, order: Any, failure: Any) -> Any:
    """List for every state the literals that end there: its own, then those of its failures."""
    counts = np.zeros(len(own) + 1, np.int32)
    for state in order:
        inherited = counts[failure[state] + 1] if state else 0
        counts[state + 1] = inherited + (1 if own[state] >= 0 else 0)
    first = np.zeros(len(own) + 1, np.int32)
    for state in range(len(own)):
        first[state + 1] = first[state] + counts[state + 1]
    outputs = np.empty(first[-1], np.int32)
    for state in order:
        place = first[state]
        if own[state] >= 0:
            outputs[place] = own[state]
            place += 1
        if state:
            fail = failure[state]
            for index in range(first[fail], first[fail + 1]):
                outputs[place] = outputs[index]
                place += 1
    return first, outputs


@njit(cache=True)  # type: ignore[untyped-decorator]
def _fold(steps: Any, outside: Any, ends_in_edge: Any, in_word: Any) -> None:
    root = len(steps) - 1
    steps[root] = steps[0]
    edged = np.empty(256, np.int32)
    for state in range(len(steps)):
        if ends_in_edge[state]:
            continue  # not kept, and read below as it is
        edge = steps[state, _EDGE]
        for code in range(256):
            edged[code] = steps[edge, code] if outside[state] and in_word[code] else steps[state, code]
            if not in_word[code] and edged[code] == 0:
                edged[code] = root
        steps[state] = edged


@njit(cache=True)  # type: ignore[untyped-decorator]
def _renumber(steps: Any, order: Any, number: Any, renumbered: Any) -> None:
    for place in range(len(order)):
        for code in range(256):
            renumbered[place * 256 + code] = number[steps[order[place], code]]
