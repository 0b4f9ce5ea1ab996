"""Find the phrases of all rules in many texts, in compiled passes over an Arrow buffer.

Texts are squeezed to what rules compare, the automaton reports where literals end (`walking`), and what the ends of
literals prove together is read off for each text (`following`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.detect.fingerprints.elicitation.automaton import Automaton, build_automaton
from stillwatch.detect.fingerprints.elicitation.phrase import Phrase, is_word_character
from stillwatch.detect.fingerprints.elicitation.proof import Proof, Use
from stillwatch.detect.fingerprints.elicitation.squeezing import squeezed_texts
from stillwatch.detect.fingerprints.elicitation.walking import walk

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
        squeezed = squeezed_texts(texts)
        machine = self._automaton
        walk(
            squeezed.text,
            squeezed.starts,
            squeezed.foreign,
            _IN_WORD,
            (machine.steps, machine.start, machine.first_end, machine.first_output, machine.outputs),
            self._tables,
            hits,
        )
        return hits


def _tables(proof: Proof, machine: Automaton) -> tuple[Any, ...]:
    """Lay out what literals prove as arrays; the order is that in which `follow` takes them apart."""
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
