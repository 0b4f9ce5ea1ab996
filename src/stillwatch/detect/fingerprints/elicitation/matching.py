"""Which kinds of elicitation each request shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detect.fingerprints.columns import Coded
from stillwatch.detect.fingerprints.elicitation.condition import Condition, evaluate
from stillwatch.detect.fingerprints.elicitation.kinds import Kind
from stillwatch.detect.fingerprints.elicitation.phrase import Phrase
from stillwatch.detect.fingerprints.elicitation.rule import AtLeastNumber, Rule, Search
from stillwatch.detect.fingerprints.elicitation.scanning import Hits, PhraseScanner

Rows = npt.NDArray[np.bool_]

# Rows worked on at a time; keeps the tables of hits at a few megabytes.
_BLOCK_ROWS = 1 << 15


@dataclass(frozen=True, slots=True)
class RequestColumns:
    """The columns that rules read, all of one length; a parameter column that the logs lack is None."""

    prompt: pa.Array
    system_instructions: pa.Array
    choice_count: pa.Array | None = None
    logprobs: pa.Array | None = None
    top_logprobs: pa.Array | None = None

    def blocks(self) -> Iterator[tuple[slice, "RequestColumns"]]:
        """Cut the columns into blocks of rows, each with where it stands."""
        columns = (self.prompt, self.system_instructions, self.choice_count, self.logprobs, self.top_logprobs)
        arrays = [None if column is None else _one_array(column) for column in columns]
        for start in range(0, len(self.prompt), _BLOCK_ROWS):
            block = RequestColumns(
                *(None if array is None else array.slice(start, _BLOCK_ROWS) for array in arrays)
            )
            yield slice(start, start + len(block.prompt)), block


@dataclass(frozen=True, slots=True)
class _Plan:
    """One rule, the phrases of its searches resolved to groups of the scanner, by search and field."""

    rule: Rule
    condition: Condition
    groups: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class _RepeatedHits:
    """Groups that occur in texts of which many rows have the same one.

    Args:
        distinct: `(n_groups, n_distinct + 1)`, the last for rows without a text.
        codes: `(n_rows,)` which text each row has.
    """

    distinct: Hits
    codes: npt.NDArray[np.int64]

    def __getitem__(self, place: slice) -> "_RepeatedHits":
        """Return some of the rows."""
        return _RepeatedHits(self.distinct, self.codes[place])

    def of(self, group: int) -> Rows:
        """The rows in which a group occurs."""
        rows: Rows = self.distinct[group][self.codes]
        return rows


@dataclass(frozen=True, slots=True)
class _TextHits:
    """Groups that occur in the two texts of each request."""

    prompt: Hits
    system: _RepeatedHits

    def present(self) -> Rows:
        """The groups that may occur in any row."""
        return np.logical_or(self.prompt.any(axis=1), self.system.distinct.any(axis=1))

    def of(self, field: str, group: int) -> Rows:
        """The rows in which a group of phrases occurs in the given field."""
        if field == "prompt":
            prompt: Rows = self.prompt[group]
            return prompt
        system = self.system.of(group)
        return system if field == "system_instructions" else np.logical_or(self.prompt[group], system)


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
            system: `(n,)` strings, or a dictionary of them: the system text.
            choice_count: `(n,)` integers or None.
            logprobs: `(n,)` bools or None.
            top_logprobs: `(n,)` integers or None.

        Returns:
            `(n,)` uint32; bit `i` stands for `kinds[i]`.
        """
        masks = [np.zeros(0, np.uint32)]
        system_hits = self._scan_repeated(system)
        for place, block in RequestColumns(prompt, system, choice_count, logprobs, top_logprobs).blocks():
            mask = np.zeros(len(block.prompt), np.uint32)
            for rule, rows in self._match_block(block, system_hits[place]):
                mask |= rows * np.uint32(rule.kind.bit)
            masks.append(mask)
        return np.concatenate(masks)

    def match_rules(self, columns: RequestColumns) -> dict[str, Rows]:
        """Find the requests that each rule hits.

        Returns:
            For every rule, by its id, `(n,)` bool.
        """
        parts: dict[str, list[Rows]] = {str(rule.id): [np.zeros(0, np.bool_)] for rule in self.rules}
        system_hits = self._scan_repeated(columns.system_instructions)
        for place, block in columns.blocks():
            found = {str(rule.id): rows for rule, rows in self._match_block(block, system_hits[place])}
            for rule_id, rows in parts.items():
                rows.append(found.get(rule_id, np.zeros(len(block.prompt), np.bool_)))
        return {rule_id: np.concatenate(rows) for rule_id, rows in parts.items()}

    def _match_block(self, block: RequestColumns, system: _RepeatedHits) -> Iterator[tuple[Rule, Rows]]:
        hits = _TextHits(self._scanner.scan(block.prompt), system)
        present = hits.present()
        for plan in self._plans:
            found = {
                name: _search(search, plan.groups[name], hits, present, block)
                for name, search in plan.rule.searches.items()
            }
            if any(rows is not None for rows in found.values()):
                nothing = np.zeros(len(block.prompt), np.bool_)
                yield (
                    plan.rule,
                    evaluate(plan.condition, {n: nothing if r is None else r for n, r in found.items()}),
                )

    def _scan_repeated(self, texts: pa.Array | pa.ChunkedArray) -> _RepeatedHits:
        """Scan each distinct text once: an application sends the same system text with every request."""
        coded = Coded.of(_one_array(texts))
        hits = self._scanner.scan(coded.values)
        missing = np.zeros((len(hits), 1), np.bool_)
        return _RepeatedHits(np.concatenate([hits, missing], axis=1), coded.codes)


def _plan(rule: Rule, groups: list[tuple[Phrase, ...]]) -> _Plan:
    resolved: dict[str, dict[str, int]] = {}
    for name, search in rule.searches.items():
        resolved[name] = {}
        for field, phrases in search.phrase_fields.items():
            resolved[name][field] = len(groups)
            groups.append(phrases)
    return _Plan(rule, rule.condition, resolved)


def _search(
    search: Search, groups: Mapping[str, int], hits: _TextHits, present: Rows, block: RequestColumns
) -> Rows | None:
    """The rows in which every field of a search holds; None when in no row."""
    if not all(present[group] for group in groups.values()):
        return None
    parts: list[Rows | None] = [hits.of(field, group) for field, group in groups.items()]
    if search.choice_count:
        parts.append(_at_least(block.choice_count, search.choice_count))
    if search.top_logprobs:
        parts.append(_at_least(block.top_logprobs, search.top_logprobs))
    if search.logprobs:
        parts.append(_true(block.logprobs))
    known = [part for part in parts if part is not None]
    return np.logical_and.reduce(known) if len(known) == len(parts) else None


def _at_least(values: pa.Array | None, bound: AtLeastNumber) -> Rows | None:
    return None if values is None else _true(pc.greater_equal(values, bound.at_least))


def _true(values: pa.Array | None) -> Rows | None:
    if values is None:
        return None
    rows: Rows = values.cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False)
    return rows


def _one_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
