"""Near-duplicate prompts across accounts, one MinHash per prompt, with the datasketch library.

The usual way to find a template that many accounts send. Cost grows with every prompt and every permutation, and
the index holds every prompt ever seen.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from types import ModuleType

from stillwatch.errors import UsageError

PERMUTATIONS = 128
THRESHOLD = 0.5  # Jaccard similarity of word shingles from which two prompts count as one template
_SHINGLE_WORDS = 3
_WORD = re.compile(r"\w+")


class MinHashIndex:
    """An LSH index of prompts that counts, for each, the accounts that sent something alike.

    Args:
        permutations: Length of a signature.
        threshold: Jaccard similarity from which two prompts are alike.

    Raises:
        UsageError: The datasketch library is not installed.
    """

    def __init__(self, permutations: int = PERMUTATIONS, threshold: float = THRESHOLD) -> None:
        """Load the library, which is no dependency of a scan."""
        self._library = _datasketch()
        self._permutations = permutations
        self._index = self._library.MinHashLSH(threshold=threshold, num_perm=permutations)
        self._account: dict[int, str] = {}
        self._accounts_alike: dict[str, int] = defaultdict(int)

    def add(self, prompts: Iterable[tuple[str, str]]) -> None:
        """Index (account, prompt) pairs in the order they were sent."""
        for account, prompt in prompts:
            signature = self._signature(prompt)
            alike = {self._account[key] for key in self._index.query(signature)} - {account}
            self._accounts_alike[account] = max(self._accounts_alike[account], len(alike))
            self._account[len(self._account)] = account
            self._index.insert(len(self._account) - 1, signature)

    def accounts_alike(self) -> dict[str, int]:
        """By account, the most other accounts that had sent something like one of its prompts."""
        return dict(self._accounts_alike)

    def _signature(self, prompt: str) -> object:
        signature = self._library.MinHash(num_perm=self._permutations)
        signature.update_batch([shingle.encode() for shingle in shingles(prompt)])
        return signature


def shingles(prompt: str) -> set[str]:
    """Every run of three words; shorter prompts are one shingle."""
    words = _WORD.findall(prompt.lower())
    if len(words) <= _SHINGLE_WORDS:
        return {" ".join(words)}
    return {
        " ".join(words[start : start + _SHINGLE_WORDS]) for start in range(len(words) - _SHINGLE_WORDS + 1)
    }


def _datasketch() -> ModuleType:
    try:
        import datasketch  # noqa: PLC0415 - only benchmarks have it
    except ImportError as problem:
        raise UsageError(
            "the datasketch library is not installed", hint="install the dev dependencies; ./run bench does"
        ) from problem
    module: ModuleType = datasketch
    return module
