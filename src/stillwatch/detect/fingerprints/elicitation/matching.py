"""Which kinds of elicitation each request shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detect.fingerprints.elicitation.condition import Condition, evaluate
from stillwatch.detect.fingerprints.elicitation.kinds import Kind
from stillwatch.detect.fingerprints.elicitation.phrase import Phrase
from stillwatch.detect.fingerprints.elicitation.rule import AtLeastNumber, Rule, Search
from stillwatch.detect.fingerprints.elicitation.scanning import PhraseScanner

Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RequestColumns:
    """The columns that rules read, all of one length; a parameter column that the logs lack is None."""

    prompt: pa.Array
    system_instructions: pa.Array
    choice_count: pa.Array | None = None
    logprobs: pa.Array | None = None
    top_logprobs: pa.Array | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """One rule, its searches resolved to groups of the scanner."""

    rule: Rule
    condition: Condition
    groups: Mapping[str, Mapping[str, int]]


class ElicitationMatcher:
    """Evaluates a set of rules over columns of requests.

    Build it once; it holds no request text. Use `from_rules`.

    Args:
        rules: The rules, whose order is kept.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Compile the rules."""
        groups: list[tuple[Phrase, ...]] = []
        self._plans = [_plan(rule, groups) for rule in rules]
        self._scanner = PhraseScanner(groups)
        self.rules = tuple(rules)
        self.kinds = tuple(kind.value for kind in Kind)

    @classmethod
    def from_rules(cls, rules: Iterable[Rule]) -> Self:
        """Compile rules into a matcher."""
        return cls(tuple(rules))

    def match(
        self,
        prompt: pa.Array,
        system: pa.Array,
        choice_count: pa.Array | None = None,
        logprobs: pa.Array | None = None,
        top_logprobs: pa.Array | None = None,
    ) -> npt.NDArray[np.uint32]:
        """Find the kinds of elicitation in each request.

        Args:
            prompt: `(n,)` strings, the last user message.
            system: `(n,)` strings, the system text.
            choice_count: `(n,)` integers or None.
            logprobs: `(n,)` bools or None.
            top_logprobs: `(n,)` integers or None.

        Returns:
            `(n,)` uint32; bit `i` stands for `kinds[i]`.
        """
        columns = RequestColumns(prompt, system, choice_count, logprobs, top_logprobs)
        mask = np.zeros(len(prompt), np.uint32)
        for rule, rows in self.match_rules(columns):
            mask[rows] |= np.uint32(rule.kind.bit)
        return mask

    def match_rules(self, columns: RequestColumns) -> list[tuple[Rule, Rows]]:
        """Find the rules that hit at least one request, each with its `(n,)` bool rows."""
        prompt, system = _one_array(columns.prompt), _one_array(columns.system_instructions)
        hits = _TextHits(self._scanner.scan(prompt), self._scan_repeated(system), len(prompt))
        found = ((plan.rule, _rows(plan, hits, columns)) for plan in self._plans)
        return [(rule, rows) for rule, rows in found if rows is not None and rows.any()]

    def _scan_repeated(self, texts: pa.Array) -> dict[int, Rows]:
        """Scan each distinct text once: an application sends the same system text with every request."""
        if texts.null_count == len(texts):
            return {}
        distinct = texts.dictionary_encode()
        codes = distinct.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        present = codes >= 0
        return {
            group: rows[np.maximum(codes, 0)] & present
            for group, rows in self._scanner.scan(distinct.dictionary).items()
        }


@dataclass(frozen=True, slots=True)
class _TextHits:
    """Rows by group, apart for the two texts of a request."""

    prompt: Mapping[int, Rows]
    system: Mapping[int, Rows]
    row_count: int

    def of(self, field: str, group: int) -> Rows | None:
        """The rows in which a group of phrases occurs in the given field; None when in no row."""
        in_prompt = self.prompt.get(group) if field != "system_instructions" else None
        in_system = self.system.get(group) if field != "prompt" else None
        if in_prompt is None or in_system is None:
            return in_system if in_prompt is None else in_prompt
        return in_prompt | in_system


def _plan(rule: Rule, groups: list[tuple[Phrase, ...]]) -> _Plan:
    resolved: dict[str, dict[str, int]] = {}
    for name, search in rule.searches.items():
        resolved[name] = {}
        for field, phrases in search.phrase_fields.items():
            resolved[name][field] = len(groups)
            groups.append(phrases)
    return _Plan(rule, rule.condition, resolved)


def _rows(plan: _Plan, hits: _TextHits, columns: RequestColumns) -> Rows | None:
    """The rows that a rule hits. A condition is false where no search hits, so nothing found means None."""
    found = {name: _search(search, plan.groups[name], hits, columns) for name, search in plan.rule.searches.items()}
    if all(rows is None for rows in found.values()):
        return None
    nothing = np.zeros(hits.row_count, np.bool_)
    return evaluate(plan.condition, {name: nothing if rows is None else rows for name, rows in found.items()})


def _search(
    search: Search, groups: Mapping[str, int], hits: _TextHits, columns: RequestColumns
) -> Rows | None:
    parts = [hits.of(field, group) for field, group in groups.items()]
    if search.choice_count:
        parts.append(_at_least(columns.choice_count, search.choice_count))
    if search.top_logprobs:
        parts.append(_at_least(columns.top_logprobs, search.top_logprobs))
    if search.logprobs:
        parts.append(_true(columns.logprobs))
    present = [part for part in parts if part is not None]
    return np.logical_and.reduce(present) if len(present) == len(parts) else None


def _at_least(values: pa.Array | None, bound: AtLeastNumber) -> Rows | None:
    if values is None:
        return None
    return _true(pc.greater_equal(_one_array(values), bound.at_least))


def _true(values: pa.Array | None) -> Rows | None:
    if values is None:
        return None
    rows: Rows = _one_array(values).cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False)
    return rows


def _one_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
