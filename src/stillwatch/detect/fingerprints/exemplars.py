"""What a template looks like: the words that its prompts have in common, and a gap for everything else.

A word is shown only if nearly all of several prompts, of several accounts where there are several, carry it; numbers
and whatever only some prompts say are never shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from stillwatch.detect.fingerprints.columns import Coded, hash_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN_TEMPLATES = 120  # per batch, the commonest first
LOOKED_AT = 40_000  # prompts of a batch; a template that matters is among them
MIN_PROMPTS = 12
MIN_ACCOUNTS = 3
MIN_WORDS = 3  # fewer show nothing
SAMPLED_PROMPTS = 8
COMMON_SHARE = 0.85
MAX_WORDS = 60
MAX_CHARACTERS = 200
GAP = "…"

_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]|[^\W\d_]+|\d+|[^\w\s]")
_OF_WORD = re.compile(r"[^\W\d_]+|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")

NAMES: pa.Schema = pa.schema(
    [("kind", pa.string()), ("value", pa.int64()), ("text", pa.string()), ("weight", pa.int64())]
)
"""What hashed values look like."""


def template_names(
    prompts: pa.Array, accounts: pa.Array, contents: NDArray[np.int64], keys: pa.Array
) -> pa.Table:
    """Show the commonest templates of a batch.

    Args:
        prompts: `(n,)` string.
        accounts: `(n,)` account ids.
        contents: `(n,)` content hashes of the prompts.
        keys: `(n,)` lists of template keys.

    Returns:
        Rows of `NAMES` with kind `template`.
    """
    account = accounts.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    words = _Words(prompts)
    step = -(-len(keys) // LOOKED_AT) if len(keys) else 1
    found: dict[str, list[object]] = {"kind": [], "value": [], "text": [], "weight": []}
    for key, places in _common_keys(keys.take(pa.array(np.arange(0, len(keys), step)))):
        rows = places * step
        text = words.shared(rows) if _may_be_shown(account[rows], contents[rows]) else ""
        if text:
            row = {"kind": "template", "value": key, "text": text, "weight": len(rows)}
            for name, value in row.items():
                found[name].append(value)
    return pa.table(found, schema=NAMES)


def _common_keys(keys: pa.Array) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield the commonest keys of prompts and the rows that carry them."""
    offsets = keys.offsets.to_numpy()
    flat = keys.values.to_numpy()[offsets[0] : offsets[-1]]
    ordered = np.sort(flat[(flat & 1) == 0])
    starts = (
        np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        if len(ordered)
        else np.empty(0, np.int64)
    )
    counts = np.diff(np.append(starts, len(ordered)))
    common = np.flatnonzero(counts >= MIN_PROMPTS)
    common = np.sort(common[np.argsort(-counts[common], kind="stable")[:SHOWN_TEMPLATES]])
    labels = ordered[starts[common]]
    if len(labels) == 0:
        return
    place = np.minimum(np.searchsorted(labels, flat), len(labels) - 1)
    hit = np.flatnonzero(labels[place] == flat)
    row = np.searchsorted(offsets - offsets[0], hit, side="right") - 1
    of_key = place[hit]
    for number, key in enumerate(labels.tolist()):
        yield key, row[of_key == number]


def _may_be_shown(account: NDArray[np.int32], content: NDArray[np.int64]) -> bool:
    """Tell whether what prompts share is nobody's own words: three accounts', or one account's many prompts'.

    What two accounts share is between the two of them. A prompt that is sent again and again is no template.
    """
    accounts = len(set(account.tolist()))
    if accounts > 1:
        return accounts >= MIN_ACCOUNTS
    return len(set(content.tolist())) >= MIN_PROMPTS


class _Words:
    """The words of the prompts of one batch, found once each."""

    def __init__(self, prompts: pa.Array) -> None:
        self._prompts = prompts
        self._words: dict[int, list[str]] = {}
        self._shared: dict[tuple[int, ...], str] = {}

    def shared(self, rows: NDArray[np.int64]) -> str:
        """Return the words that prompts share, or nothing if that is too little."""
        sample = tuple(rows[np.linspace(0, len(rows) - 1, SAMPLED_PROMPTS).astype(np.int64)].tolist())
        if sample not in self._shared:
            self._shared[sample] = _skeleton([self._of(row) for row in sample])
        return self._shared[sample]

    def _of(self, row: int) -> list[str]:
        if row not in self._words:
            self._words[row] = _WORD.findall(str(self._prompts[row].as_py() or "")[:4_000])
        return self._words[row]


def _skeleton(texts: list[list[str]]) -> str:
    """Return the words that nearly all texts carry, in the order of the first, with gaps between them."""
    if len({" ".join(text) for text in texts}) < SAMPLED_PROMPTS // 2:
        return ""  # the same prompt again and again
    bags = [set(text) for text in texts]
    carried = Counter(chain.from_iterable(bags))
    common = COMMON_SHARE * len(bags)
    shared = {word for word in bags[0] if carried[word] >= common and _is_shown(word)}
    words: list[str] = []
    for word in texts[0]:
        shown = word if word in shared else GAP
        if shown == GAP and words and words[-1] == GAP:
            continue
        words.append(shown)
        if len(words) == MAX_WORDS:
            break
    if sum(bool(_OF_WORD.fullmatch(word)) for word in words) < MIN_WORDS:
        return ""
    return re.sub(r"\s+([,.;:!?)\]])", r"\1", " ".join(words))[:MAX_CHARACTERS]


def _is_shown(word: str) -> bool:
    """Tell whether a word may be shown; nothing with a number in it is."""
    return not any(character.isnumeric() for character in word)


def value_names(kind: str, values: Coded, shown: pa.Array) -> pa.Table:
    """Remember the texts of hashed values that are no customer's words (clients, networks).

    Args:
        kind: What is hashed.
        values: What was seen.
        shown: `(n_distinct,)` string, what is hashed and shown for each value; null for nothing.
    """
    hashes = hash_column(shown)
    rows: dict[int, tuple[str, int]] = {}
    for text, value, count in zip(shown.to_pylist(), hashes.tolist(), values.counts().tolist(), strict=True):
        if value != 0 and text is not None:
            rows[value] = (text, rows.get(value, (text, 0))[1] + count)
    columns = {
        "kind": [kind] * len(rows),
        "value": list(rows),
        "text": [text for text, _ in rows.values()],
        "weight": [weight for _, weight in rows.values()],
    }
    return pa.table(columns, schema=NAMES)
