"""Build the automaton that finds every literal of every phrase in one pass over bytes.

Aho and Corasick 1975, "Efficient string matching: an aid to bibliographic search", with all failure links resolved into one
transition table over classes of bytes, so that a step is one look-up whatever the number of literals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Integers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Automaton:
    """The tables of a literal automaton.

    Args:
        classes: `(256,)` class of each byte; 0 for bytes that no literal has.
        steps: `(n_states, n_classes)` next state.
        first_output: `(n_states + 1,)` where a state's literals begin in `outputs`.
        outputs: Literals that end in a state, longest first.
        ends: `(n_states,)` whether a literal ends in a state.
    """

    classes: npt.NDArray[np.uint8]
    steps: npt.NDArray[Any]
    first_output: Integers
    outputs: Integers
    ends: npt.NDArray[np.bool_]


def build_automaton(literals: Sequence[bytes]) -> Automaton:
    """Build the automaton of some distinct, non-empty literals."""
    data = np.frombuffer(b"".join(literals), np.uint8)
    lengths = np.array([len(literal) for literal in literals], np.int32)
    present = np.unique(data)
    classes = np.zeros(256, np.uint8)
    classes[present] = np.arange(1, len(present) + 1)
    steps, own, order, failure = _build(data, lengths, classes, len(present) + 1)
    first_output, outputs = _collect(own, order, failure)
    return _in_visiting_order(classes, steps, first_output, outputs, order)


def _in_visiting_order(
    classes: npt.NDArray[np.uint8], steps: Integers, first_output: Integers, outputs: Integers, order: Integers
) -> Automaton:
    """Renumber the states by depth and store them small: the few that most text visits then share a few pages."""
    number = np.empty(len(order), np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    small = np.uint16 if len(order) <= np.iinfo(np.uint16).max else np.int32
    renumbered = np.ascontiguousarray(number[steps[order]].astype(small))
    counts = np.diff(first_output)[order]
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    parts = [outputs[first_output[state] : first_output[state + 1]] for state in order]
    return Automaton(classes, renumbered, first, np.concatenate(parts).astype(np.int32), counts > 0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _build(data: Any, lengths: Any, classes: Any, class_count: int) -> Any:
    """Insert the literals into a trie, then resolve failures in breadth-first order."""
    steps = np.full((len(data) + 1, class_count), -1, np.int32)
    own = np.full(len(data) + 1, -1, np.int32)
    count = 1
    position = 0
    for literal in range(len(lengths)):
        state = 0
        for _ in range(lengths[literal]):
            code = classes[data[position]]
            position += 1
            if steps[state, code] < 0:
                steps[state, code] = count
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
        for code in range(class_count):
            target = steps[state, code]
            fallback = steps[failure[state], code] if state else 0
            if target < 0:
                steps[state, code] = fallback
            else:
                failure[target] = fallback
                order[filled] = target
                filled += 1
    return steps[:count].copy(), own[:count].copy(), order, failure


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
