"""What a template looks like: the words that its prompts have in common, and a gap for everything else.

A word is shown only if nearly all of several prompts, of several accounts where there are several, carry it; numbers
and whatever only some prompts say are never shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN_TEMPLATES = 120  # per batch, the commonest first
MIN_PROMPTS = 12
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


def template_names(prompts: pa.Array, accounts: pa.Array, keys: pa.Array) -> pa.Table:
    """Show the commonest templates of a batch.

    Args:
        prompts: `(n,)` string.
        accounts: `(n,)` account ids.
        keys: `(n,)` lists of template keys.

    Returns:
        Rows of `NAMES` with kind `template`.
    """
    offsets = keys.offsets.to_numpy()
    flat = keys.values.to_numpy()[offsets[0] : offsets[-1]]
    row = np.repeat(np.arange(len(keys)), np.diff(offsets))
    of_prompt = (flat & 1) == 0
    flat, row = flat[of_prompt], row[of_prompt]
    labels, dense, counts = np.unique(flat, return_inverse=True, return_counts=True)
    common = np.flatnonzero(counts >= MIN_PROMPTS)
    common = common[np.argsort(-counts[common], kind="stable")[:SHOWN_TEMPLATES]]
    order = np.argsort(dense, kind="stable")
    starts = np.searchsorted(dense[order], common)
    found: dict[str, list[object]] = {"kind": [], "value": [], "text": [], "weight": []}
    for place, start in zip(common.tolist(), starts.tolist(), strict=True):
        rows = row[order[start : start + counts[place]]]
        text = _skeleton(prompts, accounts, rows)
        if text:
            for name, value in (
                ("kind", "template"),
                ("value", int(labels[place])),
                ("text", text),
                ("weight", int(counts[place])),
            ):
                found[name].append(value)
    return pa.table(found, schema=NAMES)


def _skeleton(prompts: pa.Array, accounts: pa.Array, rows: NDArray[np.int64]) -> str:
    """Return the words that prompts share, or nothing if that is too little."""
    sample = rows[np.linspace(0, len(rows) - 1, SAMPLED_PROMPTS).astype(np.int64)]
    texts = [str(prompts[int(one)].as_py() or "")[:4_000] for one in sample]
    if len(set(texts)) < SAMPLED_PROMPTS // 2 or len(set(accounts.take(pa.array(rows)).to_pylist())) == 2:
        return ""  # one prompt sent again and again, or what two people share between them
    bags = [set(_WORD.findall(text)) for text in texts]
    shared = {word for word in bags[0] if sum(word in bag for bag in bags) >= COMMON_SHARE * len(bags)}
    words: list[str] = []
    for word in _WORD.findall(texts[0]):
        shown = word if word in shared and not word.isdigit() else GAP
        if shown == GAP and words and words[-1] == GAP:
            continue
        words.append(shown)
        if len(words) == MAX_WORDS:
            break
    if sum(bool(_OF_WORD.fullmatch(word)) for word in words) < 3:
        return ""
    return re.sub(r"\s+([,.;:!?)\]])", r"\1", " ".join(words))[:MAX_CHARACTERS]


def value_names(kind: str, hashes: NDArray[np.int64], texts: pa.Array) -> pa.Table:
    """Remember the texts of hashed values that are no customer's words (clients, networks)."""
    labels, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    keep = labels != 0
    return pa.table(
        {
            "kind": pa.array([kind] * int(keep.sum()), pa.string()),
            "value": pa.array(labels[keep]),
            "text": texts.take(pa.array(first[keep])),
            "weight": pa.array(counts[keep]),
        },
        schema=NAMES,
    )
