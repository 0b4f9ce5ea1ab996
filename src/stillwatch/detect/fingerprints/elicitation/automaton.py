"""Build the automaton that finds every literal of every phrase in one pass over bytes.

Aho and Corasick 1975, "Efficient string matching: an aid to bibliographic search", with all failure links resolved into one
transition table over bytes, so that a step is one look-up whatever the number of literals.
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

    States are numbered by depth, so that the few that most text visits share a few pages of memory; those in which a
    literal ends come last, so that one comparison tells.

    Args:
        steps: `(n_states * 256,)` next state by state and byte.
        first_end: The first state in which a literal ends.
        first_output: `(n_states + 1,)` where a state's literals begin in `outputs`.
        outputs: Literals that end in a state, longest first.
    """

    steps: npt.NDArray[Any]
    first_end: int
    first_output: Integers
    outputs: Integers


def build_automaton(literals: Sequence[bytes]) -> Automaton:
    """Build the automaton of some distinct, non-empty literals."""
    data = np.frombuffer(b"".join(literals), np.uint8)
    lengths = np.array([len(literal) for literal in literals], np.int32)
    steps, own, order, failure = _build(data, lengths)
    first_output, outputs = _collect(own, order, failure)
    ends = np.diff(first_output) > 0
    order = np.concatenate([order[~ends[order]], order[ends[order]]])
    number = np.empty(len(order), np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    renumbered = number[steps[order]].ravel()
    if len(order) <= np.iinfo(np.uint16).max:
        renumbered = renumbered.astype(np.uint16)
    first = np.concatenate([[0], np.cumsum(np.diff(first_output)[order])]).astype(np.int32)
    parts = [outputs[first_output[state] : first_output[state + 1]] for state in order]
    return Automaton(renumbered, int((~ends).sum()), first, np.concatenate(parts))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _build(data: Any, lengths: Any) -> Any:
    """Insert the literals into a trie, then resolve failures in breadth-first order."""
    steps = np.full((len(data) + 1, 256), -1, np.int32)
    own = np.full(len(data) + 1, -1, np.int32)
    count = 1
    position = 0
    for literal in range(len(lengths)):
        state = 0
        for _ in range(lengths[literal]):
            code = data[position]
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
        for code in range(256):
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
